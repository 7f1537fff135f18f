/**
 * What the project promises, as data: one row a promise. `nodes` are the major versions it is given for, `at` the path
 * to the measured value in `results/<first part>-node<major>.json`; a value is a number or `{ median, least, most }`.
 * `most` and `least` bound its median; a bound may itself be a path to a measured number.
 */

const race = (model, ratio) => ["race", "models", model, "ratios", ratio];
const BOTH = [20, 24];

export const BARS = [
  {
    row: "pointwise, 13 layers, share of the relaxed limit",
    nodes: [24],
    at: ["pointwise", "variants", "depthwise-relaxed", "share"],
    least: 0.9,
  },
  {
    row: "pointwise, 13 layers, plain SIMD, share of the plain limit",
    nodes: [24],
    at: ["pointwise", "variants", "depthwise-simd", "share"],
    least: 0.88,
  },
  {
    row: "pointwise, 13 layers, plain SIMD, share of the plain limit",
    nodes: [20],
    at: ["pointwise", "variants", "depthwise-simd", "share"],
    least: 0.68,
  },
  {
    row: "1.0-224, 1 thread, share of the limit",
    nodes: [24],
    at: ["race", "models", "1.0-224", "contenders", "depthwise:1", "share"],
    least: 0.83,
  },
  {
    row: "1.0-224, 1 thread, share of the limit",
    nodes: [20],
    at: ["race", "models", "1.0-224", "contenders", "depthwise:1", "share"],
  },
  { row: "1.0-224, 1 thread, over litert", nodes: [24], at: race("1.0-224", "depthwise:1 / litert:1"), most: 0.72 },
  {
    row: "1.0-224, 1 thread, over onnxruntime-web",
    nodes: [24],
    at: race("1.0-224", "depthwise:1 / onnxruntime-web:1"),
    most: 0.46,
  },
  {
    row: "1.0-224, 1 thread, over tfjs-wasm",
    nodes: [24],
    at: race("1.0-224", "depthwise:1 / tfjs-wasm:1"),
    most: 0.57,
  },
  { row: "1.0-224, 2 threads, over litert", nodes: [24], at: race("1.0-224", "depthwise:2 / litert:2"), most: 0.73 },
  {
    row: "1.0-224, 2 threads, over onnxruntime-web",
    nodes: [24],
    at: race("1.0-224", "depthwise:2 / onnxruntime-web:2"),
    most: 0.45,
  },
  { row: "0.5-160, 1 thread, over litert", nodes: [24], at: race("0.5-160", "depthwise:1 / litert:1"), most: 0.65 },
  { row: "0.5-160, 2 threads, over litert", nodes: [24], at: race("0.5-160", "depthwise:2 / litert:2"), most: 0.65 },
  { row: "0.25-128, 1 thread, over litert", nodes: [24], at: race("0.25-128", "depthwise:1 / litert:1"), most: 0.65 },
  { row: "0.25-128, 2 threads, over litert", nodes: [24], at: race("0.25-128", "depthwise:2 / litert:2"), most: 0.75 },
  { row: "1.0-224, 1 thread, over litert", nodes: [20], at: race("1.0-224", "depthwise:1 / litert:1"), most: 0.83 },
  {
    row: "1.0-224, 1 thread, over onnxruntime-web",
    nodes: [20],
    at: race("1.0-224", "depthwise:1 / onnxruntime-web:1"),
    most: 0.6,
  },
  { row: "0.5-160, 1 thread, over litert", nodes: [20], at: race("0.5-160", "depthwise:1 / litert:1") },
  { row: "0.25-128, 1 thread, over litert", nodes: [20], at: race("0.25-128", "depthwise:1 / litert:1") },
  {
    row: "1.0-224, speed of 2 threads over 1",
    nodes: BOTH,
    at: race("1.0-224", "depthwise:1 / depthwise:2"),
    least: 1.9,
  },
  {
    row: "0.25-128, speed of 2 threads over 1",
    nodes: BOTH,
    at: race("0.25-128", "depthwise:1 / depthwise:2"),
    least: 1.6,
  },
  {
    row: "1.0-224, cold start over the fastest wasm rival's",
    nodes: BOTH,
    at: ["cold-start", "models", "1.0-224", "overFastest"],
    most: 0.5,
  },
  {
    row: "1.0-224, cold start over onnxruntime-web's",
    nodes: BOTH,
    at: ["cold-start", "models", "1.0-224", "ratios", "onnxruntime-web:1"],
    most: 0.28,
  },
  {
    row: "0.25-128, cold start over tfjs-wasm's",
    nodes: BOTH,
    at: ["cold-start", "models", "0.25-128", "ratios", "tfjs-wasm:1"],
    most: 0.65,
  },
  {
    row: "1.0-224, peak memory over bare Node, MB",
    nodes: BOTH,
    at: ["memory", "peaks", "depthwise:1", "overMb"],
    most: ["memory", "allowedMb"],
    digits: 1,
  },
  {
    row: "1.0-224, the same beside the smallest rival's, MB",
    nodes: BOTH,
    at: ["memory", "peaks", "depthwise:1", "overMb"],
    most: ["memory", "smallestRivalMb"],
    digits: 1,
  },
  {
    row: "bundle that runs V1, gzip bytes",
    nodes: BOTH,
    at: ["size", "results", "depthwise", "gzipBytes"],
    most: 20_000,
    digits: 0,
  },
  {
    row: "1.0-224, plain backend over tfjs cpu",
    nodes: BOTH,
    at: ["plain-backend", "models", "1.0-224", "ratio"],
    most: 0.25,
  },
  ...["1.0-224", "0.25-128"].flatMap((model) =>
    ["depthwise:1", "depthwise:2"].map((key) => ({
      row: `${model}, ${key}, slowest of twenty fresh processes × usual`,
      nodes: BOTH,
      at: ["settle", "models", model, key, "overUsual", "most"],
      most: 1.3,
    })),
  ),
  ...["1.0-224", "0.25-128"].flatMap((model) =>
    ["depthwise:1", "depthwise:2"].map((key) => ({
      row: `${model}, ${key}, the slowest one's fastest late run × usual (stuck or disturbed?)`,
      nodes: BOTH,
      at: ["settle", "models", model, key, "fastestOverUsual", "most"],
      most: 1.3,
    })),
  ),
];

const wide = (model, ratio) => ["wide", "models", model, "ratios", ratio];

/** Of `simd: "wide"`, an experimental switch of V8: beside our own relaxed SIMD, and beside native code. */
export const WIDE_BARS = [
  ...Object.entries({ "1.0-224": 0.56, "0.5-160": 0.56, "0.25-128": 0.65 }).map(([model, most]) => ({
    row: `${model}, 1 thread, wide over relaxed`,
    nodes: [24],
    at: wide(model, "depthwise-wide:1 / depthwise-relaxed:1"),
    most,
  })),
  ...[1, 2].flatMap((threads) =>
    ["1.0-224", "0.5-160", "0.25-128"].map((model) => ({
      row: `${model}, ${threads} thread${threads === 1 ? "" : "s"}, wide over onnxruntime-node`,
      nodes: [24],
      at: wide(model, `depthwise-wide:${threads} / onnxruntime-node:${threads}`),
      most: 1,
    })),
  ),
  ...Object.entries({ "1.0-224": 0.75, "0.5-160": 0.5, "0.25-128": 0.3 }).map(([model, most]) => ({
    row: `${model}, 1 thread, wide over pytorch`,
    nodes: [24],
    at: wide(model, "depthwise-wide:1 / pytorch:1"),
    most,
  })),
  ...[1, 2].flatMap((threads) =>
    ["1.0-224", "0.5-160", "0.25-128"].map((model) => ({
      row: `${model}, ${threads} thread${threads === 1 ? "" : "s"}, wide over litert with the same switch`,
      nodes: [24],
      at: wide(model, `depthwise-wide:${threads} / litert-wide:${threads}`),
    })),
  ),
  {
    row: "pointwise, 13 layers, share of the wide limit",
    nodes: [24],
    at: ["pointwise", "variants", "depthwise-wide", "share"],
    least: 0.85,
  },
  ...["1.0-224", "0.5-160", "0.25-128"].map((model) => ({
    row: `${model}, 1 thread, share of the wide limit`,
    nodes: [24],
    at: ["wide", "models", model, "contenders", "depthwise-wide:1", "share"],
  })),
];

const training = (shape, ...path) => ["train", "models", shape, ...path];
const trainingRatio = (shape, ratio) => training(shape, "ratios", ratio);
const TRAINING_SHAPES = ["a25-96-16", "a100-224-8", "cifar"];

/** Of one training step. PyTorch's is the better of its two layouts on as many threads. */
export const TRAINING_BARS = [
  ...[
    ["a25-96-16", 1, 0.75],
    ["a25-96-16", 2, 0.6],
    ["a100-224-8", 1, 1.1],
    ["a100-224-8", 2, 1],
    ["cifar", 1, undefined],
    ["cifar", 2, 0.8],
  ].map(([shape, threads, most]) => ({
    row: `${shape}, ${threads} thread${threads === 1 ? "" : "s"}, over pytorch`,
    nodes: [24],
    at: trainingRatio(shape, `depthwise:${threads} / pytorch:${threads}`),
    most,
  })),
  {
    row: "cifar, 2 threads, GFLOP/s",
    nodes: [24],
    at: training("cifar", "contenders", "depthwise:2", "gflops"),
    least: 60,
    digits: 1,
  },
  ...[
    ["a25-96-16", 0.55],
    ["a100-224-8", 0.75],
    ["cifar", undefined],
  ].map(([shape, most]) => ({
    row: `${shape}, 1 thread, wide over pytorch`,
    nodes: [24],
    at: trainingRatio(shape, "depthwise-wide:1 / pytorch:1"),
    most,
  })),
  {
    row: "a25-96-16, 1 thread, times faster than tfjs cpu",
    nodes: [24],
    at: training("a25-96-16", "outside", "ratio"),
    least: 700,
    digits: 0,
  },
  {
    row: "a25-96-16, 1 thread, times faster than jax-js",
    nodes: [24],
    at: trainingRatio("a25-96-16", "jax-js:1 / depthwise:1"),
    least: 20,
    digits: 1,
  },
  ...TRAINING_SHAPES.map((shape) => ({
    row: `${shape}, pointwise gradients, share of the relaxed limit`,
    nodes: [24],
    at: training(shape, "contenders", "depthwise:1", "profile", "productShare"),
    least: 0.8,
  })),
  ...TRAINING_SHAPES.map((shape) => ({
    row: `${shape}, pointwise gradients, share of the wide limit`,
    nodes: [24],
    at: training(shape, "contenders", "depthwise-wide:1", "profile", "productShare"),
  })),
  ...TRAINING_SHAPES.map((shape) => ({
    row: `${shape}, batch norm and activations, share of a step`,
    nodes: [24],
    at: training(shape, "contenders", "depthwise:1", "profile", "normShare"),
    most: 0.25,
  })),
  ...TRAINING_SHAPES.map((shape) => ({
    row: `${shape}, speed of 2 threads over 1`,
    nodes: [24],
    at: trainingRatio(shape, "depthwise:1 / depthwise:2"),
    least: 1.8,
  })),
  {
    row: "a100-224-8, peak memory over bare Node, times every convolution's output once and three times the parameters",
    nodes: [24],
    at: ["train", "memory", "peaks", "depthwise:1", "over"],
    most: 1.3,
  },
  {
    row: "a25-96-16, 1 thread, Chromium's rate in a worker over Node's",
    nodes: [24],
    at: ["train-browser", "models", "a25-96-16", "rate"],
    least: 0.8,
  },
];

/**
 * The rivals' times over onnxruntime-web's (one thread) as `rivals.md` has them. One that comes out more than a tenth
 * worse was not measured at its best: that is a bug of the bench, and no row beside it counts.
 */
const PUBLISHED = [
  { rival: "litert:1", nodes: [24], ratios: { "1.0-224": 0.64, "0.5-160": 0.55, "0.25-128": 0.47 } },
  { rival: "tfjs-wasm:1", nodes: [24], ratios: { "1.0-224": 0.79, "0.5-160": 0.68, "0.25-128": 0.6 } },
  {
    rival: "onnxruntime-node:1",
    question: "wide",
    nodes: [24],
    ratios: { "1.0-224": 0.23, "0.5-160": 0.18, "0.25-128": 0.19 },
  },
  {
    rival: "pytorch:1",
    question: "wide",
    nodes: [24],
    ratios: { "1.0-224": 0.33, "0.5-160": 0.39, "0.25-128": 0.7 },
  },
  { rival: "litert:1", nodes: [20], ratios: { "1.0-224": 0.7 } },
  { rival: "tfjs-wasm:1", nodes: [20], ratios: { "1.0-224": 0.77 } },
];

export const RIVALS_AT_THEIR_BEST = PUBLISHED.flatMap(({ rival, question = "race", nodes, ratios }) =>
  Object.entries(ratios).map(([model, ratio]) => ({
    row: `${model}, ${rival} over onnxruntime-web:1 (${ratio} in rivals.md)`,
    nodes,
    at: [question, "models", model, "ratios", `${rival} / onnxruntime-web:1`],
    most: ratio * 1.1,
  })),
);
