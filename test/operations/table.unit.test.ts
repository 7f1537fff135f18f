/** What each operation is, as data: whether it is a view, what it takes in, what it gives, counts and has to learn. */

import { describe, expect, it } from "vitest";
import { NODE_TYPES, type NodeType, operationOf } from "../../src/operations/table.ts";

interface Row {
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** With the batch; default two images of 4 × 6 with 3 channels. */
  readonly inputs?: readonly (readonly number[])[];
  readonly isView?: true;
  readonly fuses?: readonly string[];
  readonly output: readonly number[];
  /** Counted by hand, beside each. */
  readonly multAdds?: number;
  /** Name, role, shape, and `moving` where no gradient changes it. */
  readonly parameters?: readonly string[];
}

const IMAGES = [2, 4, 6, 3];
const both = ["batchNorm", "activation"];

const TABLE: Readonly<Record<NodeType, Row>> = {
  conv2d: {
    attributes: { kernel: 3, filters: 5, stride: 2 },
    fuses: both,
    output: [2, 2, 3, 5],
    multAdds: 3 * 3 * 3 * 5 * 2 * 3 * 2,
    parameters: ["kernel kernel 3,3,3,5", "bias bias 5"],
  },
  depthwiseConv2d: {
    attributes: { kernel: 3, multiplier: 2 },
    fuses: both,
    output: [2, 4, 6, 6],
    multAdds: 3 * 3 * 6 * 4 * 6 * 2,
    parameters: ["depthwise_kernel kernel 3,3,3,2", "bias bias 6"],
  },
  pointwiseConv2d: {
    attributes: { filters: 5 },
    fuses: both,
    output: [2, 4, 6, 5],
    multAdds: 3 * 5 * 4 * 6 * 2,
    parameters: ["kernel kernel 1,1,3,5", "bias bias 5"],
  },
  dense: {
    attributes: { filters: 6 },
    inputs: [[2, 72]],
    fuses: both,
    output: [2, 6],
    multAdds: 72 * 6 * 2,
    parameters: ["kernel kernel 72,6", "bias bias 6"],
  },
  batchNorm: {
    fuses: ["activation"],
    output: IMAGES,
    parameters: ["gamma gamma 3", "beta beta 3", "moving_mean mean 3 moving", "moving_variance variance 3 moving"],
  },
  activation: { attributes: { function: "relu6" }, output: IMAGES },
  softmax: { output: IMAGES },
  globalAveragePool: { output: [2, 3] },
  globalMaxPool: { output: [2, 3] },
  averagePool: { attributes: { kernel: 2, stride: 2 }, output: [2, 2, 3, 3] },
  maxPool: { attributes: { kernel: 2, stride: 2 }, output: [2, 2, 3, 3] },
  add: { inputs: [IMAGES, IMAGES], fuses: ["activation"], output: IMAGES },
  multiply: { inputs: [IMAGES, IMAGES], fuses: ["activation"], output: IMAGES },
  reshape: { attributes: { shape: [4, 18] }, isView: true, output: [2, 4, 18] },
  flatten: { isView: true, output: [2, 72] },
  dropout: { attributes: { rate: 0.5 }, isView: true, output: IMAGES },
};

describe("an operation", () => {
  it.each(NODE_TYPES)("%s is what its row says", (type) => {
    const row = TABLE[type];
    const { attributes = {}, inputs = [IMAGES] } = row;
    const operation = operationOf(type);
    const checked = operation.check(type, attributes);
    const output = operation.outputShape(type, checked, inputs);
    const rules = operation.parameters(checked, inputs[0] ?? []);
    const parameters = rules.map(({ name, role, shape, trainable }) =>
      [name, role, shape.join(), ...(trainable ? [] : ["moving"])].join(" "),
    );
    expect({
      isView: operation.isView,
      fuses: operation.fuses,
      output,
      multAdds: operation.multAdds(checked, inputs[0] ?? [], output),
      parameters,
    }).toEqual({
      isView: row.isView ?? false,
      fuses: row.fuses ?? [],
      output: row.output,
      multAdds: row.multAdds ?? 0,
      parameters: row.parameters ?? [],
    });
  });

  it.each(NODE_TYPES)("%s refuses inputs of another number", (type) => {
    const { attributes = {}, inputs = [IMAGES] } = TABLE[type];
    const operation = operationOf(type);
    const checked = operation.check(type, attributes);
    for (const wrong of [[], [...inputs, IMAGES]]) {
      expect(() => operation.outputShape("layer", checked, wrong)).toThrow(
        expect.objectContaining({ code: "NETWORK_INVALID" }),
      );
    }
  });
});
