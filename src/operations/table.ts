/** All operations by node type. A new operation is one file beside this one and one row here. */

import { type ActivationAttributes, activation } from "./activation.ts";
import { type BatchNormAttributes, batchNorm } from "./batch-norm.ts";
import { type ConvolutionAttributes, convolution } from "./convolution.ts";
import { type DenseAttributes, dense } from "./dense.ts";
import { type DepthwiseAttributes, depthwiseConvolution } from "./depthwise-convolution.ts";
import { add, type ElementwiseAttributes, multiply } from "./elementwise.ts";
import { type GlobalPoolAttributes, globalAveragePool, globalMaxPool } from "./global-pool.ts";
import type { Operation } from "./operation.ts";
import { type PointwiseAttributes, pointwiseConvolution } from "./pointwise-convolution.ts";
import { averagePool, maxPool, type PoolAttributes } from "./pool.ts";
import {
  type DropoutAttributes,
  dropout,
  type FlattenAttributes,
  flatten,
  type ReshapeAttributes,
  reshape,
} from "./reshape.ts";
import { type SoftmaxAttributes, softmax } from "./softmax.ts";

export interface AttributesByType {
  readonly conv2d: ConvolutionAttributes;
  readonly depthwiseConv2d: DepthwiseAttributes;
  readonly pointwiseConv2d: PointwiseAttributes;
  readonly dense: DenseAttributes;
  readonly batchNorm: BatchNormAttributes;
  readonly activation: ActivationAttributes;
  readonly softmax: SoftmaxAttributes;
  readonly globalAveragePool: GlobalPoolAttributes;
  readonly globalMaxPool: GlobalPoolAttributes;
  readonly averagePool: PoolAttributes;
  readonly maxPool: PoolAttributes;
  readonly add: ElementwiseAttributes;
  readonly multiply: ElementwiseAttributes;
  readonly reshape: ReshapeAttributes;
  readonly flatten: FlattenAttributes;
  readonly dropout: DropoutAttributes;
}

/** The kinds of nodes that a network may have. */
export type NodeType = keyof AttributesByType;

const OPERATIONS = {
  conv2d: convolution,
  depthwiseConv2d: depthwiseConvolution,
  pointwiseConv2d: pointwiseConvolution,
  dense,
  batchNorm,
  activation,
  softmax,
  globalAveragePool,
  globalMaxPool,
  averagePool,
  maxPool,
  add,
  multiply,
  reshape,
  flatten,
  dropout,
} satisfies { readonly [T in NodeType]: Operation<AttributesByType[T]> };

/** Types of the layers that are views. */
export type ViewType = { [T in NodeType]: (typeof OPERATIONS)[T]["isView"] extends true ? T : never }[NodeType];

export function isView(type: NodeType): type is ViewType {
  return OPERATIONS[type].isView;
}

export const NODE_TYPES = /* @__PURE__ */ Object.keys(OPERATIONS) as readonly NodeType[];

/** The operation of a node type. */
export function operationOf<T extends NodeType>(type: T): Operation<AttributesByType[T]> {
  // The table above was checked row by row; indexing it with a type parameter loses that.
  return OPERATIONS[type] as Operation<AttributesByType[NodeType]> as Operation<AttributesByType[T]>;
}
