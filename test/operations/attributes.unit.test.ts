/** Attributes as an operation completes them, and what it refuses: bad attributes, and shapes that do not fit. */

import { describe, expect, it } from "vitest";
import { type NodeType, operationOf } from "../../src/operations/table.ts";

type Attributes = Readonly<Record<string, unknown>>;

const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: "same" };

describe("what is left out has its default", () => {
  it.each<[NodeType, Attributes, Attributes]>([
    ["conv2d", { kernel: 3, filters: 2 }, { ...window, filters: 2, bias: true }],
    ["depthwiseConv2d", { kernel: 3 }, { ...window, multiplier: 1, bias: true }],
    ["pointwiseConv2d", { filters: 2 }, { filters: 2, bias: true }],
    ["dense", { filters: 2 }, { filters: 2, bias: true }],
    ["batchNorm", {}, { epsilon: 1e-3, scale: true, center: true }],
    ["activation", { function: "relu" }, { function: "relu" }],
    ["activation", { function: "leakyRelu" }, { function: "leakyRelu", slope: 0.01 }],
    ["globalAveragePool", {}, { keepDims: false }],
    ["globalMaxPool", {}, { keepDims: false }],
    ["averagePool", { kernel: 3 }, window],
    ["maxPool", { kernel: 3 }, window],
    ["reshape", { shape: [] }, { shape: [] }],
    ["reshape", { shape: [1, 2, 3, 4, 5, 6, 7, 8] }, { shape: [1, 2, 3, 4, 5, 6, 7, 8] }],
    ["dropout", { rate: 0 }, { rate: 0 }],
    ...(["add", "multiply", "softmax", "flatten"] as const).map(
      (type) => [type, {}, {}] satisfies [NodeType, Attributes, Attributes],
    ),
  ])("%s of %j is %j", (type, given, complete) => {
    expect(operationOf(type).check("layer", given)).toEqual(complete);
  });
});

describe("an attribute that cannot be is refused by its name", () => {
  it.each<[NodeType, string, unknown, Attributes?]>([
    ["conv2d", "kernel", 0, { filters: 2 }],
    ["conv2d", "filters", undefined, { kernel: 3 }],
    ["conv2d", "bias", "yes", { kernel: 3, filters: 2 }],
    ...["1", 0, -1, 1.5, 2 ** 53].map(
      (value) =>
        ["depthwiseConv2d", "multiplier", value, { kernel: 3 }] satisfies [NodeType, string, unknown, Attributes],
    ),
    ["depthwiseConv2d", "bias", 1, { kernel: 3 }],
    ["pointwiseConv2d", "filters", 0],
    ["pointwiseConv2d", "bias", 0, { filters: 1 }],
    ["dense", "filters", 1.5],
    ["dense", "bias", 0, { filters: 1 }],
    ["batchNorm", "epsilon", 0],
    ["batchNorm", "scale", 1],
    ["batchNorm", "center", 1],
    ["activation", "function", "relu7"],
    ["activation", "slope", 1, { function: "leakyRelu" }],
    ["globalMaxPool", "keepDims", 1],
    ["averagePool", "stride", 0, { kernel: 3 }],
    ...["6", [0, 2], [-1, 2], [1.5, 2], ["1", 2], [2 ** 53], Array(9).fill(1)].map(
      (value) => ["reshape", "shape", value] satisfies [NodeType, string, unknown],
    ),
    ["dropout", "rate", 1],
  ])("%s: %s %j", (type, option, value, others = {}) => {
    const fields = { owner: "layer", option, found: value };
    const refusal = expect.objectContaining({ code: "OPTION_INVALID", fields });
    expect(() => operationOf(type).check("layer", { ...others, [option]: value })).toThrow(refusal);
  });

  it("activation: a slope of a function that has none", () => {
    const refusal = expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringContaining("slope") });
    expect(() => operationOf("activation").check("layer", { function: "relu", slope: 0.1 })).toThrow(refusal);
  });
});

describe("a shape that does not fit is refused, with what to do", () => {
  it.each<[NodeType, Attributes, readonly (readonly number[])[], RegExp]>([
    ["conv2d", { kernel: 3, filters: 2 }, [[4, 6, 3]], /add a leading 1 to its shape/],
    ["globalMaxPool", {}, [[2, 4, 6, 3, 1]], /add a leading 1 to its shape/],
    ["dense", { filters: 2 }, [[2, 4, 6, 3]], /Reshape it first\.$/],
    ["reshape", { shape: [4, 17] }, [[2, 4, 6, 3]], /68 elements an example for \[4, 17\], found \[2, 4, 6, 3\]/],
    ["add", {}, [[2, 3], [2]], /second input.*broadcasts to \[2, 3\].*found \[2\]/],
    // A view of one's own size is not read out of bounds: no more axes than the first has, and none of its own.
    ["add", {}, [[3], [2, 3]], /second input/],
    ["add", {}, [[3], [3, 1]], /second input/],
    ["add", {}, [[1, 2, 3, 4, 5], [1]], /at most 4 axes/],
    ["multiply", {}, [[], []], /second input/],
  ])("%s of %j on %j", (type, given, inputs, said) => {
    const operation = operationOf(type);
    const refusal = { code: "SHAPE_MISMATCH", message: expect.stringMatching(said) };
    const fields = expect.objectContaining({ owner: "layer" });
    expect(() => operation.outputShape("layer", operation.check("layer", given), inputs)).toThrow(
      expect.objectContaining({ ...refusal, fields }),
    );
  });
});

describe("parameters", () => {
  const namesOf = (type: NodeType, attributes: Attributes) => {
    const operation = operationOf(type);
    return operation.parameters(operation.check("layer", attributes), [2, 4, 6, 3]).map(({ name }) => name);
  };

  it("that an attribute takes away are not there", () => {
    expect(namesOf("conv2d", { kernel: 3, filters: 2, bias: false })).toEqual(["kernel"]);
    expect(namesOf("depthwiseConv2d", { kernel: 3, bias: false })).toEqual(["depthwise_kernel"]);
    expect(namesOf("batchNorm", { scale: false })).toEqual(["beta", "moving_mean", "moving_variance"]);
    expect(namesOf("batchNorm", { center: false })).toEqual(["gamma", "moving_mean", "moving_variance"]);
  });
});
