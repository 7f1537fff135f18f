/**
 * What a step of training computes, as plain data: geometry of one example, no names, no tensors. Besides these the
 * calls of a run are used as they are, with the activation `linear`, where nothing is normalised or saved.
 *
 * Operands go by their roles, since a backward step has a dozen. Values are laid out as everywhere: activations NHWC,
 * kernels in the layout of the network's parameters. Two values are of training alone, both float32, for C channels:
 *
 * - a `norm` of a value z, `[4][C]`: scale, shift, mean, 1 / √(variance + epsilon). Normalised, z is z · scale + shift;
 * - its `normGradient`, `[3][C]`: p, q, r. The gradient of z is p · dy′ + q · z + r, where dy′ is that of the normalised
 *   and clamped value, 0 where the clamp held.
 *
 *     dbeta = Σ dy′     dgamma = Σ dy′ · x̂     x̂ = (z − mean) / √(variance + epsilon)     n pixels of the batch
 *     batch:   p = scale    q = −scale · dgamma / n / √(variance + epsilon)    r = −scale · dbeta / n − q · mean
 *     frozen:  p = scale    q = r = 0
 *
 * Source: Ioffe and Szegedy 2015, §3, the gradients put in order of z.
 */

import type { FusedActivation } from "./activation-names.ts";
import type {
  ActivationCall,
  ConvolutionCall,
  DepthwiseCall,
  ElementwiseCall,
  GlobalPoolCall,
  PointwiseCall,
  PoolCall,
} from "./kernel-call.ts";

/** A layer with a kernel. Its own activation is `linear`. */
export type WeightedCall = ConvolutionCall | DepthwiseCall | PointwiseCall;

/** Activations that are computed again wherever they are read, and never lie in memory. */
export type LoadClamp = Extract<FusedActivation, "linear" | "relu" | "relu6">;

/** How a value is read: normalised (by its `norm`) or not, then clamped. */
export interface Load {
  readonly norm: boolean;
  readonly clamp: LoadClamp;
}

/** A batch norm over the last axis. */
export interface Norm {
  /** Statistics of the batch, through which the gradient flows; or the moving ones, which are constants. */
  readonly mode: "batch" | "frozen";
  /** Of one example. */
  readonly pixels: number;
  readonly channels: number;
  readonly epsilon: number;
  /** New moving statistics are momentum · moving + (1 − momentum) · batch. */
  readonly momentum: number;
  /** Which batch variance goes into the moving one: divided by n, or by n − 1. The biased one always normalises. */
  readonly variance: "biased" | "unbiased";
}

/**
 * A layer with a kernel, its input read as `load` says; with `norm` the batch norm behind it is measured.
 *
 * Operands: x, xNorm?, kernel, bias? → y; with norm: gamma?, beta?, movingMean, movingVariance (both written in mode
 * `batch`) → yNorm.
 */
export interface ForwardCall {
  readonly kernel: "forward";
  readonly of: WeightedCall;
  readonly load?: Load;
  readonly norm?: Norm;
}

/**
 * Its gradients. `upstream` says how y is read by others: dy is the gradient of what they read, and that of y follows
 * from it by y, yNorm and yNormGradient.
 *
 * Operands: dy, y? (with upstream), yNorm?, yNormGradient?, x, xNorm?, kernel → dx?, dkernel?, dbias?. dx is the gradient
 * of x as it was read, normalised and clamped. With `normGradient`, a norm of mode `batch` or `frozen` of x, whose clamp
 * is that of `load`: xGamma? → xNormGradient, dgamma?, dbeta?, from dx.
 */
export interface BackwardCall {
  readonly kernel: "backward";
  readonly of: WeightedCall;
  readonly upstream?: Load;
  readonly load?: Load;
  readonly normGradient?: Norm;
}

/** y = x, read as `load` says. Operands: x, xNorm? → y. */
export interface NormaliseCall {
  readonly kernel: "normalise";
  readonly load: Load;
  readonly pixels: number;
  readonly channels: number;
}

/** Operands: x, gamma?, beta?, movingMean, movingVariance → xNorm, and the moving statistics in mode `batch`. */
export interface NormCall {
  readonly kernel: "norm";
  readonly norm: Norm;
}

/** Operands: dy, x, xNorm, gamma? → xNormGradient, dgamma?, dbeta?. dy is of x normalised and clamped. */
export interface NormGradientCall {
  readonly kernel: "normGradient";
  readonly norm: Norm;
  readonly clamp: LoadClamp;
}

/** Operands: dy, x, xNorm?, xNormGradient? → dx; also in place of dy. */
export interface NormaliseGradientCall {
  readonly kernel: "normaliseGradient";
  readonly load: Load;
  readonly pixels: number;
  readonly channels: number;
}

/**
 * Softmax cross-entropy. Operands: logits, targets (a row of shares for each example, which adds up to 1) → perExample,
 * dlogits (of the mean over the batch, times `scale`: 1 / parts of an accumulated batch).
 */
export interface LossCall {
  readonly kernel: "softmaxCrossEntropy";
  readonly classes: number;
}

/** Operands: dy, x → dx. */
export interface ActivationGradientCall {
  readonly kernel: "activationGradient";
  readonly of: ActivationCall;
}

/** Operands: dy, y → dx. */
export interface SoftmaxGradientCall {
  readonly kernel: "softmaxGradient";
  readonly rows: number;
  readonly channels: number;
}

/** Operands: dy, x (of maxima alone) → dx. The first of equal maxima takes it all. */
export interface PoolGradientCall {
  readonly kernel: "poolGradient";
  readonly of: PoolCall | GlobalPoolCall;
}

/** Operands: dy, a, b (the other one, of a product alone) → da or db, summed over the axes that b was broadcast along. */
export interface ElementwiseGradientCall {
  readonly kernel: "elementwiseGradient";
  readonly of: ElementwiseCall;
  readonly to: "a" | "b";
}

/** Two gradients of one value. Operands: a, b → y; also in place of a. */
export interface SumCall {
  readonly kernel: "sum";
  readonly elements: number;
}

/**
 * Sets a share of the numbers to 0 and multiplies the others by 1 / (1 − rate); the same ones of dy as of x. Which, is
 * counted from three words of the operand `random` (bits in float32: the low word of a seed, how often it was drawn, the
 * seed's high word), the layer's own number and the element's. Operands: x, random → y; or dy, random → dx.
 */
export interface DropoutCall {
  readonly kernel: "dropout";
  readonly elements: number;
  readonly rate: number;
  /** Unlike that of any other layer. */
  readonly layer: number;
}

export type TrainingCall =
  | DropoutCall
  | ForwardCall
  | BackwardCall
  | NormaliseCall
  | NormCall
  | NormGradientCall
  | NormaliseGradientCall
  | LossCall
  | ActivationGradientCall
  | SoftmaxGradientCall
  | PoolGradientCall
  | ElementwiseGradientCall
  | SumCall;
