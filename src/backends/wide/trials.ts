/**
 * Calls that try wide kernels, and their numbers: small and whole, so that every sum is exact in whatever order, and
 * plain loops say what must come out to the bit. That roundings are the same too is a matter of tests.
 */

import type { Window } from "../../core/window.ts";
import type { KernelCall } from "../../plan/plan.ts";

type CallOf<Kernel extends KernelCall["kernel"]> = Extract<KernelCall, { readonly kernel: Kernel }>;
/** Calls of kernels that are wide. */
export type TriedCall = CallOf<"conv2d" | "depthwiseConv2d" | "pointwiseConv2d">;

/** What is timed against 128 bits: a tile at its best. */
export const TIMED: TriedCall = /* @__PURE__ */ pointwise(48, 64, 64);

/** A call for each function that is emitted: each height of tile by itself, each width at each stride, each edge. */
export function triedCalls(): readonly TriedCall[] {
  const sizes = [3, 5] as const;
  return [
    ...[6, 5, 4, 1].map((pixels) => pointwise(pixels, 9, 48)),
    // A lone pixel takes several panels at once, and what is left by itself.
    pointwise(1, 9, 84),
    ...[12, 11, 10, 9, 8, 1].map((pixels) => pointwise(pixels, 9, 24)),
    pointwise(23, 7, 13),
    pointwise(9, 7, 5),
    ...[24, 40].map((outChannels) => convolution(windowOf(3, 2, 6, 1), outChannels)),
    ...sizes.flatMap((size) =>
      [1, 2].flatMap((stride) => [4, 2, 1].map((width) => depthwise(windowOf(size, stride, width, 0), 24))),
    ),
    ...sizes.flatMap((size) => [1, 2].map((stride) => depthwise(windowOf(size, stride, 7, size >> 1), 20))),
    depthwise(windowOf(2, 1, 5, 1), 13),
    depthwise(windowOf(3, 1, 5, 1), 9, 2),
    TIMED,
  ];
}

function pointwise(pixels: number, inChannels: number, outChannels: number): CallOf<"pointwiseConv2d"> {
  return { kernel: "pointwiseConv2d", pixels, inChannels, outChannels, activation: "relu6" };
}

function convolution(window: Window, outChannels: number): CallOf<"conv2d"> {
  return { kernel: "conv2d", window, inChannels: 3, outChannels, activation: "relu6" };
}

function depthwise(window: Window, channels: number, multiplier = 1): CallOf<"depthwiseConv2d"> {
  return { kernel: "depthwiseConv2d", window, channels, multiplier, activation: "relu6" };
}

/** A square window with a square of outputs, and as much padding on every side. */
function windowOf(size: number, stride: number, width: number, pad: number): Window {
  const side = (width - 1) * stride + size - 2 * pad;
  return {
    kernel: [size, size],
    stride: [stride, stride],
    dilation: [1, 1],
    input: [side, side],
    output: [width, width],
    padding: [
      [pad, pad],
      [pad, pad],
    ],
  };
}

/** Pixels in a row, each a window of its own. */
const rowOf = (pixels: number): Window => ({
  ...windowOf(1, 1, 1, 0),
  input: [1, pixels],
  output: [1, pixels],
});

/** Numbers for a call, what comes out, and how many multiplications that takes. */
export function trialNumbers(call: TriedCall) {
  const isDepthwise = call.kernel === "depthwiseConv2d";
  const window = call.kernel === "pointwiseConv2d" ? rowOf(call.pixels) : call.window;
  const inChannels = isDepthwise ? call.channels : call.inChannels;
  const channels = isDepthwise ? call.channels * call.multiplier : call.outChannels;
  const [[kh, kw], [height, width], [outHeight, outWidth]] = [window.kernel, window.input, window.output];
  // Input channels that an output channel sums over.
  const depth = isDepthwise ? 1 : inChannels;
  const x = whole(height * width * inChannels, 7);
  const kernel = whole(kh * kw * depth * channels, 5);
  const bias = whole(channels, 3);
  const output = Float32Array.from({ length: outHeight * outWidth * channels }, (_, index) => {
    const channel = index % channels;
    const pixel = (index - channel) / channels;
    const top = Math.floor(pixel / outWidth) * window.stride[0] - window.padding[0][0];
    const left = (pixel % outWidth) * window.stride[1] - window.padding[1][0];
    let sum = bias[channel] as number;
    for (let tap = 0; tap < kh * kw; tap++) {
      const row = top + Math.floor(tap / kw);
      const column = left + (tap % kw);
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      for (let c = 0; c < depth; c++) {
        const from = isDepthwise ? Math.floor(channel / call.multiplier) : c;
        const weight = kernel[(tap * depth + c) * channels + channel] as number;
        sum += (x[(row * width + column) * inChannels + from] as number) * weight;
      }
    }
    return Math.min(Math.max(sum, 0), 6);
  });
  return { x, kernel, bias, output, multAdds: output.length * kh * kw * depth };
}

/** From −most to most, in no order that a lane or a row could be mistaken in. */
function whole(count: number, most: number): Float32Array {
  let state = count;
  return Float32Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return ((state >> 16) % (2 * most + 1)) - most;
  });
}
