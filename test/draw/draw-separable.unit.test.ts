/** The paper's figure 2: its numbers are counted, and the formulas beside them say the same. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { drawSeparable } from "../../src/draw/index.ts";
import { conv2d, depthwise, pointwise, sequential } from "../../src/layers/index.ts";
import { contentOf, shapesOf } from "./texts.ts";

const numberOf = (text: string) => Number(text.replaceAll(",", ""));

it("has the paper's numbers", () => {
  // Howard et al. 2017, table 3: D_K = 3, M = N = 512, D_F = 14.
  const { table } = drawSeparable({ inputChannels: 512, filters: 512, size: 14 });
  expect(table.rows.map(([, formula, count]) => [formula, count])).toEqual([
    ["D_K · D_K · M · N · D_F · D_F = 3 · 3 · 512 · 512 · 14 · 14", "462,422,016"],
    ["D_K · D_K · M · D_F · D_F = 3 · 3 · 512 · 14 · 14", "903,168"],
    ["M · N · D_F · D_F = 512 · 512 · 14 · 14", "51,380,224"],
    ["", "52,283,392"],
    ["1/N + 1/D_K² = 1/512 + 1/9 = 0.1131", ""],
  ]);
});

it("counts by `cost`, and each formula's factors give its count", () => {
  const count = fc.integer({ min: 1, max: 600 });
  fc.assert(
    fc.property(
      fc.record({
        ...{ kernelSize: fc.integer({ min: 1, max: 9 }), inputChannels: count, filters: count },
        ...{ size: fc.integer({ min: 9, max: 300 }), stride: fc.integer({ min: 1, max: 4 }) },
        ...{ multiplier: fc.integer({ min: 1, max: 4 }), padding: fc.constantFrom("same" as const, "valid" as const) },
      }),
      (sizes) => {
        const { kernelSize: kernel, inputChannels, filters, size, stride, multiplier, padding } = sizes;
        const window = { kernel, stride, padding, bias: false };
        const inputShape = [size, size, inputChannels];
        const standard = cost(sequential({ inputShape }, [conv2d({ filters, ...window })]));
        const layers = [depthwise({ multiplier, ...window }), pointwise({ filters, bias: false })];
        const pair = cost(sequential({ inputShape }, layers));
        const { rows } = drawSeparable(sizes).table;
        const counts = rows.slice(0, 4).map(([, , text = ""]) => numberOf(text));
        const parts = pair.layers.map(({ multAdds }) => multAdds ?? 0);
        expect(counts).toEqual([standard.totals.multAdds, ...parts, pair.totals.multAdds]);
        for (const [index, [, formula = ""]] of rows.slice(0, 3).entries()) {
          const [letters = "", numbers = ""] = formula.split(" = ");
          const factors = numbers.split(" · ").map(numberOf);
          expect(factors.reduce((product, factor) => product * factor, 1)).toBe(counts[index]);
          // D_F is the side of the output, whatever the stride and the padding.
          const side = standard.layers[0]?.outputShape[0];
          const named = letters.split(" · ").map((letter, place) => [letter, factors[place]]);
          expect(named.slice(-2)).toEqual([
            ["D_F", side],
            ["D_F", side],
          ]);
          expect(named).toHaveLength(factors.length);
        }
        const ratio = numberOf(rows[4]?.[1]?.split(" = ").at(-1) ?? "");
        expect(Math.abs(ratio - (multiplier / filters + multiplier / kernel ** 2))).toBeLessThanOrEqual(0.000051);
      },
    ),
    { numRuns: 50 },
  );
});

describe("the picture", () => {
  const said = (picture: ReturnType<typeof drawSeparable>) =>
    shapesOf(picture)
      .filter(({ tag }) => tag === "text")
      .map(contentOf);

  it("says whose side D_F is: the output's", () => {
    expect(said(drawSeparable({ size: 14 }))).toContain("DF = 14, side of the output and of the input");
    expect(said(drawSeparable({ size: 14, stride: 2 }))).toContain("DF = 7, side of the output; side of the input: 14");
    expect(said(drawSeparable({ size: 14, padding: "valid", language: "ko" }))).toContain(
      "출력의 한 변 DF = 12; 입력의 한 변: 14",
    );
  });

  it("says how much is saved, and where nothing is", () => {
    expect(said(drawSeparable())).toContain("12.7 % of the standard convolution's: 7.89 times fewer");
    expect(said(drawSeparable({ filters: 1 }))).toContain(
      "111.1 % of the standard convolution's: here the pair saves nothing",
    );
  });

  it("has no more filters than there are, and dots for those that it leaves out", () => {
    const fronts = (picture: ReturnType<typeof drawSeparable>, look: string) =>
      shapesOf(picture).filter(({ tag, attributes }) => tag === "path" && attributes["class"] === `${look} edge`)
        .length;
    const few = drawSeparable({ inputChannels: 1, filters: 2 });
    expect(["standard", "depthwise", "pointwise"].map((look) => fronts(few, look))).toEqual([2, 1, 2]);
    expect(said(few)).not.toContain("⋯");
    const many = drawSeparable();
    expect(["standard", "depthwise", "pointwise"].map((look) => fronts(many, look))).toEqual([3, 3, 3]);
    expect(said(many).filter((text) => text === "⋯")).toHaveLength(3);
  });

  it("has bars to one scale", () => {
    const bars = shapesOf(drawSeparable()).filter(
      ({ tag, attributes }) => tag === "rect" && attributes["height"] === 16,
    );
    const [standard = 0, ...pair] = bars.map(({ attributes }) => Number(attributes["width"]));
    expect(standard).toBe(640);
    expect(Math.abs(pair.reduce((sum, width) => sum + width, 0) / standard - (1 / 64 + 1 / 9))).toBeLessThan(0.001);
  });
});

it.each<[string, object, RegExp]>([
  ["a kernel of nothing", { kernelSize: 0 }, /drawSeparable: kernelSize: expected a positive integer, found 0/],
  ["half a channel", { inputChannels: 1.5 }, /drawSeparable: inputChannels/],
  ["filters as text", { filters: "64" }, /drawSeparable: filters/],
  ["a padding that does not exist", { padding: "keras" }, /padding/],
  ["another name", { kernel: 3 }, /drawSeparable: unknown option "kernel".*kernelSize/],
])("refuses %s", (_name, options, message) => {
  expect(() => drawSeparable(options as never)).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringMatching(message) }),
  );
});

it("says where no window fits", () => {
  expect(() => drawSeparable({ kernelSize: 9, size: 3, padding: "valid" })).toThrow(
    expect.objectContaining({ code: "NETWORK_VANISHES" }),
  );
});
