/**
 * A kernel call as plain data: a family and its geometry for one example. No names, no tensors; a backend turns
 * it into work. Every backend holds a table that TypeScript keeps complete over this union.
 */

import type { Window } from "../core/window.ts";
import type { FusedActivation } from "./activation-names.ts";

export interface ConvolutionCall {
  readonly kernel: "conv2d";
  readonly window: Window;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly activation: FusedActivation;
}

export interface DepthwiseCall {
  readonly kernel: "depthwiseConv2d";
  readonly window: Window;
  readonly channels: number;
  readonly multiplier: number;
  readonly activation: FusedActivation;
}

/** Also a dense layer, which is a pointwise convolution of one pixel. */
export interface PointwiseCall {
  readonly kernel: "pointwiseConv2d";
  readonly pixels: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly activation: FusedActivation;
}

/** `y = x · scale[c] + shift[c]`: batch norm that was not folded into a convolution. */
export interface ScaleShiftCall {
  readonly kernel: "scaleShift";
  readonly pixels: number;
  readonly channels: number;
  readonly activation: FusedActivation;
}

interface FusibleCall {
  readonly kernel: "activation";
  readonly elements: number;
  readonly activation: FusedActivation;
}

interface LeakyCall {
  readonly kernel: "activation";
  readonly elements: number;
  readonly activation: "leakyRelu";
  /** Above 0, and a float32. */
  readonly slope: number;
}

export type ActivationCall = FusibleCall | LeakyCall;

export interface SoftmaxCall {
  readonly kernel: "softmax";
  readonly rows: number;
  readonly channels: number;
}

export interface GlobalPoolCall {
  readonly kernel: "globalAveragePool" | "globalMaxPool";
  readonly pixels: number;
  readonly channels: number;
}

export interface PoolCall {
  readonly kernel: "averagePool" | "maxPool";
  readonly window: Window;
  readonly channels: number;
}

/** The second input is read with strides, 0 along each axis it is broadcast over. */
export interface ElementwiseCall {
  readonly kernel: "add" | "multiply";
  /** `[outer, middle, inner]`: one example of the first input. */
  readonly shape: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
  /** Elements of the second input between two examples; 0 if one serves the whole batch. */
  readonly exampleStride: number;
  readonly activation: FusedActivation;
}

export type KernelCall =
  | ConvolutionCall
  | DepthwiseCall
  | PointwiseCall
  | ScaleShiftCall
  | ActivationCall
  | SoftmaxCall
  | GlobalPoolCall
  | PoolCall
  | ElementwiseCall;

/** A call with a field for the activation that runs within it. */
export type FusingCall = ConvolutionCall | DepthwiseCall | PointwiseCall | ScaleShiftCall | ElementwiseCall;

/** A call of any set: those of gradients, or of another numeric type, have kernels of their own. */
export interface AnyCall {
  readonly kernel: string;
}

/** The calls of a set that go by a kernel's name. */
type CallOf<Call extends AnyCall, K> = Call extends AnyCall ? (K extends Call["kernel"] ? Call : never) : never;

/**
 * One row a kernel of a set of calls; the compiler names the kernels that are missing. Tables of two sets, spread into
 * one, are a table of both.
 */
export type ByKernel<Call extends AnyCall, Result, More extends readonly unknown[] = []> = {
  readonly [K in Call["kernel"]]: (call: CallOf<Call, K>, ...more: More) => Result;
};
