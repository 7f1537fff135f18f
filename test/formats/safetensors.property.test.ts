/** What is written is read back, bit for bit; and every type of element means what its definition says. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../src/core/tensor.ts";
import { decodeBFloat16, decodeFloat16 } from "../../src/formats/float16.ts";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { DTYPE_BYTES, type StoredDType, toFloat32 } from "../../src/formats/stored-tensor.ts";

const seed = 20170417;
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "0", "17", 'a"b\\c', ""),
);
const tensorName = text.filter((name) => name !== "__metadata__");
const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
const metadata = fc.dictionary(text, text, { maxKeys: 5 });

/** Any bit pattern, NaN with payloads included. */
const float32 = (sides: readonly number[]) => {
  const count = elementCount(sides);
  return fc
    .array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: count, maxLength: count })
    .map((bits) => new Float32Array(Uint32Array.from(bits).buffer));
};

/** Values that float16 holds exactly. */
const float16 = (sides: readonly number[]) => {
  const count = elementCount(sides);
  return fc
    .array(fc.integer({ min: 0, max: 0xffff }), { minLength: count, maxLength: count })
    .map((bits) => decodeFloat16(new Uint8Array(Uint16Array.from(bits).buffer)));
};

const tensors: fc.Arbitrary<TensorToWrite[]> = fc.uniqueArray(
  fc
    .tuple(tensorName, shape, fc.constantFrom<"F32" | "F16">("F32", "F16"))
    .chain(([name, sides, dtype]) =>
      (dtype === "F16" ? float16 : float32)(sides).map((data): TensorToWrite => ({ name, shape: sides, data, dtype })),
    ),
  { selector: ({ name }) => name, maxLength: 6 },
);

const bitsOf = (values: Float32Array) => Array.from(new Uint32Array(values.slice().buffer));

describe("safetensors", () => {
  it("come back as they were written: names, order, shapes, types, bits, metadata", () => {
    fc.assert(
      fc.property(tensors, metadata, (written, remarks) => {
        const file = readSafetensors(writeSafetensors(written, remarks));
        expect([...file.tensors.keys()]).toEqual(written.map(({ name }) => name));
        for (const { name, shape: sides, data, dtype } of written) {
          const stored = file.tensors.get(name);
          if (stored === undefined) throw new Error(`"${name}" is missing.`);
          expect([stored.name, stored.dtype, stored.shape]).toEqual([name, dtype, sides]);
          const values = toFloat32(stored);
          // float16 makes a signalling NaN quiet; everything else keeps its bits.
          const expected = dtype === "F16" ? quiet(bitsOf(data)) : bitsOf(data);
          expect(bitsOf(values)).toEqual(expected);
        }
        expect(new Map(Object.entries(file.metadata))).toEqual(new Map(Object.entries(remarks)));
      }),
      { seed, numRuns: 300 },
    );
  });

  it("are the same bytes for the same input, in whatever order the metadata were set", () => {
    fc.assert(
      fc.property(tensors, metadata, (written, remarks) => {
        const turned = Object.fromEntries(Object.entries(remarks).reverse());
        expect(writeSafetensors(written, turned)).toEqual(writeSafetensors(written, remarks));
      }),
      { seed, numRuns: 100 },
    );
  });

  it("have a header of a multiple of 8 bytes that begins with { and ends in spaces only", () => {
    fc.assert(
      fc.property(tensors, metadata, (written, remarks) => {
        const { length, text: header } = headerOf(writeSafetensors(written, remarks));
        expect(length % 8).toBe(0);
        expect(header).toMatch(/^\{.*\} {0,7}$/s);
      }),
      { seed, numRuns: 100 },
    );
  });

  it("do not change with where the file lies in memory", () => {
    fc.assert(
      fc.property(tensors, fc.integer({ min: 1, max: 7 }), (written, shift) => {
        const file = writeSafetensors(written);
        const moved = new Uint8Array(file.length + shift);
        moved.set(file, shift);
        const values = (bytes: Uint8Array) =>
          [...readSafetensors(bytes).tensors.values()].map((stored) => bitsOf(toFloat32(stored)));
        expect(values(moved.subarray(shift))).toEqual(values(file));
      }),
      { seed, numRuns: 100 },
    );
  });
});

/** Values by the platform's own typed arrays; the 16-bit floats have their own test. */
const DEFINITIONS: { readonly [T in StoredDType]?: (buffer: ArrayBuffer) => ArrayLike<number> } = {
  F64: (buffer) => new Float64Array(buffer),
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => decodeFloat16(new Uint8Array(buffer)),
  BF16: (buffer) => decodeBFloat16(new Uint8Array(buffer)),
  I64: (buffer) => Array.from(new BigInt64Array(buffer), Number),
  U64: (buffer) => Array.from(new BigUint64Array(buffer), Number),
  I32: (buffer) => new Int32Array(buffer),
  U32: (buffer) => new Uint32Array(buffer),
  I16: (buffer) => new Int16Array(buffer),
  U16: (buffer) => new Uint16Array(buffer),
  I8: (buffer) => new Int8Array(buffer),
  U8: (buffer) => new Uint8Array(buffer),
  BOOL: (buffer) => Array.from(new Uint8Array(buffer), (byte) => (byte === 0 ? 0 : 1)),
};

describe("toFloat32", () => {
  it.each(Object.keys(DEFINITIONS) as StoredDType[])("gives the values of %s, at any alignment", (dtype) => {
    const definition = DEFINITIONS[dtype];
    if (definition === undefined) throw new Error(`${dtype} has no definition.`);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 7 }),
        fc.infiniteStream(fc.nat(255)),
        (count, pad, bytes) => {
          const data = Uint8Array.from({ length: count * DTYPE_BYTES[dtype] }, () => bytes.next().value ?? 0);
          const header =
            JSON.stringify({ t: { dtype, shape: [count], data_offsets: [0, data.length] } }) + " ".repeat(pad);
          const stored = readSafetensors(rawFile(header, data)).tensors.get("t");
          if (stored === undefined) throw new Error("The tensor is missing.");
          const expected = Float32Array.from(definition(data.buffer));
          expect(toFloat32(stored)).toEqual(expected);
        },
      ),
      { seed, numRuns: 100 },
    );
  });
});

function quiet(bits: readonly number[]): number[] {
  return bits.map((word) => ((word & 0x7fffffff) > 0x7f800000 ? (word | 0x400000) >>> 0 : word));
}

/** A file put together without the writer. */
function rawFile(header: string, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

function headerOf(bytes: Uint8Array): { readonly length: number; readonly text: string } {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  return { length, text: new TextDecoder().decode(bytes.subarray(8, 8 + length)) };
}
