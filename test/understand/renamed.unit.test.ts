/** Stored tensors under our names: what is left out, what stands twice, and what decoding them is charged. */

import { describe, expect, it } from "vitest";
import { DTYPE_BYTES, type StoredDType, type StoredTensor } from "../../src/formats/stored-tensor.ts";
import type { WeightLayout } from "../../src/formats/transpose.ts";
import type { DecodedBudget } from "../../src/sources/decoded-budget.ts";
import { type Rename, renamed } from "../../src/understand/renamed.ts";

const stored = (name: string, shape: readonly number[], dtype: StoredDType = "F32"): StoredTensor => {
  const count = shape.reduce((product, side) => product * side, 1);
  return { name, dtype, shape, bytes: new Uint8Array(DTYPE_BYTES[dtype] * count) };
};
/** The parameters, and what was charged for them. */
function taken(tensors: readonly StoredTensor[], rename: Rename) {
  const charged: [string, number, string][] = [];
  const budget = { charge: (...all: [string, number, string]) => void charged.push(all) } as Partial<DecodedBudget>;
  const content = { tensors: new Map(tensors.map((one) => [one.name, one])) };
  return { parameters: renamed(content, rename, "a.bin", budget as DecodedBudget), charged };
}
const as = (name: string, layout: WeightLayout) => ({ name, layout });

describe("stored tensors", () => {
  it("have our names and layouts; one that is not known keeps its own, one that is not needed is left out", () => {
    const { parameters } = taken([stored("k", [4, 3, 2, 2]), stored("x", [5]), stored("step", [])], (name) =>
      name === "k" ? as("conv1/kernel", "oihw") : name === "step" ? "ignored" : undefined,
    );
    expect([...parameters].map(([name, { shape }]) => [name, shape])).toEqual([
      ["conv1/kernel", [2, 2, 3, 4]],
      ["x", [5]],
    ]);
  });

  it("are charged four bytes a number where they are decoded or laid out anew, nothing where they are a view", () => {
    const { charged } = taken(
      [stored("view", [2, 3]), stored("turned", [2, 3]), stored("half", [2, 3], "F16"), stored("byte", [6], "U8")],
      (name) => as(`our ${name}`, name === "turned" ? "linear" : "as-is"),
    );
    expect(charged).toEqual([
      ["a.bin", 0, 'tensor "view"'],
      ["a.bin", 24, 'tensor "turned"'],
      ["a.bin", 24, 'tensor "half"'],
      ["a.bin", 24, 'tensor "byte"'],
    ]);
  });

  it("of one name of ours are refused", () => {
    const both = () => taken([stored("a", [1]), stored("b", [1])], () => as("conv1/bias", "as-is"));
    expect(both).toThrow(
      expect.objectContaining({
        code: "FILE_CORRUPT",
        message: expect.stringContaining(
          'a.bin: tensors "a" and "b": expected different layers, found "conv1/bias" twice. Leave one of them out.',
        ),
      }),
    );
    expect(() =>
      taken([stored("a", [1]), stored("b", [1])], (name) => (name === "a" ? as("b", "as-is") : undefined)),
    ).toThrow('found "b" twice');
  });
});
