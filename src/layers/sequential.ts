/**
 * Layers as functions, and `sequential`, which puts them in a row:
 *
 *     const model = sequential({ inputShape: [32, 32, 3] }, [
 *       conv2d({ filters: 16, kernel: 3, stride: 2, bias: false }), batchNorm(), activation("relu6"),
 *       depthwise({ kernel: 3 }), pointwise({ filters: 32 }), globalAveragePool(), dense({ filters: 10 }), softmax(),
 *     ]);
 *
 * Options are those of the operations; a `name` may be given, else layers are numbered as in Keras.
 */

import type { PerAxis } from "../core/options.ts";
import { checkKnownOptions, optionError } from "../core/options.ts";
import type { Shape } from "../core/tensor.ts";
import type { WindowOptions } from "../core/window.ts";
import type { ActivationName } from "../operations/activation-names.ts";
import type { NodeType } from "../operations/table.ts";
import { type Network, type NetworkInfo, network } from "./network.ts";
import type { NodeDefinition } from "./node.ts";

/** A layer without a place yet. */
export interface Layer {
  readonly type: NodeType;
  readonly name?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface NameOption {
  /** Default: the layer's type and a number. */
  readonly name?: string;
}

interface Biased {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
}

const WINDOW = ["kernel", "stride", "dilation", "padding"] as const;

/** Standard convolution: every filter reads all channels. */
export const conv2d = (
  options: NameOption & Biased & WindowOptions & { readonly filters: number; readonly kernel: PerAxis },
): Layer => layer("conv2d", options, ["filters", "bias", ...WINDOW]);

/** Depthwise convolution: `multiplier` filters (default 1) for each channel, none mixed. */
export const depthwise = (
  options: NameOption & Biased & WindowOptions & { readonly kernel: PerAxis; readonly multiplier?: number },
): Layer => layer("depthwiseConv2d", options, ["multiplier", "bias", ...WINDOW]);

/** Pointwise convolution: mixes the channels of each pixel. */
export const pointwise = (options: NameOption & Biased & { readonly filters: number }): Layer =>
  layer("pointwiseConv2d", options, ["filters", "bias"]);

/** Fully connected layer over `[channels]`. */
export const dense = (options: NameOption & Biased & { readonly filters: number }): Layer =>
  layer("dense", options, ["filters", "bias"]);

/** Batch norm; `epsilon` default 0.001, `scale` and `center` (gamma and beta) default true. */
export const batchNorm = (
  options: NameOption & { readonly epsilon?: number; readonly scale?: boolean; readonly center?: boolean } = {},
): Layer => layer("batchNorm", options, ["epsilon", "scale", "center"]);

/**
 * `relu`, `relu6`, `hardSwish`, `hardSigmoid`, `linear`, or `leakyRelu` with a `slope`: of what is below 0, itself at
 * least 0 and below 1 (default 0.01).
 */
export const activation = (name: ActivationName, options: NameOption & { readonly slope?: number } = {}): Layer =>
  layer("activation", { ...options, function: name }, ["function", "slope"]);

/** Probabilities of the last axis. */
export const softmax = (options: NameOption = {}): Layer => layer("softmax", options, []);

/** Mean of each channel over the image; `keepDims` (default false) keeps `[1, 1, channels]`. */
export const globalAveragePool = (options: NameOption & { readonly keepDims?: boolean } = {}): Layer =>
  layer("globalAveragePool", options, ["keepDims"]);

/** Maximum of each channel over the image. */
export const globalMaxPool = (options: NameOption & { readonly keepDims?: boolean } = {}): Layer =>
  layer("globalMaxPool", options, ["keepDims"]);

/** Mean over windows; padding never counts. */
export const averagePool = (options: NameOption & WindowOptions & { readonly kernel: PerAxis }): Layer =>
  layer("averagePool", options, WINDOW);

/** Maximum over windows. */
export const maxPool = (options: NameOption & WindowOptions & { readonly kernel: PerAxis }): Layer =>
  layer("maxPool", options, WINDOW);

/** Another shape for the same numbers, without the batch. */
export const reshape = (shape: Shape, options: NameOption = {}): Layer =>
  layer("reshape", { ...options, shape }, ["shape"]);

/** All numbers of an example in one row. */
export const flatten = (options: NameOption = {}): Layer => layer("flatten", options, []);

/** Sets a share of the numbers to 0 in training; nothing in inference. */
export const dropout = (rate: number, options: NameOption = {}): Layer =>
  layer("dropout", { ...options, rate }, ["rate"]);

/** What `sequential` cannot tell from its layers. */
export interface SequentialOptions {
  /** `[height, width, channels]` or `[channels]`, without the batch. */
  readonly inputShape: Shape;
  /** What messages and counts call it. Default `network`. */
  readonly name?: string;
  /** Seed of the initial parameters. Default 1. */
  readonly seed?: number;
  /** Kept with the network, and when it is saved: preprocessing, labels. Default none. */
  readonly info?: Omit<NetworkInfo, "architecture">;
}

/**
 * A network of layers in a row. A run gives `output`; where the last layer is a softmax also `logits` and
 * `probabilities`.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`, `SHAPE_MISMATCH`, `NETWORK_VANISHES`, naming the layer
 */
export function sequential(
  options: SequentialOptions,
  layers: readonly Layer[],
): Network<"output" | "logits" | "probabilities"> {
  checkKnownOptions("sequential", options, ["inputShape", "name", "seed", "info"]);
  if (!Array.isArray(layers) || layers.length === 0)
    throw optionError("sequential", "layers", "at least one layer", layers);
  for (const [index, entry] of layers.entries()) {
    const isLayer = typeof entry === "object" && entry !== null && typeof entry.type === "string";
    if (!isLayer) throw optionError("sequential", `layers[${index}]`, "a layer, such as activation('relu')", entry);
  }
  const counts = new Map<string, number>();
  const nodes = layers.map((entry: Layer): NodeDefinition => {
    const count = counts.get(entry.type) ?? 0;
    counts.set(entry.type, count + 1);
    return {
      name: entry.name ?? (count === 0 ? entry.type : `${entry.type}_${count}`),
      type: entry.type,
      attributes: entry.attributes,
    };
  });
  const last = nodes[nodes.length - 1];
  const before = nodes[nodes.length - 2];
  const outputs: Record<string, string> = { output: last?.name ?? "" };
  if (last?.type === "softmax" && before !== undefined) {
    outputs["logits"] = before.name;
    outputs["probabilities"] = last.name;
  }
  return network({
    inputShape: options.inputShape,
    name: options.name ?? "sequential",
    layers: nodes,
    outputs: outputs as Record<"output" | "logits" | "probabilities", string>,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    info: { ...options.info, architecture: "custom" },
  });
}

function layer(type: NodeType, options: Readonly<Record<string, unknown>> | object, known: readonly string[]): Layer {
  checkKnownOptions(type, options, [...known, "name"]);
  const { name, ...attributes } = options as { readonly name?: string };
  return name === undefined ? { type, attributes } : { type, name, attributes };
}
