/** @slow: it takes 4 seconds. */

/** The 16-bit floats against their definitions: all 65,536 patterns one way, the nearest value the other way. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBFloat16, decodeFloat16, encodeFloat16, FLOAT16_OVERFLOW } from "../../src/formats/float16.ts";

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);
const bytesOf = (bits: Uint16Array) => new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
const encodeOne = (value: number) => new DataView(encodeFloat16(Float32Array.of(value)).buffer).getUint16(0, true);
const decodeOne = (bits: number) => decodeFloat16(bytesOf(Uint16Array.of(bits)))[0] ?? Number.NaN;

/** (−1)^sign · 2^(exponent − bias) · (1 + fraction), and the special cases of IEEE 754. */
function byDefinition(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >>> 15 === 1 ? -1 : 1;
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * 2 ** (1 - bias) * fraction : sign * 2 ** (exponent - bias) * (1 + fraction);
}

describe("float16", () => {
  it("decodes every pattern to the value of its definition, signs of zero included", () => {
    const values = decodeFloat16(bytesOf(ALL));
    for (const bits of ALL) expect(values[bits]).toBe(byDefinition(bits, 5, 10));
  });

  it("encodes what it decodes to the same pattern, and NaN to some NaN of the same sign", () => {
    const encoded = new Uint16Array(encodeFloat16(decodeFloat16(bytesOf(ALL))).buffer);
    for (const bits of ALL) {
      const isNotANumber = (bits & 0x7fff) > 0x7c00;
      expect(encoded[bits]).toBe(isNotANumber ? bits | 0x200 : bits);
    }
  });

  it("rounds every midpoint of neighbours to the even one, and a step off it to the nearer one", () => {
    const step = (value: number, by: number) => {
      const bits = new Int32Array(Float32Array.of(value).buffer);
      return new Float32Array(bits.map((word) => word + by).buffer)[0] ?? Number.NaN;
    };
    for (let low = 0; low < 0x7bff; low++) {
      const middle = (decodeOne(low) + decodeOne(low + 1)) / 2;
      expect(encodeOne(middle)).toBe(low % 2 === 0 ? low : low + 1);
      expect(encodeOne(-middle)).toBe(0x8000 | (low % 2 === 0 ? low : low + 1));
      expect(encodeOne(step(middle, -1))).toBe(low);
      expect(encodeOne(step(middle, 1))).toBe(low + 1);
    }
  });

  it("encodes any finite float32 to the nearest value there is", () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = encodeOne(value);
        const error = Math.abs(decodeOne(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          if ((neighbour & 0x7fff) < 0x7c00 && neighbour >= 0 && neighbour <= 0xffff) {
            expect(error).toBeLessThanOrEqual(Math.abs(decodeOne(neighbour) - value));
          }
        }
      }),
      { seed: 16, numRuns: 5000 },
    );
  });

  it("becomes infinite from FLOAT16_OVERFLOW on and not before", () => {
    const before = new Float32Array(new Uint32Array([0x477fefff]).buffer)[0] ?? 0;
    expect(before).toBeLessThan(FLOAT16_OVERFLOW);
    expect(decodeOne(encodeOne(before))).toBe(65504);
    expect(decodeOne(encodeOne(FLOAT16_OVERFLOW))).toBe(Number.POSITIVE_INFINITY);
    expect(decodeOne(encodeOne(-3e38))).toBe(Number.NEGATIVE_INFINITY);
  });

  it("never makes an infinity of a NaN", () => {
    for (const word of [0x7f800001, 0x7f801fff, 0xff800001, 0x7fc00000]) {
      const value = new Float32Array(new Uint32Array([word]).buffer);
      expect(decodeFloat16(encodeFloat16(value))[0]).toBeNaN();
    }
  });
});

describe("bfloat16", () => {
  it("decodes every pattern to the value of its definition", () => {
    const values = decodeBFloat16(bytesOf(ALL));
    for (const bits of ALL) expect(values[bits]).toBe(byDefinition(bits, 8, 7));
  });

  it("keeps the payload of a NaN", () => {
    const bits = new Uint32Array(decodeBFloat16(bytesOf(Uint16Array.of(0x7f81, 0xffc3))).buffer);
    expect([...bits]).toEqual([0x7f810000, 0xffc30000]);
  });
});
