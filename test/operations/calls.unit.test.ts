/** What each operation asks of a kernel, as data: the family, and its geometry for one example. */

import { expect, it } from "vitest";
import type { KernelCall } from "../../src/operations/kernel-call.ts";
import { isView, NODE_TYPES, type NodeType, operationOf } from "../../src/operations/table.ts";

const IMAGES = [2, 4, 6, 3];
const window = {
  kernel: [3, 2],
  stride: [2, 1],
  dilation: [1, 2],
  input: [4, 6],
  output: [2, 6],
  padding: [
    [0, 1],
    [1, 1],
  ],
} as const;
const { kernel, stride, dilation } = window;

type Row = readonly [NodeType, object, inputs: readonly (readonly number[])[], KernelCall];

const ROWS: readonly Row[] = [
  [
    "conv2d",
    { kernel, stride, dilation, filters: 5 },
    [IMAGES],
    { kernel: "conv2d", window, inChannels: 3, outChannels: 5, activation: "linear" },
  ],
  [
    "depthwiseConv2d",
    { kernel, stride, dilation, multiplier: 2 },
    [IMAGES],
    { kernel: "depthwiseConv2d", window, channels: 3, multiplier: 2, activation: "linear" },
  ],
  [
    "pointwiseConv2d",
    { filters: 5 },
    [IMAGES],
    { kernel: "pointwiseConv2d", pixels: 24, inChannels: 3, outChannels: 5, activation: "linear" },
  ],
  [
    "dense",
    { filters: 5 },
    [[2, 7]],
    { kernel: "pointwiseConv2d", pixels: 1, inChannels: 7, outChannels: 5, activation: "linear" },
  ],
  ["batchNorm", {}, [IMAGES], { kernel: "scaleShift", pixels: 24, channels: 3, activation: "linear" }],
  ["activation", { function: "hardSwish" }, [IMAGES], { kernel: "activation", elements: 72, activation: "hardSwish" }],
  [
    "activation",
    { function: "leakyRelu", slope: 0.3 },
    [IMAGES],
    { kernel: "activation", elements: 72, activation: "leakyRelu", slope: Math.fround(0.3) },
  ],
  // Slope 0 is a ReLU, and so is one that no float32 is near.
  ...[0, 1e-60].map((slope): Row => {
    const call = { kernel: "activation", elements: 72, activation: "relu" } as const;
    return ["activation", { function: "leakyRelu", slope }, [IMAGES], call];
  }),
  ["softmax", {}, [IMAGES], { kernel: "softmax", rows: 24, channels: 3 }],
  ["globalAveragePool", {}, [IMAGES], { kernel: "globalAveragePool", pixels: 24, channels: 3 }],
  ["globalMaxPool", {}, [IMAGES], { kernel: "globalMaxPool", pixels: 24, channels: 3 }],
  ["averagePool", { kernel, stride, dilation }, [IMAGES], { kernel: "averagePool", window, channels: 3 }],
  ["maxPool", { kernel, stride, dilation }, [IMAGES], { kernel: "maxPool", window, channels: 3 }],
  ["add", {}, [IMAGES, IMAGES], elementwise("add", [4, 6, 3], [18, 3, 1], 72)],
  ["multiply", {}, [IMAGES, IMAGES], elementwise("multiply", [4, 6, 3], [18, 3, 1], 72)],
  // Squeeze and excite: a factor for each channel of each image.
  ["multiply", {}, [IMAGES, [2, 1, 1, 3]], elementwise("multiply", [4, 6, 3], [0, 0, 1], 3)],
  ["multiply", {}, [IMAGES, [2, 1, 6, 1]], elementwise("multiply", [4, 6, 3], [0, 1, 0], 6)],
  ["add", {}, [IMAGES, [2, 4, 1, 1]], elementwise("add", [4, 6, 3], [1, 0, 0], 4)],
  // One that serves all images: of less rank, or of a batch of one.
  ["add", {}, [IMAGES, [6, 3]], elementwise("add", [4, 6, 3], [0, 3, 1], 0)],
  ["add", {}, [IMAGES, [1, 4, 6, 3]], elementwise("add", [4, 6, 3], [18, 3, 1], 0)],
  ["add", {}, [[1, 4, 6, 3], [3]], elementwise("add", [4, 6, 3], [0, 0, 1], 3)],
  [
    "add",
    {},
    [
      [2, 5],
      [2, 5],
    ],
    elementwise("add", [1, 1, 5], [0, 0, 1], 5),
  ],
  ["add", {}, [[5], [1]], elementwise("add", [1, 1, 1], [0, 0, 0], 0)],
];

function elementwise(
  family: "add" | "multiply",
  shape: readonly [number, number, number],
  strides: readonly [number, number, number],
  exampleStride: number,
): KernelCall {
  return { kernel: family, shape, strides, exampleStride, activation: "linear" };
}

it.each(ROWS)("%s of %j on %j", (type, attributes, inputs, expected) => {
  const operation = operationOf(type);
  if (operation.isView) throw new Error(`${type} is a view.`);
  const checked = operation.check(type, attributes as Readonly<Record<string, unknown>>);
  expect(operation.call(type, checked, inputs, operation.outputShape(type, checked, inputs))).toEqual(expected);
});

it("there is a row for each operation that is computed", () => {
  const computed = NODE_TYPES.filter((type) => !isView(type));
  expect(computed).toEqual(NODE_TYPES.filter((type) => !operationOf(type).isView));
  expect([...new Set(ROWS.map(([type]) => type))].sort()).toEqual([...computed].sort());
});
