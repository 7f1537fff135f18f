/**
 * Kernels as 8-bit integers with a scale for each output channel, symmetric about 0:
 *
 *     value = integer · scale          rounded to float32
 *     scale = max |value| / 127        over the channel
 *
 * Beside NAME lies NAME_scale, of as many axes, 1 long where they are not the channel's: the product of the two, as
 * arrays broadcast, is the kernel. Source: the names and shapes of compressed-tensors' `int-quantized`, which has a
 * `weight_scale` of `[out, 1]` beside a `weight` of `[out, in]`; our output channels are the last axes.
 */

import { DepthwiseError } from "../core/errors.ts";
import { elementCount, type Shape } from "../core/tensor.ts";

const LARGEST_INTEGER = 127;

/**
 * The smallest normal float32, for channels of zeros and of numbers that are hardly anything else: a scale is never 0,
 * and never so small that it has lost digits.
 */
const SMALLEST_SCALE = 2 ** -126;

/** The largest float32 but one: 127 times the 127th part of the largest would be infinite. */
const LARGEST_VALUE = (2 ** 24 - 2) * 2 ** 104;

/** Added and taken away, it leaves a small float64 rounded to an integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

/** Whether a stored tensor is one of integers that mean nothing without their scales. */
export function isEightBit({ dtype }: { readonly dtype: string }): boolean {
  return dtype === "I8";
}

/** What the scales of a tensor are called. */
export function scaleName(tensor: string): string {
  return `${tensor}_scale`;
}

/** What zero points of a tensor are called, where another tool wrote some: here they are always 0. */
export function zeroPointName(tensor: string): string {
  return `${tensor}_zero_point`;
}

/** Shape of the scales of a tensor whose last axes run over its output channels. */
export function scaleShape(shape: Shape, channelAxes: number): Shape {
  return shape.map((side, axis) => (axis < shape.length - channelAxes ? 1 : side));
}

/** A tensor in integers, and what they are multiplied by. */
export interface EightBit {
  readonly integers: Int8Array<ArrayBuffer>;
  /** One for each output channel, all above 0. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * Rounds each value to the nearest of the 255 that its channel has: it changes by half a scale at most, and by the
 * rounding of the product that comes back; zeros stay zeros. What comes back gives the same integers and scales again.
 *
 * @param name        of the tensor, for messages
 * @param channelAxes how many of the last axes run over the output channels: 2 of a depthwise kernel, else 1
 * @throws {DepthwiseError} `VALUES_NOT_FINITE`, naming the tensor
 */
export function toEightBit(name: string, data: Float32Array, shape: Shape, channelAxes: number): EightBit {
  const channels = elementCount(shape.slice(-channelAxes));
  const largest = new Float32Array(channels);
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i] as number);
    if (!(size < Infinity)) throw notFinite(name, i, data[i]);
    if (size > (largest[i % channels] as number)) largest[i % channels] = size;
  }
  const scales = largest.map(scaleFor);
  const integers = new Int8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    integers[i] = (data[i] as number) / (scales[i % channels] as number) + ROUNDER - ROUNDER;
  }
  return { integers, scales };
}

/** Of what comes back it is the same again: tried for each of the 2^23 fractions that a float32 has. */
function scaleFor(largest: number): number {
  return Math.max(SMALLEST_SCALE, Math.fround(Math.min(largest, LARGEST_VALUE) / LARGEST_INTEGER));
}

function notFinite(name: string, index: number, value: number | undefined): DepthwiseError {
  return new DepthwiseError("VALUES_NOT_FINITE", {
    what: `saveModel: tensor "${name}", element ${index}`,
    expected: "a finite number, to make it an 8-bit integer",
    found: String(value),
    advice: "Write it as F32, or look where the number comes from.",
    fields: { tensor: name, index, value },
  });
}
