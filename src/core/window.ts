/**
 * The one copy of window geometry: where a kernel lies over an image.
 *
 * Per axis, with n pixels, kernel k, stride s, dilation d, the window spans e = (k − 1)·d + 1 pixels:
 *
 *     'valid'   out = ⌊(n − e) / s⌋ + 1
 *     'same'    out = ⌈n / s⌉, padding in all max((out − 1)·s + e − n, 0), the odd pixel after (TensorFlow)
 *     explicit  out = ⌊(n + before + after − e) / s⌋ + 1
 *
 * Source: TensorFlow, "Convolution / padding" in the documentation of `tf.nn`.
 */

import { DepthwiseError } from "./errors.ts";
import { isListOf, optionError, type PerAxis, positivePair } from "./options.ts";

/** `[[top, bottom], [left, right]]`, in pixels. */
export type ExplicitPadding = readonly [readonly [number, number], readonly [number, number]];
/**
 * `same`: TensorFlow's, outputs of size ⌈input / stride⌉. `valid`: windows inside the image alone. Or pixels by side.
 */
export type Padding = "same" | "valid" | ExplicitPadding;

/** How a window moves over an image: what convolutions and pools share. */
export interface WindowOptions {
  /** Step of the window, `n` or `[vertical, horizontal]`. Default 1. */
  readonly stride?: PerAxis;
  /** Distance of the kernel's taps, `n` or `[vertical, horizontal]`. Default 1. */
  readonly dilation?: PerAxis;
  /** `'same'` (TensorFlow's, default), `'valid'`, or `[[top, bottom], [left, right]]` in pixels. */
  readonly padding?: Padding;
}

/** Window options after their check: both axes spelled out. */
export interface WindowAttributes {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: Padding;
}

/** A window laid over an image of a known size. Sizes are `[height, width]`, pads are resolved to pixels. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly padding: ExplicitPadding;
}

/** Checks the options of a window and fills in the defaults. `owner` names the layer in errors. */
export function windowAttributes(owner: string, kernel: unknown, options: WindowOptions): WindowAttributes {
  return {
    kernel: positivePair(owner, "kernel", kernel),
    stride: positivePair(owner, "stride", options.stride ?? 1),
    dilation: positivePair(owner, "dilation", options.dilation ?? 1),
    padding: checkPadding(owner, options.padding ?? "same"),
  };
}

/**
 * Lays a window over an image: the output size and the pads in pixels.
 *
 * @param input `[height, width]`
 * @throws {DepthwiseError} `NETWORK_VANISHES` if the window does not fit once and nothing would come out;
 *         `OPTION_INVALID` if it spans more pixels than kernels can count
 */
export function layWindow(owner: string, attributes: WindowAttributes, input: readonly [number, number]): Window {
  const { kernel, stride, dilation, padding } = attributes;
  const [vertical, horizontal] = ([0, 1] as const).map((axis) =>
    layAxis(
      input[axis],
      kernel[axis],
      stride[axis],
      dilation[axis],
      typeof padding === "string" ? padding : padding[axis],
    ),
  ) as [Axis, Axis];
  ([0, 1] as const).forEach((axis) => {
    const { before, after } = axis === 0 ? vertical : horizontal;
    const extent = (kernel[axis] - 1) * dilation[axis] + 1;
    const most = Math.max(extent, stride[axis], dilation[axis], before, after);
    if (most <= MOST_PIXELS) return;
    const name = axis === 0 ? "vertical" : "horizontal";
    const expected = `kernel, stride, dilation and padding to span at most ${MOST_PIXELS.toLocaleString("en-US")} pixels`;
    throw optionError(owner, `${name} window`, expected, most);
  });
  if (vertical.output < 1 || horizontal.output < 1) {
    throw new DepthwiseError("NETWORK_VANISHES", {
      what: owner,
      expected: `an input of at least ${smallest(attributes, 0)} × ${smallest(attributes, 1)} pixels`,
      found: `${input[0]} × ${input[1]}`,
      advice: "Nothing would be left after this layer: use a larger input, fewer strides, or padding 'same'.",
      fields: { layer: owner, input, kernel, stride, dilation, padding },
    });
  }
  return {
    kernel,
    stride,
    dilation,
    input,
    output: [vertical.output, horizontal.output],
    padding: [
      [vertical.before, vertical.after],
      [horizontal.before, horizontal.after],
    ],
  };
}

/** Emitted kernels add a side of an image, of 2³⁰ pixels at most, to two such spans in 32 bits, sign included. */
const MOST_PIXELS = 2 ** 28;

interface Axis {
  readonly output: number;
  readonly before: number;
  readonly after: number;
}

function layAxis(
  n: number,
  k: number,
  stride: number,
  dilation: number,
  padding: "same" | "valid" | readonly [number, number],
): Axis {
  const extent = (k - 1) * dilation + 1;
  if (padding === "same") {
    const output = Math.ceil(n / stride);
    const total = Math.max((output - 1) * stride + extent - n, 0);
    const before = Math.floor(total / 2);
    return { output, before, after: total - before };
  }
  const [before, after] = padding === "valid" ? [0, 0] : padding;
  return { output: Math.floor((n + before + after - extent) / stride) + 1, before, after };
}

function smallest({ kernel, dilation, padding }: WindowAttributes, axis: 0 | 1): number {
  if (padding === "same") return 1;
  const pads = padding === "valid" ? 0 : padding[axis][0] + padding[axis][1];
  return Math.max(1, (kernel[axis] - 1) * dilation[axis] + 1 - pads);
}

function checkPadding(owner: string, padding: unknown): Padding {
  if (padding === "same" || padding === "valid") return padding;
  const isSide = (side: unknown): side is number => Number.isSafeInteger(side) && (side as number) >= 0;
  const isAxis = (axis: unknown): axis is [number, number] => isListOf(axis, isSide) && axis.length === 2;
  if (isListOf(padding, isAxis) && padding.length === 2) {
    const [[top, bottom], [left, right]] = padding as readonly [number, number][] & ExplicitPadding;
    return [
      [top, bottom],
      [left, right],
    ];
  }
  throw optionError(owner, "padding", `"same", "valid" or [[top, bottom], [left, right]] in whole pixels`, padding);
}
