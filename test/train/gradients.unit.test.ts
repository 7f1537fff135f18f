/** What the gradients refuse, and what they do with numbers that are none, ties and kinks. */

import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { tensor } from "../../src/core/tensor.ts";
import {
  addGradient,
  averagePoolGradient,
  batchNorm,
  batchNormGradient,
  conv2dGradient,
  denseGradient,
  depthwiseConv2dGradient,
  globalAveragePoolGradient,
  hardSigmoidGradient,
  hardSwishGradient,
  leakyReluGradient,
  maxPoolGradient,
  multiplyGradient,
  pointwiseConv2dGradient,
  relu6Gradient,
  reluGradient,
  softmaxCrossEntropy,
  softmaxGradient,
} from "../../src/train/gradients/index.ts";

const zeros = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const row = (...values: number[]) => tensor(values, [1, values.length]);
const classes = (...labels: number[]) => tensor(Int32Array.from(labels), [labels.length]);
const image = zeros(1, 8, 8, 3);
const statistics = { mean: zeros(3), variance: zeros(3) };

const CASES: readonly [string, () => unknown, string, string][] = [
  [
    "an upstream of another size",
    () => conv2dGradient(zeros(1, 8, 8, 4), image, zeros(3, 3, 3, 4), { stride: 2 }),
    ...(["SHAPE_MISMATCH", "conv2dGradient: upstream: expected shape [1, 4, 4, 4], found [1, 8, 8, 4]"] as const),
  ],
  ["no upstream", () => conv2dGradient(undefined as never, image, zeros(3, 3, 3, 4)), "DTYPE_MISMATCH", "upstream"],
  ["an image of rank 3", () => conv2dGradient(image, zeros(8, 8, 3), zeros(3, 3, 3, 4)), "SHAPE_MISMATCH", "leading 1"],
  ["other channels", () => conv2dGradient(image, image, zeros(3, 3, 4, 8)), "SHAPE_MISMATCH", "[3, 3, 3, 8]"],
  [
    "a kernel of rank 2",
    () => conv2dGradient(image, image, zeros(3, 3)),
    "SHAPE_MISMATCH",
    "[kh, kw, channels, filters]",
  ],
  [
    "an unknown option",
    () => conv2dGradient(image, image, zeros(3, 3, 3, 3), { strides: 2 } as never),
    ...(["OPTION_INVALID", 'Did you mean "stride"'] as const),
  ],
  [
    "options that are none",
    () => conv2dGradient(image, image, zeros(3, 3, 3, 3), null as never),
    "OPTION_INVALID",
    "options",
  ],
  [
    "stride 0",
    () => depthwiseConv2dGradient(image, image, zeros(3, 3, 3, 1), { stride: 0 }),
    "OPTION_INVALID",
    "stride",
  ],
  [
    "a bias too short",
    () => depthwiseConv2dGradient(image, image, zeros(3, 3, 3, 1), { bias: zeros(2) }),
    ...(["SHAPE_MISMATCH", "depthwiseConv2dGradient: bias"] as const),
  ],
  [
    "a kernel that does not fit",
    () => depthwiseConv2dGradient(image, image, zeros(9, 9, 3, 1), { padding: "valid" }),
    ...(["NETWORK_VANISHES", "9 × 9"] as const),
  ],
  [
    "a window for a pointwise layer",
    () => pointwiseConv2dGradient(image, image, zeros(3, 3, 3, 4)),
    "SHAPE_MISMATCH",
    "[1, 1, 3, 4]",
  ],
  [
    "a stride for a pointwise layer",
    () => pointwiseConv2dGradient(image, image, zeros(1, 1, 3, 3), { stride: 2 } as never),
    ...(["OPTION_INVALID", "stride"] as const),
  ],
  ["a dense layer of rank 4", () => denseGradient(image, image, zeros(3, 4)), "SHAPE_MISMATCH", "rank 2"],
  [
    "a dense kernel of other channels",
    () => denseGradient(zeros(1, 4), zeros(1, 4), zeros(3, 4)),
    "SHAPE_MISMATCH",
    "[4, 4]",
  ],
  [
    "an unknown activation",
    () => denseGradient(zeros(1, 2), zeros(1, 4), zeros(4, 2), { activation: "relu66" as never }),
    "OPTION_INVALID",
    "relu6",
  ],
  ["bytes", () => reluGradient(image, tensor(new Uint8Array(192), [1, 8, 8, 3])), "DTYPE_MISMATCH", "uint8"],
  [
    "an activation's upstream of another shape",
    () => relu6Gradient(zeros(192), image),
    "SHAPE_MISMATCH",
    "relu6Gradient: upstream",
  ],
  ["slope 1", () => leakyReluGradient(image, image, 1), "OPTION_INVALID", "below 1"],
  ["integers", () => softmaxGradient(image, tensor(new Int32Array(192), [1, 8, 8, 3])), "DTYPE_MISMATCH", "int32"],
  ["shapes that do not broadcast", () => addGradient(image, image, zeros(2)), "SHAPE_MISMATCH", "broadcasts"],
  ["an upstream of b's shape", () => multiplyGradient(zeros(3), image, zeros(3)), "SHAPE_MISMATCH", "[1, 8, 8, 3]"],
  ["a pool without a kernel", () => maxPoolGradient(image, image, {} as never), "OPTION_INVALID", "kernel"],
  [
    "an upstream of the input's shape",
    () => averagePoolGradient(image, image, { kernel: 2, stride: 2 }),
    "SHAPE_MISMATCH",
    "[1, 4, 4, 3]",
  ],
  [
    "keepDims of another kind",
    () => globalAveragePoolGradient(zeros(1, 3), image, { keepDims: 1 as never }),
    "OPTION_INVALID",
    "keepDims",
  ],
  ["keepDims forgotten", () => globalAveragePoolGradient(zeros(1, 1, 1, 3), image), "SHAPE_MISMATCH", "[1, 3]"],
  ["batch norm without statistics", () => batchNorm(image, {} as never), "DTYPE_MISMATCH", "mean"],
  [
    "batch norm of another length",
    () => batchNorm(image, { ...statistics, gamma: zeros(4) }),
    "SHAPE_MISMATCH",
    "gamma",
  ],
  [
    "batch norm of no parameters",
    () => batchNorm(image, null as never),
    "OPTION_INVALID",
    "{ mean, variance, gamma?, beta? }",
  ],
  ["batch norm of a row", () => batchNorm(zeros(3), statistics), "SHAPE_MISMATCH", "[batch, …, channels]"],
  ["an unknown mode", () => batchNorm(image, statistics, { mode: "test" as never }), "OPTION_INVALID", "frozen"],
  ["momentum 1", () => batchNorm(image, statistics, { momentum: 1 }), "OPTION_INVALID", "momentum"],
  ["epsilon 0", () => batchNorm(image, statistics, { epsilon: 0 }), "OPTION_INVALID", "epsilon"],
  ["one value a channel", () => batchNorm(zeros(1, 3), statistics), "SHAPE_MISMATCH", "has no variance"],
  [
    "one value a channel, backward",
    () => batchNormGradient(zeros(1, 3), zeros(1, 3), statistics),
    "SHAPE_MISMATCH",
    "frozen",
  ],
  [
    "batch norm's upstream of another shape",
    () => batchNormGradient(zeros(3), image, statistics),
    "SHAPE_MISMATCH",
    "upstream",
  ],
  [
    "a class too large",
    () => softmaxCrossEntropy(zeros(2, 3), classes(0, 3)),
    "OPTION_INVALID",
    "labels[1]: expected a class from 0 to 2, found 3",
  ],
  ["a class below 0", () => softmaxCrossEntropy(zeros(2, 3), classes(-1, 0)), "OPTION_INVALID", "found -1"],
  [
    "more labels than examples",
    () => softmaxCrossEntropy(zeros(2, 3), classes(0, 1, 2)),
    "SHAPE_MISMATCH",
    "shape [2]",
  ],
  [
    "classes as numbers",
    () => softmaxCrossEntropy(zeros(2, 3), tensor([0, 1], [2])),
    "SHAPE_MISMATCH",
    "Labels are int32 [batch]",
  ],
  [
    "one-hot integers",
    () => softmaxCrossEntropy(zeros(1, 3), tensor(new Int32Array(3), [1, 3])),
    "SHAPE_MISMATCH",
    "are float32",
  ],
  [
    "a plain list of labels",
    () => softmaxCrossEntropy(zeros(2, 3), [0, 1] as never),
    "DTYPE_MISMATCH",
    "tensor(Int32Array.from(labels)",
  ],
  ["no labels", () => softmaxCrossEntropy(zeros(2, 3), undefined as never), "DTYPE_MISMATCH", "labels"],
  [
    "shares of 2",
    () => softmaxCrossEntropy(zeros(1, 2), row(1, 1)),
    "OPTION_INVALID",
    "labels[0]: expected shares that add up to 1, found 2",
  ],
  ["shares that miss 1", () => softmaxCrossEntropy(zeros(1, 2), row(0.5, 0.502)), "OPTION_INVALID", "found 1.00"],
  ["shares below 0", () => softmaxCrossEntropy(zeros(1, 2), row(2, -1)), "OPTION_INVALID", "labels[0, 1]"],
  ["shares that are no numbers", () => softmaxCrossEntropy(zeros(1, 2), row(1, Number.NaN)), "OPTION_INVALID", "NaN"],
  ["logits of rank 3", () => softmaxCrossEntropy(zeros(1, 2, 3), classes(0)), "SHAPE_MISMATCH", "rank 2"],
  ["an empty batch", () => softmaxCrossEntropy(zeros(0, 3), classes()), "SHAPE_MISMATCH", "at least one example"],
  [
    "smoothing of 1",
    () => softmaxCrossEntropy(zeros(1, 3), classes(0), { labelSmoothing: 1 }),
    "OPTION_INVALID",
    "labelSmoothing",
  ],
  [
    "smoothing misspelt",
    () => softmaxCrossEntropy(zeros(1, 3), classes(0), { smoothing: 0.1 } as never),
    "OPTION_INVALID",
    "labelSmoothing",
  ],
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
    expect((caught as DepthwiseError).code).toBe(code);
    expect((caught as DepthwiseError).message).toContain(text);
  });
});

describe("kinks", () => {
  it("give nothing to what lies on them, but for hardSwish and leakyRelu, which have a slope there", () => {
    const ones = row(1, 1, 1, 1, 1);
    const x = row(-3, -0, 0, 3, 6);
    expect([...reluGradient(ones, x).dx.data]).toEqual([0, 0, 0, 1, 1]);
    expect([...relu6Gradient(ones, x).dx.data]).toEqual([0, 0, 0, 1, 0]);
    expect([...hardSigmoidGradient(ones, x).dx.data].map((slope) => slope > 0)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect([...hardSwishGradient(ones, x).dx.data]).toEqual([-0.5, 0.5, 0.5, 1.5, 1]);
    expect([...leakyReluGradient(ones, x, 0.25).dx.data]).toEqual([0.25, 0.25, 0.25, 1, 1]);
  });

  it("lie nowhere for NaN, which gets what is below", () => {
    const [dy, x] = [row(1), row(Number.NaN)];
    const all = [reluGradient, relu6Gradient, hardSwishGradient, hardSigmoidGradient];
    expect(all.map((gradient) => gradient(dy, x).dx.data[0])).toEqual([0, 0, 0, 0]);
    expect(leakyReluGradient(dy, x, 0.5).dx.data[0]).toBe(0.5);
  });

  it("a slope of 0 is relu's", () => {
    const x = row(-Infinity, -1, 0, 2);
    const dy = row(Infinity, 1, 1, 1);
    expect(leakyReluGradient(dy, x, 0)).toEqual(reluGradient(dy, x));
  });
});

describe("pools", () => {
  it("give all to the first of equal maxima", () => {
    const x = tensor([1, 5, 5, 2, 5, 0], [1, 2, 3, 1]);
    const { dx } = maxPoolGradient(tensor([7], [1, 1, 1, 1]), x, { kernel: [2, 3], padding: "valid" });
    expect([...dx.data]).toEqual([0, 7, 0, 0, 0, 0]);
  });

  it("of minus infinity everywhere have a first one too", () => {
    const x = tensor([-Infinity, -Infinity], [1, 1, 2, 1]);
    const { dx } = maxPoolGradient(tensor([7], [1, 1, 1, 1]), x, { kernel: [1, 2], padding: "valid" });
    expect([...dx.data]).toEqual([7, 0]);
  });

  it("take NaN for the maximum that it became", () => {
    const x = tensor([9, Number.NaN, Number.NaN, 10], [1, 1, 4, 1]);
    const { dx } = maxPoolGradient(tensor([7], [1, 1, 1, 1]), x, { kernel: [1, 4], padding: "valid" });
    expect([...dx.data]).toEqual([0, 7, 0, 0]);
  });

  it("take nothing from a window outside the image", () => {
    const padding = [
      [0, 0],
      [2, 0],
    ] as const;
    const dy = tensor([100, 10, 1, 1], [1, 1, 4, 1]);
    const x = tensor([1, 2], [1, 1, 2, 1]);
    expect([...maxPoolGradient(dy, x, { kernel: 1, padding }).dx.data]).toEqual([1, 1]);
    expect([...averagePoolGradient(dy, x, { kernel: 1, padding }).dx.data]).toEqual([1, 1]);
  });

  it("walk over the image alone, however large the window", () => {
    const x = tensor([1, 2, 3, 4], [1, 2, 2, 1]);
    const dy = tensor([4, 4, 4, 4], [1, 2, 2, 1]);
    expect([...averagePoolGradient(dy, x, { kernel: 2 ** 27 }).dx.data]).toEqual([4, 4, 4, 4]);
    expect([...maxPoolGradient(dy, x, { kernel: 2 ** 27 }).dx.data]).toEqual([0, 0, 0, 16]);
  });
});

describe("the loss", () => {
  it("of huge logits is finite, and of a class that cannot be is infinite", () => {
    const { loss, dlogits } = softmaxCrossEntropy(row(1e4, -1e4, 0), classes(1));
    expect(loss).toBe(2e4);
    expect([...dlogits.data]).toEqual([1, -1, 0]);
    const certain = softmaxCrossEntropy(row(0, -Infinity), classes(0));
    expect([certain.loss, ...certain.dlogits.data]).toEqual([0, 0, 0]);
    expect(softmaxCrossEntropy(row(0, -Infinity), classes(1)).loss).toBe(Infinity);
  });

  it("takes bytes for classes, as data sets have them", () => {
    const logits = row(1, 2, 3);
    expect(softmaxCrossEntropy(logits, tensor(Uint8Array.of(2), [1]))).toEqual(softmaxCrossEntropy(logits, classes(2)));
    expect(softmaxCrossEntropy(logits, row(0, 0, 1))).toEqual(softmaxCrossEntropy(logits, classes(2)));
    // As near to 1 as data sets and trainers take them.
    expect(softmaxCrossEntropy(logits, row(0.333, 0.333, 0.3335)).loss).toBeGreaterThan(0);
  });

  it("of one class is 0", () => {
    const { loss, dlogits } = softmaxCrossEntropy(row(3), classes(0), { labelSmoothing: 0.1 });
    expect([loss, ...dlogits.data]).toEqual([0, 0]);
  });
});

describe("batch norm", () => {
  const x = tensor([1, 2, 3, 6], [2, 2]);
  const parameters = { mean: tensor([0, 1], [2]), variance: tensor([1, 2], [2]) };

  it("moves its statistics by momentum 0.9 if none is given, and leaves those it was handed", () => {
    const step = batchNorm(x, parameters);
    expect([...step.batchMean!.data, ...step.batchVariance!.data]).toEqual([2, 4, 1, 4]);
    const expected = [0.2, 1.3, 1, 2.2].map(Math.fround);
    expect([...step.movingMean.data, ...step.movingVarianceBiased.data]).toEqual(expected);
    expect([...step.movingVarianceUnbiased.data]).toEqual([1.1, 2.6].map(Math.fround));
    expect([...parameters.mean.data, ...parameters.variance.data]).toEqual([0, 1, 1, 2]);
  });

  it("frozen takes one value a channel, and gives the statistics back, copied", () => {
    const step = batchNorm(row(1, 2), parameters, { mode: "frozen" });
    expect(step.movingMean).toEqual(parameters.mean);
    expect(step.movingMean.data).not.toBe(parameters.mean.data);
    expect(step).not.toHaveProperty("batchMean");
  });

  it("keeps what a large mean has in excess", () => {
    const large = tensor([4096, 4097, 4098, 4099], [4, 1]);
    const one = { mean: zeros(1), variance: zeros(1) };
    expect(batchNorm(large, one).batchVariance!.data[0]).toBe(1.25);
  });
});

describe("all", () => {
  it("let NaN flow, and leave what they read as it was", () => {
    const x = tensor([Number.NaN, 1, -1], [1, 1, 1, 3]);
    const w = tensor([1, 2, 3], [1, 1, 3, 1]);
    const dy = tensor([2], [1, 1, 1, 1]);
    const { dx, dw } = conv2dGradient(dy, x, w);
    expect([...dx.data, ...dw.data]).toEqual([2, 4, 6, Number.NaN, 2, -2]);
    expect([...x.data, ...w.data, ...dy.data]).toEqual([Number.NaN, 1, -1, 1, 2, 3, 2]);
  });

  it("take an empty batch", () => {
    const { dx, dw, db } = conv2dGradient(zeros(0, 4, 4, 2), zeros(0, 4, 4, 3), zeros(3, 3, 3, 2), { bias: zeros(2) });
    expect([dx.data.length, dw.data.length, db!.data.length]).toEqual([0, 54, 2]);
    expect(softmaxGradient(zeros(2, 0), zeros(2, 0)).dx.shape).toEqual([2, 0]);
  });
});
