/** Networks as data: layer functions, `sequential` and `network`. */

export type { ActivationName } from "../operations/activation-names.ts";
export type { ParameterRole } from "../operations/operation.ts";
export type { NodeType } from "../operations/table.ts";
export {
  type Network,
  type NetworkDefinition,
  type NetworkInfo,
  network,
  withInfo,
  withParameters,
} from "./network.ts";
export { INPUT, type LayerNode, type NodeDefinition } from "./node.ts";
export type { ParameterInfo } from "./parameter-info.ts";
export {
  activation,
  averagePool,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  dropout,
  flatten,
  globalAveragePool,
  globalMaxPool,
  type Layer,
  maxPool,
  pointwise,
  reshape,
  type SequentialOptions,
  sequential,
  softmax,
} from "./sequential.ts";
