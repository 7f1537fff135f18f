/** Gradients of operations, one call at a time: for each `op(x, …)` an `opGradient(upstream, x, …)`. */

export {
  type BatchNormGradient,
  type BatchNormResult,
  type BatchNormTrainingOptions,
  batchNorm,
  batchNormGradient,
} from "./batch-norm.ts";
export {
  conv2dGradient,
  denseGradient,
  depthwiseConv2dGradient,
  pointwiseConv2dGradient,
  type WeightedGradient,
} from "./convolutions.ts";
export { type CrossEntropy, type CrossEntropyOptions, softmaxCrossEntropy } from "./cross-entropy.ts";
export {
  addGradient,
  hardSigmoidGradient,
  hardSwishGradient,
  leakyReluGradient,
  multiplyGradient,
  type PairGradient,
  relu6Gradient,
  reluGradient,
  softmaxGradient,
} from "./elementwise.ts";
export { averagePoolGradient, globalAveragePoolGradient, maxPoolGradient } from "./pools.ts";
export type { InputGradient } from "./run.ts";
