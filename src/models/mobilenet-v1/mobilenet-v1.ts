/**
 * MobileNet V1. Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
 * Applications", arXiv 1704.04861, table 1. The last depthwise layer has stride 1: the table prints 2, but its own
 * input sizes and every released network say 1.
 *
 * Layer names and parameter layouts are those of Keras applications.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { DEFAULT_PREPROCESSING } from "../../core/preprocessing.ts";
import type { Padding } from "../../core/window.ts";
import { type Network, type NetworkInfo, network } from "../../layers/network.ts";
import type { NodeDefinition } from "../../layers/node.ts";
import { type CompleteOptions, completeOptions, type MobileNetV1Options } from "./options.ts";
import { type Block, MOBILENET_V1_BLOCKS, MOBILENET_V1_STEM } from "./table.ts";

/** Table 5: the shallow network leaves out the five blocks of 14 × 14 × 512 in and out. */
const SHALLOW_LEAVES_OUT = [7, 8, 9, 10, 11];

/** What a run returns, by the options: with a top, without one but pooled, or the last feature map. */
export type MobileNetV1Output<Options> = Options extends { readonly includeTop: false }
  ? Options extends { readonly pooling: "avg" | "max" }
    ? "embedding"
    : "features"
  : "logits" | "probabilities" | "embedding";

/**
 * Builds MobileNet V1 as data; nothing is computed and no parameter allocated until asked for.
 *
 *     const model = mobileNetV1({ alpha: 0.25, resolution: 128, classes: 1001 });
 *
 * A run gives `logits`, `probabilities` and `embedding` (the pooled features); without the top `embedding` or
 * `features`. Layers: `conv1`, `conv_dw_1`, `conv_pw_1` … `conv_pw_13`, `conv_preds`, each convolution followed by
 * `…_bn` and `…_relu`. A block's output can be tapped as `block_1` … `block_13`, the stem's as `block_0`.
 *
 * @param options see `MobileNetV1Options`; default the paper's 1.0-224 with 1000 classes
 * @throws {DepthwiseError} `OPTION_INVALID`; `NETWORK_VANISHES` if nothing is left of the image on the way
 */
export function mobileNetV1<const Options extends MobileNetV1Options>(
  options?: Options,
): Network<MobileNetV1Output<Options>> {
  const complete = completeOptions(options ?? {}, { stem: MOBILENET_V1_STEM, blocks: MOBILENET_V1_BLOCKS });
  const { layers, aliases, outputs } = build(complete);
  return network<string>({
    name: modelName(complete),
    inputShape: [...complete.inputSize, complete.inputChannels],
    layers,
    aliases,
    outputs,
    seed: complete.seed,
    info: modelInfo(complete),
  }) as Network<MobileNetV1Output<Options>>;
}

/** Builds the layers in one loop over the table. */
function build(options: CompleteOptions) {
  const layers: NodeDefinition[] = [];
  const aliases: Record<string, string> = {};
  const rates = strideKeeper(options.outputStride);
  const activation = { function: options.activation, slope: options.negativeSlope };

  /** A convolution with its batch norm and activation. */
  const unit = (name: string, type: string, attributes: Readonly<Record<string, unknown>>): string => {
    layers.push({ name, type, attributes: { ...attributes, bias: options.convolutionBias } });
    if (options.batchNorm)
      layers.push({ name: `${name}_bn`, type: "batchNorm", attributes: { epsilon: options.epsilon } });
    layers.push({ name: `${name}_relu`, type: "activation", attributes: activation });
    return `${name}_relu`;
  };

  const stem = rates(options.stem.stride);
  aliases["block_0"] = unit("conv1", "conv2d", {
    filters: scaledChannels(options, options.stem.filters),
    kernel: 3,
    ...stem,
    padding: stemPadding(options, stem),
  });
  const blocks = options.shallow ? shallowBlocks(options.blocks) : options.blocks;
  blocks.forEach((block, index) => {
    const number = index + 1;
    const filters = scaledChannels(options, block.filters);
    const step = rates(block.stride);
    const window = { kernel: 3, ...step, padding: blockPadding(options, step) };
    if (options.standardConvolution) {
      aliases[`block_${number}`] = unit(`conv_${number}`, "conv2d", { filters, ...window });
    } else {
      unit(`conv_dw_${number}`, "depthwiseConv2d", { multiplier: options.multiplier, ...window });
      aliases[`block_${number}`] = unit(`conv_pw_${number}`, "pointwiseConv2d", { filters });
    }
  });
  const body = aliases[`block_${blocks.length}`] ?? "";
  return { layers: [...layers, ...head(options, blocks)], aliases, outputs: outputNames(options, body) };
}

function head(options: CompleteOptions, blocks: readonly Block[]): NodeDefinition[] {
  if (!options.includeTop) {
    if (options.pooling === "avg") return [{ name: "global_average_pooling2d", type: "globalAveragePool" }];
    if (options.pooling === "max") return [{ name: "global_max_pooling2d", type: "globalMaxPool" }];
    return [];
  }
  const last = blocks[blocks.length - 1] ?? options.stem;
  return [
    { name: "global_average_pooling2d", type: "globalAveragePool" },
    { name: "reshape_1", type: "reshape", attributes: { shape: [1, 1, scaledChannels(options, last.filters)] } },
    { name: "dropout", type: "dropout", attributes: { rate: options.dropout } },
    { name: "conv_preds", type: "pointwiseConv2d", attributes: { filters: options.classes, bias: true } },
    { name: "reshape_2", type: "reshape", attributes: { shape: [options.classes] } },
    { name: "act_softmax", type: "softmax" },
  ];
}

function outputNames(options: CompleteOptions, body: string): Record<string, string> {
  if (options.includeTop) {
    return { logits: "reshape_2", probabilities: "act_softmax", embedding: "global_average_pooling2d" };
  }
  if (options.pooling === "avg") return { embedding: "global_average_pooling2d" };
  if (options.pooling === "max") return { embedding: "global_max_pooling2d" };
  return { features: body };
}

interface StrideAndDilation {
  readonly stride: number;
  readonly dilation: number;
}

/**
 * Output stride by dilation, as in TF-slim: once the running stride has reached it, later strides become 1. A layer
 * that loses its stride keeps the current rate, the layers after it multiply theirs by the stride it lost.
 */
function strideKeeper(outputStride: number): (stride: number) => StrideAndDilation {
  let running = 1;
  let rate = 1;
  return (stride) => {
    if (running * stride <= outputStride) {
      running *= stride;
      return { stride, dilation: rate };
    }
    const step = { stride: 1, dilation: rate };
    rate *= stride;
    return step;
  };
}

/** The blocks that the shallow network keeps. */
export function shallowBlocks<Row>(blocks: readonly Row[]): readonly Row[] {
  return blocks.filter((_, index) => !SHALLOW_LEAVES_OUT.includes(index + 1));
}

/** How many channels `filters` become: Keras truncates, slim too but with a floor, timm rounds to multiples of 8. */
export function scaledChannels(
  { alpha, channelRounding, minDepth }: Pick<CompleteOptions, "alpha" | "channelRounding" | "minDepth">,
  filters: number,
): number {
  const exact = filters * alpha;
  if (channelRounding === "truncate") return Math.max(Math.trunc(exact), minDepth ?? 1);
  if (channelRounding === "floor") return Math.max(Math.trunc(exact), minDepth ?? 8);
  const rounded = Math.max(minDepth ?? 8, Math.floor((exact + 4) / 8) * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
}

function blockPadding({ padding }: CompleteOptions, { stride, dilation }: StrideAndDilation): Padding {
  if (padding === "symmetric")
    return [
      [dilation, dilation],
      [dilation, dilation],
    ];
  if (padding === "keras" && stride === 2)
    return [
      [0, 1],
      [0, 1],
    ];
  return "same";
}

function stemPadding(options: CompleteOptions, step: StrideAndDilation): Padding {
  const isSame = options.padding === "keras" && options.stemPadding === "same";
  return isSame ? "same" : blockPadding(options, step);
}

function modelName(options: CompleteOptions): string {
  const [height, width] = options.inputSize;
  const variant = `${options.shallow ? "_shallow" : ""}${options.standardConvolution ? "_standard" : ""}`;
  const alpha = Number.isInteger(options.alpha) ? options.alpha.toFixed(1) : String(options.alpha);
  return `mobilenet_v1${variant}_${alpha}_${height === width ? height : `${height}x${width}`}`;
}

function modelInfo(options: CompleteOptions): NetworkInfo {
  const { labels, background, preprocessing, ...rest } = options;
  if (labels !== undefined && options.includeTop && labels.length !== options.classes) {
    throw new DepthwiseError("CLASSES_MISMATCH", {
      what: "mobileNetV1: labels",
      expected: `${options.classes} labels, one for each class`,
      found: `${labels.length}`,
      advice: "Pass classes: labels.length, or the labels of these classes.",
    });
  }
  return {
    architecture: "mobilenet_v1",
    options: rest,
    ...(labels === undefined ? {} : { labels }),
    ...(background === undefined ? {} : { background }),
    preprocessing: preprocessing ?? { range: DEFAULT_PREPROCESSING.range },
  };
}
