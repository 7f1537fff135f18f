/** Kinds of layers as the paper's table 2 names them, and facts about windows that rules ask for. */

import { invariant } from "../core/errors.ts";
import type { Shape } from "../core/tensor.ts";
import type { ByNodeType, LayerNode } from "../layers/node.ts";
import type { DepthwiseAttributes } from "../operations/depthwise-convolution.ts";
import { isView, operationOf } from "../operations/table.ts";
import type { CountedType } from "./conventions.ts";

const side = ([height, width]: readonly [number, number]) => `${height}x${width}`;

const KINDS: ByNodeType<string> = {
  conv2d: ({ attributes }) => `Conv ${side(attributes.kernel)}`,
  depthwiseConv2d: ({ attributes }) => `Conv DW ${side(attributes.kernel)}`,
  pointwiseConv2d: () => "Conv 1x1",
  dense: () => "Fully Connected",
  batchNorm: () => "Batch Norm",
  activation: () => "Activation",
  softmax: () => "Softmax",
  globalAveragePool: () => "Pool",
  globalMaxPool: () => "Pool",
  averagePool: () => "Pool",
  maxPool: () => "Pool",
  add: () => "Add",
  multiply: () => "Multiply",
  reshape: () => "View",
  flatten: () => "View",
  dropout: () => "View",
};

/** The label of a layer. A 1 × 1 convolution of one pixel that makes the logits is fully connected. */
export function kindOf(node: LayerNode, outputShape: Shape, isClassifier: boolean): string {
  const isOnePixel = outputShape.slice(0, -1).every((length) => length === 1);
  const isPointwise =
    node.type === "pointwiseConv2d" || (node.type === "conv2d" && side(node.attributes.kernel) === "1x1");
  if (isClassifier && isOnePixel && isPointwise) return "Fully Connected";
  // Each row takes its own type of node; the index loses that.
  return (KINDS[node.type] as (node: LayerNode) => string)(node);
}

/** The type of a node that makes a row of its own. */
export function countedType({ name, type }: LayerNode): CountedType {
  invariant(!isView(type), `The view "${name}" has no row.`);
  return type;
}

/** Elements of the window a layer looks through: the whole image for a global pool, 1 without a window. */
export function windowAreaOf(node: LayerNode, inputShape: Shape): number {
  if (node.type === "globalAveragePool" || node.type === "globalMaxPool")
    return (inputShape[0] ?? 1) * (inputShape[1] ?? 1);
  return "kernel" in node.attributes ? node.attributes.kernel[0] * node.attributes.kernel[1] : 1;
}

/** Mult-adds of the standard convolution that a separable pair replaces: the same window, in and out channels. */
export function standardMultAdds(depthwise: DepthwiseAttributes, filters: number, input: Shape, output: Shape): number {
  const { kernel, stride, dilation, padding } = depthwise;
  return operationOf("conv2d").multAdds({ kernel, stride, dilation, padding, filters, bias: false }, input, output);
}
