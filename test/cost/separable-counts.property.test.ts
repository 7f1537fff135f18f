/** A standard convolution and the pair in its place: by formula, by layers, and what is no size. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { separableCounts } from "../../src/cost/index.ts";

const few = fc.integer({ min: 1, max: 40 });
const sizes = fc.record({
  ...{ kernelSize: fc.integer({ min: 1, max: 9 }), inputChannels: few, filters: few },
  ...{ size: fc.integer({ min: 9, max: 60 }), stride: fc.integer({ min: 1, max: 4 }) },
  ...{ multiplier: fc.integer({ min: 1, max: 4 }), padding: fc.constantFrom("same" as const, "valid" as const) },
});

it("holds the paper's formulas, with D_F the side of the output", () => {
  fc.assert(
    fc.property(sizes, (given) => {
      const { kernelSize: dk, inputChannels: m, filters: n, size, stride, padding, multiplier } = given;
      const df = padding === "same" ? Math.ceil(size / stride) : Math.ceil((size - dk + 1) / stride);
      const [depthwise, pointwise] = [dk ** 2 * m * multiplier * df ** 2, m * multiplier * n * df ** 2];
      const standard = dk ** 2 * m * n * df ** 2;
      const pair = depthwise + pointwise;
      expect(separableCounts(given)).toEqual({
        ...{ ...given, outputSize: df, standard, depthwise, pointwise, pair, ratio: pair / standard },
      });
    }),
  );
});

it("left out are the sizes of the paper's block 1", () => {
  const counted = separableCounts();
  expect(counted).toEqual(separableCounts({ kernelSize: 3, inputChannels: 32, filters: 64, size: 112, stride: 1 }));
  expect([counted.padding, counted.multiplier, counted.depthwise, counted.pointwise]).toEqual([
    ...["same", 1, 3_612_672, 25_690_112],
  ]);
});

it.each([
  [{ kernelSize: 0 }, "OPTION_INVALID", /^separableCounts: kernelSize: expected a positive integer, found 0/],
  [{ multiplier: 1.5 }, "OPTION_INVALID", /^separableCounts: multiplier: /],
  [{ padding: "keras" }, "OPTION_INVALID", /padding/],
  [{ kernel: 3 }, "OPTION_INVALID", /^separableCounts: unknown option "kernel".*kernelSize/],
  [{ kernelSize: 9, size: 3, padding: "valid" }, "NETWORK_VANISHES", /./],
])("refuses %j", (options, code, message) => {
  expect(() => separableCounts(options as never)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});
