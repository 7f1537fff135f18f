/**
 * Graphs of operations in one small vocabulary, whatever file they come from.
 *
 * A reader translates its format's operators into these and leaves everything else `other`, by its own name. It does
 * not fold, match or reorder: constants keep the file's layout, and a fused activation becomes a node of its own.
 */

import type { Shape } from "../core/tensor.ts";
import type { ExplicitPadding } from "../core/window.ts";
import type { Basis } from "./fact.ts";

export type Pair = readonly [number, number];

/** How a kernel's axes are ordered. `HWIM` and `1HWC` (TFLite: channel = in · multiplier + m) are depthwise ones. */
export type KernelLayout = "HWIO" | "OHWI" | "OIHW" | "HWIM" | "1HWC";

/** `OIHW` is depthwise if `groups` is the number of its input channels and above 1. */
export interface ConvolutionOperation {
  readonly type: "convolution";
  readonly layout: KernelLayout;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: "same" | "valid" | ExplicitPadding;
  /** 1 for a full convolution; ignored for the depthwise layouts. */
  readonly groups: number;
}

/** Which axes of an image are its height and width: those after the channels, or those before. */
export type ImageLayout = "NHWC" | "NCHW";

/** What becomes of the sides, counted with the batch first and in the file's own order of axes. */
export type ReshapeForm =
  /** 0 is the side that was there, -1 what is left. */
  | { readonly kind: "sides"; readonly sides: readonly number[] }
  /** Sides of 1 that are left out; no axes: all of them. */
  | { readonly kind: "squeeze"; readonly axes: readonly number[] }
  /** Sides of 1 that are put in, counted in the result. */
  | { readonly kind: "unsqueeze"; readonly axes: readonly number[] }
  /** All but the batch in one row. */
  | { readonly kind: "flatten" }
  | { readonly kind: "transpose"; readonly order: readonly number[] };

export type ActivationFunction = "linear" | "relu" | "relu6" | "leakyRelu" | "hardSwish" | "hardSigmoid";

export type GraphOperation =
  /** Inputs x, kernel, and a bias if there is one. */
  | ConvolutionOperation
  /**
   * Inputs x, kernel `[in, out]` (`transposed`: `[out, in]`), and a bias if there is one. `flattens`: x of any shape is
   * taken as a row.
   */
  | { readonly type: "dense"; readonly transposed: boolean; readonly flattens?: true }
  /** Inputs x, gamma, beta, mean, variance; `""` for a gamma or beta that is left out. */
  | { readonly type: "batchNorm"; readonly epsilon: number }
  /** Two inputs, broadcast as in numpy: sides are counted from the last. */
  | { readonly type: "add" | "subtract" | "multiply" | "divide" }
  | { readonly type: "rsqrt" }
  | {
      readonly type: "activation";
      readonly function: ActivationFunction;
      /** Of `leakyRelu`. */
      readonly slope?: number;
      /** How the reader knows; default stated, by the node. */
      readonly basis?: Basis;
      readonly from?: string;
    }
  /** Zeros around the image; `layout`, here and below: the graph's, if not said. */
  | { readonly type: "pad"; readonly padding: ExplicitPadding; readonly layout?: ImageLayout }
  /** The mean (or maximum) over the whole image, or over a window; `keepDims` keeps sides of 1. */
  | {
      readonly type: "globalPool";
      readonly kind: "average" | "max";
      readonly keepDims?: true;
      readonly layout?: ImageLayout;
    }
  | {
      readonly type: "pool";
      readonly kind: "average" | "max";
      readonly kernel: Pair;
      readonly strides: Pair;
      readonly padding: "same" | "valid" | ExplicitPadding;
    }
  /** Over the last axis, or over `axis`, which counts the batch. */
  | { readonly type: "softmax"; readonly axis?: number }
  /** The same numbers in another shape or order of axes; without a form it is not known which. */
  | { readonly type: "reshape"; readonly form?: ReshapeForm }
  /** The same numbers: identity, dropout at inference, quantize, dequantize. */
  | { readonly type: "identity" }
  /** Anything else, by the format's own name. */
  | { readonly type: "other"; readonly name: string };

export interface GraphNode {
  /** The format's name of the node or layer, for messages and evidence; unique. */
  readonly name: string;
  readonly operation: GraphOperation;
  /** Names of the values read, constants among them. */
  readonly inputs: readonly string[];
  /** Names of the values written; the first is the result. */
  readonly outputs: readonly string[];
}

/** A constant, in the file's own layout; decoded (and dequantized) each time it is asked for. */
export interface GraphConstant {
  readonly name: string;
  readonly shape: Shape;
  read(): Float32Array;
}

export interface GraphInput {
  readonly name: string;
  /** `[height, width, channels]`, or `[features]`; a side the file leaves open is undefined. Undefined: not stated. */
  readonly shape?: readonly (number | undefined)[];
  /** Whether the file has `[channels, height, width]` of it. */
  readonly isChannelsFirst?: true;
}

export interface ModelGraph {
  readonly kind: "graph";
  /** How its operations count the axes of an image. Default `NHWC`. */
  readonly layout?: ImageLayout;
  /** Values that come from outside; more than one for a network that is not ours. */
  readonly inputs: readonly GraphInput[];
  /** In an order in which they can run. */
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, GraphConstant>;
  /** Names of the values that are the results. */
  readonly outputs: readonly string[];
  /** What the file calls its results, one each, where that is not the names of their values. */
  readonly outputNames?: readonly string[];
  /** How many numbers a quantized value's bytes stand for: scale and zero point by the name of the value, if any. */
  readonly quantization?: ReadonlyMap<string, ValueQuantization>;
}

/** real = (q − zero point) · scale, one pair for the tensor or one for each channel along `axis`. */
export interface ValueQuantization {
  readonly dtype: string;
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis?: number;
}
