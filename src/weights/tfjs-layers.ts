/**
 * The layers of a network as TensorFlow.js (4.22) and Keras 2 configure them. Where theirs do less, a layer is written
 * in other words that compute the same:
 *
 *     explicit padding             ZeroPadding2D, then the layer with `valid`
 *     depthwise dilation           zeros between the taps of the kernel: their layer ignores `dilation_rate`
 *     dilation and stride at once  the same: theirs refuses both
 *     a global pool that keeps its sides   the pool, then Reshape
 *
 * ReLU6 is a `ReLU` of `max_value` 6: `Activation` knows the name `relu6` in TensorFlow.js, but not in Keras.
 */

import { DepthwiseError } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import { elementCount, type Shape, sameShape, shapeText } from "../core/tensor.ts";
import { layWindow, type WindowAttributes } from "../core/window.ts";
import type { Network } from "../layers/network.ts";
import type { ByNodeType, LayerNode } from "../layers/node.ts";

/** One layer of theirs, before its name and inputs are set. */
export interface WrittenLayer {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What becomes of one node. */
export interface TranslatedNode {
  /** In a row; the last one bears the node's name. */
  readonly layers: readonly WrittenLayer[];
  /** `[vertical, horizontal]` distance of the kernel's taps, where zeros must be written between them. */
  readonly dilation?: readonly [number, number];
}

/**
 * Translates a node.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID`, naming the node, if no layer of theirs computes the same
 */
export function asKerasLayers(node: LayerNode, model: Network): TranslatedNode {
  const inputs = node.inputs.map((input) => model.shapes.get(input) ?? []);
  const rules: ByNodeType<TranslatedNode> = {
    conv2d: ({ attributes }) => {
      const [vertical, horizontal] = attributes.dilation;
      const isDilated = vertical > 1 || horizontal > 1;
      const isStrided = attributes.stride.some((step) => step > 1);
      const config = { filters: attributes.filters, use_bias: attributes.bias };
      return convolution("Conv2D", attributes, config, isDilated && isStrided);
    },
    depthwiseConv2d: ({ attributes }) => {
      const isDilated = attributes.dilation.some((rate) => rate > 1);
      const config = { depth_multiplier: attributes.multiplier, use_bias: attributes.bias };
      return convolution("DepthwiseConv2D", attributes, config, isDilated);
    },
    pointwiseConv2d: ({ attributes: { filters, bias } }) =>
      convolution("Conv2D", POINTWISE, { filters, use_bias: bias }, false),
    dense: ({ attributes: { filters, bias } }) =>
      one("Dense", { units: filters, activation: "linear", use_bias: bias }),
    batchNorm: ({ attributes: { epsilon, scale, center } }) =>
      one("BatchNormalization", { axis: -1, momentum: 0.99, epsilon, center, scale }),
    activation: ({ attributes }) => activation(node.name, attributes),
    softmax: () => one("Activation", { activation: "softmax" }),
    globalAveragePool: ({ attributes }) => globalPool("GlobalAveragePooling2D", attributes.keepDims, inputs[0]),
    globalMaxPool: ({ attributes }) => globalPool("GlobalMaxPooling2D", attributes.keepDims, inputs[0]),
    averagePool: ({ attributes }) => pool("AveragePooling2D", node.name, attributes, inputs[0]),
    maxPool: ({ attributes }) => pool("MaxPooling2D", node.name, attributes, inputs[0]),
    add: () => elementwise("Add", node.name, inputs),
    multiply: () => elementwise("Multiply", node.name, inputs),
    reshape: ({ attributes: { shape } }) => one("Reshape", { target_shape: [...shape] }),
    // Their Flatten takes no single row.
    flatten: () => one("Reshape", { target_shape: [elementCount(inputs[0] ?? [])] }),
    dropout: ({ attributes: { rate } }) => one("Dropout", { rate, noise_shape: null, seed: null }),
  };
  // The table was checked row by row; indexing it with a union loses that.
  return (rules[node.type] as (node: LayerNode) => TranslatedNode)(node);
}

const POINTWISE: WindowAttributes = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: "valid" };

function one(className: string, config: WrittenLayer["config"]): TranslatedNode {
  return { layers: [{ className, config }] };
}

function convolution(
  className: string,
  { kernel, stride, dilation, padding }: WindowAttributes,
  config: WrittenLayer["config"],
  isWrittenOut: boolean,
): TranslatedNode {
  const size = kernel.map((side, axis) => (side - 1) * (isWrittenOut ? (dilation[axis] ?? 1) : 1) + 1);
  const layer: WrittenLayer = {
    className,
    config: {
      ...config,
      kernel_size: size,
      strides: [...stride],
      padding: typeof padding === "string" ? padding : "valid",
      data_format: "channels_last",
      dilation_rate: isWrittenOut ? [1, 1] : [...dilation],
      activation: "linear",
    },
  };
  const isPadded = typeof padding !== "string" && padding.flat().some((side) => side > 0);
  const pad = { className: "ZeroPadding2D", config: { padding, data_format: "channels_last" } };
  return { layers: isPadded ? [pad, layer] : [layer], ...(isWrittenOut ? { dilation } : {}) };
}

function activation(
  name: string,
  attributes: Extract<LayerNode, { readonly type: "activation" }>["attributes"],
): TranslatedNode {
  switch (attributes.function) {
    case "linear":
    case "relu":
      return one("Activation", { activation: attributes.function });
    case "relu6":
      return one("ReLU", { max_value: 6 });
    case "leakyRelu":
      return one("LeakyReLU", { alpha: attributes.slope });
    case "hardSwish":
    case "hardSigmoid":
      throw inexpressible(name, `the activation ${attributes.function}`, "Theirs of a similar name computes another.");
  }
}

function globalPool(className: string, keepDims: boolean, input: Shape = []): TranslatedNode {
  const layer = { className, config: { data_format: "channels_last" } };
  const reshape = { className: "Reshape", config: { target_shape: [1, 1, input[2] ?? 0] } };
  return { layers: keepDims ? [layer, reshape] : [layer] };
}

function pool(className: string, name: string, attributes: WindowAttributes, input: Shape = []): TranslatedNode {
  const { kernel, stride, dilation, padding } = attributes;
  if (dilation.some((rate) => rate > 1)) throw inexpressible(name, "a pool with dilation", "Their pools have none.");
  // Zeros around the image would count, which padding must not: only where it is one of theirs can it be said.
  const sides = [input[0] ?? 0, input[1] ?? 0] as const;
  const pads = layWindow(name, attributes, sides).padding.flat();
  const same = layWindow(name, { ...attributes, padding: "same" }, sides).padding.flat();
  const style = pads.every((side) => side === 0) && padding !== "same" ? "valid" : "same";
  if (style === "same" && !sameShape(pads, same)) {
    throw inexpressible(name, `a pool with the padding [${pads.join(", ")}]`, "Their pools know same and valid.");
  }
  return one(className, {
    pool_size: [...kernel],
    strides: [...stride],
    padding: style,
    data_format: "channels_last",
  });
}

/** Theirs broadcasts too, but by rules of its own where the ranks differ. */
function elementwise(className: string, name: string, [a = [], b = []]: readonly Shape[]): TranslatedNode {
  if (a.length !== b.length && elementCount(b) !== 1) {
    throw inexpressible(
      name,
      `${shapeText(a)} with ${shapeText(b)}`,
      "Reshape the second input to the rank of the first.",
    );
  }
  return one(className, {});
}

/** Names that TensorFlow.js takes for a variable. */
const NAME = /^[A-Za-z0-9][-A-Za-z0-9._]*$/;

/** @throws {DepthwiseError} `NETWORK_INVALID` for a name that TensorFlow.js would refuse */
export function checkLayerName(name: string): void {
  if (!NAME.test(name)) {
    throw inexpressible(name, "its name", "Letters, digits, dot, hyphen and underscore, the first a letter or digit.");
  }
}

function inexpressible(name: string, what: string, advice: string): DepthwiseError {
  return new DepthwiseError("NETWORK_INVALID", {
    what: `encodeTfjs: the layer ${quoted(name)}: ${what} cannot be expressed as a TensorFlow.js layer`,
    advice: `${advice} Nothing was written; saveModel writes any network.`,
    fields: { layer: name },
  });
}
