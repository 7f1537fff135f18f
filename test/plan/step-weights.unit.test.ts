/** The numbers of a step: batch norm folded into the kernel and the bias before it, by hand. */

import { describe, expect, it } from "vitest";
import { InternalError } from "../../src/core/errors.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { foldedWeights, stepWeights, type WeightNames } from "../../src/plan/step-weights.ts";

const vector = (...numbers: number[]) => tensor(Float32Array.from(numbers), [numbers.length]) as FloatTensor;
const parameters = new Map([
  ["k", vector(1, 2, 3, 4, 5, 6)],
  ["b", vector(1, -1)],
  ["gamma", vector(2, 3)],
  ["beta", vector(10, 20)],
  ["mean", vector(4, 8)],
  ["variance", vector(3, 15)],
]);
/** √(3 + 1) = 2 and √(15 + 1) = 4. */
const statistics = { mean: "mean", variance: "variance", epsilon: 1 };

describe("the weights of a step", () => {
  it.each<[string, WeightNames, scale: number[] | undefined, bias: number[] | undefined]>([
    ["a kernel alone", { kernel: "k" }, undefined, undefined],
    ["a kernel and a bias", { kernel: "k", bias: "b" }, undefined, [1, -1]],
    ["statistics alone", { kernel: "k", batchNorm: statistics }, [1 / 2, 1 / 4], [-2, -2]],
    ["gamma", { kernel: "k", batchNorm: { ...statistics, gamma: "gamma" } }, [1, 3 / 4], [-4, -6]],
    ["beta", { kernel: "k", batchNorm: { ...statistics, beta: "beta" } }, [1 / 2, 1 / 4], [8, 18]],
    // The bias is there before the batch norm, and is scaled with the rest.
    [
      "all of them",
      { kernel: "k", bias: "b", batchNorm: { ...statistics, gamma: "gamma", beta: "beta" } },
      [1, 3 / 4],
      [10 + (1 - 4) * 1, 20 + (-1 - 8) * (3 / 4)],
    ],
  ])("of %s", (_, names, scale, bias) => {
    const weights = stepWeights(parameters, names);
    expect(weights.kernel).toBe(parameters.get("k")?.data);
    expect(weights.scale && [...weights.scale]).toEqual(scale);
    expect(weights.bias && [...weights.bias]).toEqual(bias);
    expect(Object.keys(weights).sort()).toEqual(
      ["kernel", ...(scale ? ["scale"] : []), ...(bias ? ["bias"] : [])].sort(),
    );
    // The scale is of the output channels, the last axis.
    const [kernel, shift] = foldedWeights(weights);
    expect([...(kernel ?? [])]).toEqual([1, 2, 3, 4, 5, 6].map((value, i) => value * (scale?.[i % 2] ?? 1)));
    expect(shift && [...shift]).toEqual(bias);
    expect(kernel).not.toBe(weights.kernel);
  });

  it("of a batch norm alone are its scale and its shift", () => {
    const { kernel, bias, scale } = stepWeights(parameters, {
      batchNorm: { ...statistics, gamma: "gamma", beta: "beta" },
    });
    expect([[...kernel], bias && [...bias], scale]).toEqual([[1, 3 / 4], [6, 14], undefined]);
  });

  it("folded are nobody else's arrays", () => {
    const [kernel, bias] = foldedWeights(stepWeights(parameters, { kernel: "k", bias: "b" }));
    expect([kernel, bias]).toEqual([parameters.get("k")?.data, parameters.get("b")?.data]);
    expect(kernel).not.toBe(parameters.get("k")?.data);
    expect(bias).not.toBe(parameters.get("b")?.data);
  });

  it("that were taken away since they were checked are refused by name", () => {
    const gone = vector(1, 2);
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer] });
    const read = () => stepWeights(new Map([...parameters, ["b", gone]]), { kernel: "k", bias: "b" });
    const message = expect.stringMatching(
      /^compile: "b" was taken away before it was read: expected 2 numbers.*a copy/,
    );
    const fields = { problems: [expect.stringContaining("transferred")] };
    expect(read).toThrow(expect.objectContaining({ code: "PARAMETERS_MISMATCH", message, fields }));
  });

  it.each<[string, WeightNames]>([
    ["the kernel", { kernel: "missing" }],
    ["the mean", { kernel: "k", batchNorm: { ...statistics, mean: "missing" } }],
    ["the variance", { batchNorm: { ...statistics, variance: "missing" } }],
  ])("without %s are a fault of ours", (_, names) => {
    expect(() => stepWeights(parameters, names)).toThrow(InternalError);
  });
});
