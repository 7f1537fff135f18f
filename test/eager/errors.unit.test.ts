import { describe, expect, it } from "vitest";
import {
  add,
  batchNorm,
  conv2d,
  DepthwiseError,
  dense,
  depthwiseConv2d,
  isDepthwiseError,
  leakyRelu,
  maxPool,
  pointwiseConv2d,
  softmax,
  tensor,
} from "../../src/index.ts";

const zeros = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const image = zeros(1, 8, 8, 3);

const CASES: readonly [string, () => unknown, string, string][] = [
  ["conv2d of rank 3", () => conv2d(zeros(8, 8, 3), zeros(3, 3, 3, 4)), "SHAPE_MISMATCH", "add a leading 1"],
  ["conv2d of other channels", () => conv2d(image, zeros(3, 3, 4, 8)), "SHAPE_MISMATCH", "[3, 3, 3, 8]"],
  ["conv2d of a kernel of rank 2", () => conv2d(image, zeros(3, 3)), "SHAPE_MISMATCH", "[kh, kw, channels, filters]"],
  [
    "conv2d with a bias too short",
    () => conv2d(image, zeros(3, 3, 3, 4), { bias: zeros(3) }),
    "SHAPE_MISMATCH",
    "bias",
  ],
  ["conv2d with stride 0", () => conv2d(image, zeros(3, 3, 3, 4), { stride: 0 }), "OPTION_INVALID", "stride"],
  [
    "conv2d with a stride of three numbers",
    () => conv2d(image, zeros(3, 3, 3, 4), { stride: [1, 1, 1] as never }),
    "OPTION_INVALID",
    "[vertical, horizontal]",
  ],
  [
    "conv2d with a fractional dilation",
    () => conv2d(image, zeros(3, 3, 3, 4), { dilation: 1.5 }),
    "OPTION_INVALID",
    "dilation",
  ],
  [
    "conv2d with padding SAME",
    () => conv2d(image, zeros(3, 3, 3, 4), { padding: "SAME" as never }),
    "OPTION_INVALID",
    '"same"',
  ],
  [
    "conv2d with a negative pad",
    () =>
      conv2d(image, zeros(3, 3, 3, 4), {
        padding: [
          [-1, 0],
          [0, 0],
        ],
      }),
    "OPTION_INVALID",
    "padding",
  ],
  [
    "conv2d with an unknown option",
    () => conv2d(image, zeros(3, 3, 3, 4), { strides: 2 } as never),
    "OPTION_INVALID",
    'Did you mean "stride"',
  ],
  [
    "conv2d with an unknown activation",
    () => conv2d(image, zeros(3, 3, 3, 4), { activation: "relu66" as never }),
    "OPTION_INVALID",
    "relu6",
  ],
  [
    "conv2d whose kernel does not fit",
    () => conv2d(image, zeros(9, 9, 3, 4), { padding: "valid" }),
    "NETWORK_VANISHES",
    "9 × 9",
  ],
  [
    "conv2d of bytes",
    () => conv2d(tensor(new Uint8Array(192), [1, 8, 8, 3]), zeros(3, 3, 3, 4)),
    "DTYPE_MISMATCH",
    "uint8",
  ],
  ["conv2d of nothing", () => conv2d(undefined as never, zeros(3, 3, 3, 4)), "DTYPE_MISMATCH", "tensor(data, shape)"],
  [
    "depthwiseConv2d of other channels",
    () => depthwiseConv2d(image, zeros(3, 3, 2, 1)),
    "SHAPE_MISMATCH",
    "[3, 3, 3, 1]",
  ],
  ["pointwiseConv2d with a window", () => pointwiseConv2d(image, zeros(3, 3, 3, 4)), "SHAPE_MISMATCH", "[1, 1, 3, 4]"],
  ["dense of rank 4", () => dense(image, zeros(3, 4)), "SHAPE_MISMATCH", "rank 2"],
  ["dense of other channels", () => dense(zeros(1, 4), zeros(3, 4)), "SHAPE_MISMATCH", "[4, 4]"],
  ["batchNorm without statistics", () => batchNorm(image, {} as never), "DTYPE_MISMATCH", "mean"],
  [
    "batchNorm of another length",
    () => batchNorm(image, { mean: zeros(4), variance: zeros(3) }),
    "SHAPE_MISMATCH",
    "mean",
  ],
  ["maxPool without a kernel", () => maxPool(image, {} as never), "OPTION_INVALID", "kernel"],
  ["add of shapes that do not broadcast", () => add(image, zeros(2)), "SHAPE_MISMATCH", "broadcasts"],
  ["leakyRelu of slope 1", () => leakyRelu(image, 1), "OPTION_INVALID", "below 1"],
  ["leakyRelu of a negative slope", () => leakyRelu(image, -0.1), "OPTION_INVALID", "at least 0"],
  ["leakyRelu of a slope that is no number", () => leakyRelu(image, Number.NaN), "OPTION_INVALID", "slope"],
  [
    "conv2d with leakyRelu, which has a slope and is called apart",
    () => conv2d(image, zeros(3, 3, 3, 4), { activation: "leakyRelu" as never }),
    "OPTION_INVALID",
    "relu6",
  ],
  ["softmax of integers", () => softmax(tensor(new Int32Array(3), [1, 3])), "DTYPE_MISMATCH", "int32"],
  ["tensor of another count", () => tensor([1, 2, 3], [2, 2]), "SHAPE_MISMATCH", "4 elements"],
  ["tensor of a negative side", () => tensor([], [-1]), "OPTION_INVALID", "non-negative"],
  ["tensor of doubles", () => tensor(new Float64Array(1) as never, [1]), "DTYPE_MISMATCH", "Float64Array"],
];

describe("bad input", () => {
  it.each(CASES)("%s is refused", (_name, call, code, text) => {
    let caught: unknown;
    try {
      call();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(DepthwiseError);
    expect(isDepthwiseError(caught)).toBe(true);
    expect((caught as DepthwiseError).code).toBe(code);
    expect((caught as DepthwiseError).message).toContain(text);
  });

  it("is not what NaN is: it flows through", () => {
    const x = tensor([Number.NaN, 1, -1], [1, 1, 1, 3]);
    expect([...conv2d(x, zeros(1, 1, 3, 1), { activation: "relu6" }).data]).toEqual([Number.NaN]);
    expect([...maxPool(x, { kernel: 1 }).data]).toEqual([Number.NaN, 1, -1]);
  });
});
