/** Kernels as 8-bit integers with a scale a channel: how far they are off, and what a second time makes of them. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scaleShape, toEightBit } from "../../src/formats/eight-bit.ts";
import { asEightBits } from "../fixtures/eight-bit.ts";
import { rounds, seedOf } from "../fuzz.ts";

const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** All finite numbers of float32, those without digits and the largest often; and channels of ordinary ones. */
const values = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, min: -1, max: 1 }),
  fc.constantFrom(0, -0, 2 ** -149, 2 ** -126, -(2 ** -127), LARGEST, -LARGEST, 0.5, 63.5),
  fc.integer({ min: -127, max: 127 }).map((n) => n / 2),
);

const tensors = fc
  .record({ taps: fc.integer({ min: 1, max: 5 }), channels: fc.integer({ min: 1, max: 6 }) })
  .chain(({ taps, channels }) =>
    fc.record({
      shape: fc.constant([taps, channels]),
      data: fc
        .array(fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 9, arbitrary: values }), {
          minLength: taps * channels,
          maxLength: taps * channels,
        })
        .map((list) => Float32Array.from(list)),
    }),
  );

const settings = { seed: seedOf(20170417), numRuns: rounds(2000) };

describe("a kernel in 8-bit integers", () => {
  it("is what the definition says: max / 127, and the nearest, ties to even", () => {
    fc.assert(
      fc.property(tensors, ({ shape, data }) => {
        // The largest float32 has no 127th part that times 127 is finite.
        fc.pre(data.every((value) => Math.abs(value) < LARGEST));
        const { integers, scales } = asEightBits(data, shape[1]!, (i) => i % shape[1]!);
        expect(toEightBit("k", data, shape, 1)).toEqual({ integers, scales });
      }),
      settings,
    );
  });

  it("is off by half a scale at most, finite, and zero where it was", () => {
    fc.assert(
      fc.property(tensors, ({ shape, data }) => {
        const { integers, scales } = toEightBit("k", data, shape, 1);
        for (const scale of scales) expect(scale).toBeGreaterThanOrEqual(2 ** -126);
        data.forEach((value, i) => {
          const scale = scales[i % shape[1]!]!;
          expect(Math.abs(integers[i]!)).toBeLessThanOrEqual(127);
          expect(Math.abs(integers[i]! * scale - value)).toBeLessThanOrEqual(scale / 2);
          expect(Number.isFinite(Math.fround(integers[i]! * scale))).toBe(true);
          if (value === 0) expect(integers[i]).toBe(0);
        });
      }),
      settings,
    );
  });

  it("gives itself again of what comes back", () => {
    fc.assert(
      fc.property(tensors, ({ shape, data }) => {
        const once = toEightBit("k", data, shape, 1);
        const back = Float32Array.from(once.integers, (n, i) => n * once.scales[i % shape[1]!]!);
        expect(toEightBit("k", back, shape, 1)).toEqual(once);
      }),
      settings,
    );
  });

  it("of a depthwise layer has a scale for each channel and multiplier", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6, -2, 4, -6, 8, -10, 12);
    const { integers, scales } = toEightBit("k", data, [2, 1, 3, 2], 2);
    expect([...scales]).toEqual([2, 4, 6, 8, 10, 12].map((largest) => Math.fround(largest / 127)));
    expect([...integers]).toEqual([64, 64, 64, 64, 64, 64, -127, 127, -127, 127, -127, 127]);
    expect(scaleShape([2, 1, 3, 2], 2)).toEqual([1, 1, 3, 2]);
    expect(scaleShape([2, 1, 3, 2], 1)).toEqual([1, 1, 1, 2]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %s, and names it", (value) => {
    const data = Float32Array.of(0, 1, value, 2);
    expect(() => toEightBit("conv1/kernel", data, [2, 2], 1)).toThrow(
      `saveModel: tensor "conv1/kernel", element 2: expected a finite number, to make it an 8-bit integer, found ${value}. Write it as F32, or look where the number comes from.`,
    );
  });
});
