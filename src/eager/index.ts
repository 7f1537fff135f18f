/** Operations on tensors, one call at a time. */

export { conv2d, dense, depthwiseConv2d, pointwiseConv2d } from "./convolutions.ts";
export {
  add,
  type ElementwiseOptions,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  multiply,
  relu,
  relu6,
  softmax,
} from "./elementwise.ts";
export { type BatchNormWeights, batchNorm } from "./normalization.ts";
export { averagePool, globalAveragePool, maxPool, type PoolOptions } from "./pools.ts";
export type { EagerOptions } from "./run.ts";
