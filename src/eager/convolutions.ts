/** Convolutions and dense layers on tensors. */

import { DepthwiseError } from "../core/errors.ts";
import { asFloat, type FloatTensor, shapeText, type Tensor } from "../core/tensor.ts";
import type { WindowOptions } from "../core/window.ts";
import { convolution as convolutionKernel } from "../kernels/reference/convolution.ts";
import { depthwiseConvolution as depthwiseKernel } from "../kernels/reference/depthwise-convolution.ts";
import { pointwiseConvolution as pointwiseKernel } from "../kernels/reference/pointwise-convolution.ts";
import { convolution } from "../operations/convolution.ts";
import { dense as denseOperation } from "../operations/dense.ts";
import { depthwiseConvolution } from "../operations/depthwise-convolution.ts";
import type { ConvolutionCall, DepthwiseCall, PointwiseCall } from "../operations/kernel-call.ts";
import { imageShape } from "../operations/operation.ts";
import { pointwiseConvolution } from "../operations/pointwise-convolution.ts";
import { commonOptions, compute, type EagerOptions, expectBias, expectShape } from "./run.ts";

const WINDOWED = ["bias", "activation", "stride", "dilation", "padding"] as const;

/**
 * Standard convolution: every filter reads every channel.
 *
 *     output[n, y, x, o] = bias[o] + Σ(u, v, c) input[n, y·s + u·d − top, x·s + v·d − left, c] · kernel[u, v, c, o]
 *
 * Sums run over u, then v, then c. Source: Howard et al. 2017, equation 1; stride and padding as in TensorFlow's
 * `nn.conv2d`.
 *
 * @param input   `[batch, height, width, channels]`, float32
 * @param kernel  `[kh, kw, channels, filters]`, float32
 * @param options `bias` `[filters]`; `stride` and `dilation`: a number or `[vertical, horizontal]`, default 1;
 *                `padding`: `'same'` (default), `'valid'` or `[[top, bottom], [left, right]]`; `activation`
 * @returns `[batch, outHeight, outWidth, filters]`, a new tensor
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the kernel's channels differ from the input's; `DTYPE_MISMATCH`;
 *         `OPTION_INVALID` for an option; `NETWORK_VANISHES` if the kernel does not fit
 */
export function conv2d(input: Tensor, kernel: Tensor, options: EagerOptions & WindowOptions = {}): FloatTensor {
  const owner = "conv2d";
  const { activation } = commonOptions(owner, options, WINDOWED);
  const x = asFloat(input, `${owner}: input`);
  const [, , , channels] = imageShape(owner, x.shape);
  const w = asFloat(kernel, `${owner}: kernel`);
  const [kh = 0, kw = 0, , filters = 0] = kernelShape(owner, w, "[kh, kw, channels, filters]");
  expectShape(owner, "kernel", w, [kh, kw, channels, filters], `The input has ${channels} channels.`);
  const bias = expectBias(owner, options.bias, filters);
  const attributes = convolution.check(owner, { ...windowOf(options), kernel: [kh, kw], filters });
  const shape = convolution.outputShape(owner, attributes, [x.shape]);
  const call = convolution.call(owner, attributes, [x.shape], shape) as ConvolutionCall;
  return compute(shape, convolutionKernel({ ...call, activation }), [x.data], [w.data, bias]);
}

/**
 * Depthwise convolution: filters each channel on its own and mixes none.
 *
 *     output[n, y, x, c·m + j] = bias[c·m + j]
 *                              + Σ(u, v) input[n, y·s + u·d − top, x·s + v·d − left, c] · kernel[u, v, c, j]
 *
 * `m` is the depthwise multiplier, `s` the stride, `d` the dilation. Positions outside the input count as 0.
 * Source: Howard et al. 2017, equation 3 (there m = 1, s = 1); stride and padding as in TensorFlow's
 * `nn.depthwise_conv2d`.
 *
 * @param input   `[batch, height, width, channels]`, float32
 * @param kernel  `[kh, kw, channels, m]`, float32
 * @param options as for `conv2d`; `bias` `[channels · m]`
 * @returns `[batch, outHeight, outWidth, channels · m]`, a new tensor
 * @throws {DepthwiseError} as `conv2d`
 */
export function depthwiseConv2d(
  input: Tensor,
  kernel: Tensor,
  options: EagerOptions & WindowOptions = {},
): FloatTensor {
  const owner = "depthwiseConv2d";
  const { activation } = commonOptions(owner, options, WINDOWED);
  const x = asFloat(input, `${owner}: input`);
  const [, , , channels] = imageShape(owner, x.shape);
  const w = asFloat(kernel, `${owner}: kernel`);
  const [kh = 0, kw = 0, , multiplier = 0] = kernelShape(owner, w, "[kh, kw, channels, multiplier]");
  expectShape(owner, "kernel", w, [kh, kw, channels, multiplier], `The input has ${channels} channels.`);
  const bias = expectBias(owner, options.bias, channels * multiplier);
  const attributes = depthwiseConvolution.check(owner, { ...windowOf(options), kernel: [kh, kw], multiplier });
  const shape = depthwiseConvolution.outputShape(owner, attributes, [x.shape]);
  const call = depthwiseConvolution.call(owner, attributes, [x.shape], shape) as DepthwiseCall;
  return compute(shape, depthwiseKernel({ ...call, activation }), [x.data], [w.data, bias]);
}

/**
 * Pointwise convolution: a 1 × 1 kernel that mixes the channels of each pixel.
 *
 *     output[n, y, x, o] = bias[o] + Σ(c) input[n, y, x, c] · kernel[0, 0, c, o]
 *
 * Source: Howard et al. 2017, section 3.1.
 *
 * @param input   `[batch, height, width, channels]`, float32
 * @param kernel  `[1, 1, channels, filters]`, float32
 * @param options `bias` `[filters]`, `activation`
 * @returns `[batch, height, width, filters]`, a new tensor
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`
 */
export function pointwiseConv2d(input: Tensor, kernel: Tensor, options: EagerOptions = {}): FloatTensor {
  const owner = "pointwiseConv2d";
  const { activation } = commonOptions(owner, options, ["bias", "activation"]);
  const x = asFloat(input, `${owner}: input`);
  const [, , , channels] = imageShape(owner, x.shape);
  const w = asFloat(kernel, `${owner}: kernel`);
  const filters = kernelShape(owner, w, "[1, 1, channels, filters]")[3] ?? 0;
  expectShape(owner, "kernel", w, [1, 1, channels, filters], `The input has ${channels} channels.`);
  const bias = expectBias(owner, options.bias, filters);
  const attributes = pointwiseConvolution.check(owner, { filters });
  const shape = pointwiseConvolution.outputShape(owner, attributes, [x.shape]);
  const call = pointwiseConvolution.call(owner, attributes, [x.shape], shape) as PointwiseCall;
  return compute(shape, pointwiseKernel({ ...call, activation }), [x.data], [w.data, bias]);
}

/**
 * Dense (fully connected) layer: `output[n, o] = bias[o] + Σ(c) input[n, c] · kernel[c, o]`.
 *
 * @param input   `[batch, channels]`, float32
 * @param kernel  `[channels, filters]`, float32
 * @param options `bias` `[filters]`, `activation`
 * @returns `[batch, filters]`, a new tensor
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`
 */
export function dense(input: Tensor, kernel: Tensor, options: EagerOptions = {}): FloatTensor {
  const owner = "dense";
  const { activation } = commonOptions(owner, options, ["bias", "activation"]);
  const x = asFloat(input, `${owner}: input`);
  const w = asFloat(kernel, `${owner}: kernel`);
  const attributes = denseOperation.check(owner, { filters: w.shape[1] });
  const shape = denseOperation.outputShape(owner, attributes, [x.shape]);
  const { filters } = attributes;
  expectShape(owner, "kernel", w, [x.shape[1] ?? 0, filters], `The input has ${x.shape[1]} channels.`);
  const bias = expectBias(owner, options.bias, filters);
  const call = denseOperation.call(owner, attributes, [x.shape], shape) as PointwiseCall;
  return compute(shape, pointwiseKernel({ ...call, activation }), [x.data], [w.data, bias]);
}

/** What an operation checks of the options. */
function windowOf({ stride, dilation, padding }: WindowOptions) {
  return { stride, dilation, padding };
}

function kernelShape(owner: string, kernel: FloatTensor, axes: string): readonly number[] {
  if (kernel.shape.length === 4 && kernel.shape.every((side) => side > 0)) return kernel.shape;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: kernel`,
    expected: `shape ${axes}, no side 0`,
    found: shapeText(kernel.shape),
    fields: { found: kernel.shape },
  });
}
