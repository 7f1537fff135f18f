/** Gradients of convolutions and dense layers. */

import { DepthwiseError } from "../../core/errors.ts";
import { asFloat, type FloatTensor, type Shape, shapeText, type Tensor } from "../../core/tensor.ts";
import type { WindowOptions } from "../../core/window.ts";
import { commonOptions, compute, type EagerOptions, expectBias, expectShape, produce } from "../../eager/run.ts";
import { layerGradients, layerRunner } from "../../kernels/reference/gradients/layer.ts";
import { biasGradient } from "../../kernels/reference/gradients/layer-gradients.ts";
import { convolution } from "../../operations/convolution.ts";
import { dense } from "../../operations/dense.ts";
import { depthwiseConvolution } from "../../operations/depthwise-convolution.ts";
import { type FusingOperation, imageShape, lastAxis } from "../../operations/operation.ts";
import { pointwiseConvolution } from "../../operations/pointwise-convolution.ts";
import type { WeightedCall } from "../../operations/training-call.ts";
import { beforeActivation, expectUpstream } from "./run.ts";

/** The gradients of a layer with a kernel. */
export interface WeightedGradient {
  /** Of the input's shape. */
  readonly dx: FloatTensor;
  /** Of the kernel's shape, summed over the batch. */
  readonly dw: FloatTensor;
  /** `[output channels]`, where there is a bias. */
  readonly db?: FloatTensor;
}

/**
 * Gradient of `conv2d`. With dz the gradient before the activation, over all (n, y, x) of the output:
 *
 *     dx[n, y·s + u·d − top, x·s + v·d − left, c] += dz[n, y, x, o] · kernel[u, v, c, o]
 *     dw[u, v, c, o] += input[n, y·s + u·d − top, x·s + v·d − left, c] · dz[n, y, x, o]      db[o] += dz[n, y, x, o]
 *
 * Sums run in float64 and are rounded once.
 *
 * @param upstream `[batch, outHeight, outWidth, filters]`, float32: the gradient of what `conv2d` gave
 * @param input    `[batch, height, width, channels]`, float32
 * @param kernel   `[kh, kw, channels, filters]`, float32
 * @param options  as for `conv2d`
 * @throws {DepthwiseError} as `conv2d`; `SHAPE_MISMATCH` for an upstream of another shape than the output
 */
export function conv2dGradient(
  upstream: Tensor,
  input: Tensor,
  kernel: Tensor,
  options: EagerOptions & WindowOptions = {},
): WeightedGradient {
  return layerGradient("conv2dGradient", STANDARD, upstream, input, kernel, options);
}

/**
 * Gradient of `depthwiseConv2d`; as `conv2dGradient`, where each filter reads one channel.
 *
 * @param upstream `[batch, outHeight, outWidth, channels · m]`, float32
 * @param input    `[batch, height, width, channels]`, float32
 * @param kernel   `[kh, kw, channels, m]`, float32
 * @param options  as for `depthwiseConv2d`
 * @throws {DepthwiseError} as `conv2dGradient`
 */
export function depthwiseConv2dGradient(
  upstream: Tensor,
  input: Tensor,
  kernel: Tensor,
  options: EagerOptions & WindowOptions = {},
): WeightedGradient {
  return layerGradient("depthwiseConv2dGradient", DEPTHWISE, upstream, input, kernel, options);
}

/**
 * Gradient of `pointwiseConv2d`: `dx = dz · kernelᵀ`, `dw = inputᵀ · dz`, `db` the sum of dz over all pixels.
 *
 * @param upstream `[batch, height, width, filters]`, float32
 * @param input    `[batch, height, width, channels]`, float32
 * @param kernel   `[1, 1, channels, filters]`, float32
 * @param options  as for `pointwiseConv2d`
 * @throws {DepthwiseError} as `conv2dGradient`
 */
export function pointwiseConv2dGradient(
  upstream: Tensor,
  input: Tensor,
  kernel: Tensor,
  options: EagerOptions = {},
): WeightedGradient {
  return layerGradient("pointwiseConv2dGradient", POINTWISE, upstream, input, kernel, options);
}

/**
 * Gradient of `dense`; as `pointwiseConv2dGradient`.
 *
 * @param upstream `[batch, filters]`, float32
 * @param input    `[batch, channels]`, float32
 * @param kernel   `[channels, filters]`, float32
 * @param options  as for `dense`
 * @throws {DepthwiseError} as `conv2dGradient`
 */
export function denseGradient(
  upstream: Tensor,
  input: Tensor,
  kernel: Tensor,
  options: EagerOptions = {},
): WeightedGradient {
  return layerGradient("denseGradient", DENSE, upstream, input, kernel, options);
}

interface WeightedLayer {
  /** Checks the attributes, of which those of the window are the caller's, and makes the call. */
  resolve(owner: string, x: Shape, kernel: Shape, window: WindowOptions): { shape: Shape; call: WeightedCall };
  readonly known: readonly string[];
  /** Of the kernel, in errors. */
  readonly axes: string;
  /** What the kernel's sides must be; those that are free as they are. */
  kernelShape(kernel: Shape, channels: number): Shape;
}

const PLAIN_OPTIONS = ["bias", "activation"] as const;
const WINDOW_OPTIONS = ["bias", "activation", "stride", "dilation", "padding"] as const;

const STANDARD: WeightedLayer = {
  known: WINDOW_OPTIONS,
  axes: "[kh, kw, channels, filters]",
  kernelShape: ([kh = 0, kw = 0, , filters = 0], channels) => [kh, kw, channels, filters],
  resolve: (owner, x, [kh, kw, , filters], window) =>
    resolved(owner, convolution, x, { ...window, kernel: [kh, kw], filters }),
};

const DEPTHWISE: WeightedLayer = {
  known: WINDOW_OPTIONS,
  axes: "[kh, kw, channels, multiplier]",
  kernelShape: ([kh = 0, kw = 0, , multiplier = 0], channels) => [kh, kw, channels, multiplier],
  resolve: (owner, x, [kh, kw, , multiplier], window) =>
    resolved(owner, depthwiseConvolution, x, { ...window, kernel: [kh, kw], multiplier }),
};

const POINTWISE: WeightedLayer = {
  known: PLAIN_OPTIONS,
  axes: "[1, 1, channels, filters]",
  kernelShape: ([, , , filters = 0], channels) => [1, 1, channels, filters],
  resolve: (owner, x, [, , , filters]) => resolved(owner, pointwiseConvolution, x, { filters }),
};

const DENSE: WeightedLayer = {
  known: PLAIN_OPTIONS,
  axes: "[channels, filters]",
  kernelShape: ([, filters = 0], channels) => [channels, filters],
  resolve: (owner, x, [, filters]) => resolved(owner, dense, x, { filters }),
};

function resolved<Attributes>(
  owner: string,
  operation: FusingOperation<Attributes>,
  x: Shape,
  unchecked: Readonly<Record<string, unknown>>,
): { shape: Shape; call: WeightedCall } {
  const attributes = operation.check(owner, unchecked);
  const shape = operation.outputShape(owner, attributes, [x]);
  return { shape, call: operation.call(owner, attributes, [x], shape) as WeightedCall };
}

function layerGradient(
  owner: string,
  layer: WeightedLayer,
  upstream: Tensor,
  input: Tensor,
  kernel: Tensor,
  options: EagerOptions & WindowOptions,
): WeightedGradient {
  const { activation } = commonOptions(owner, options, layer.known);
  const x = asFloat(input, `${owner}: input`);
  if (layer !== DENSE) imageShape(owner, x.shape);
  const channels = lastAxis(x.shape);
  const anyKernel = asFloat(kernel, `${owner}: kernel`);
  expectSides(owner, layer, anyKernel.shape);
  const expected = layer.kernelShape(anyKernel.shape, channels);
  const w = expectShape(owner, "kernel", anyKernel, expected, `The input has ${channels} channels.`);
  const { stride, dilation, padding } = options;
  const { shape, call } = layer.resolve(owner, x.shape, w.shape, { stride, dilation, padding } as WindowOptions);
  const bias = expectBias(owner, options.bias, lastAxis(shape));
  const dy = expectUpstream(owner, upstream, shape);
  const batch = shape[0] ?? 1;
  const dz = beforeActivation(activation, dy, () => compute(shape, layerRunner(call), [x.data], [w.data, bias]));
  const gradients = layerGradients(call);
  const dx = produce(x.shape, (into) => gradients.input(batch, dz, w.data, into));
  const dw = produce(w.shape, (into) => gradients.kernel(batch, x.data, dz, into, false));
  if (bias === undefined) return { dx, dw };
  const { outputPixels, outputChannels } = gradients;
  const db = produce([outputChannels], (into) => biasGradient(dz, batch * outputPixels, into, outputChannels, false));
  return { dx, dw, db };
}

function expectSides(owner: string, { axes }: WeightedLayer, found: Shape): void {
  if (found.length === axes.split(",").length && found.every((side) => side > 0)) return;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: kernel`,
    expected: `shape ${axes}, no side 0`,
    found: shapeText(found),
    fields: { found },
  });
}
