/** The plain backend's kernels: tiles for the convolutions, the reference loops for the rest. */

import type { Window } from "../../core/window.ts";
import type { KernelCall } from "../../operations/kernel-call.ts";
import { REFERENCE, type Runner, type Runners, runnerOf } from "../reference/index.ts";
import { convolution } from "./convolution.ts";
import { depthwiseConvolution } from "./depthwise-convolution.ts";

export type { Operands, Runner } from "../reference/index.ts";

/** The runners of all calls, to the bits of the reference kernels: see `REFERENCE` for how it goes with other tables. */
export const PLAIN: Runners<KernelCall> = {
  ...REFERENCE,
  conv2d: convolution,
  pointwiseConv2d: (call) => convolution({ ...call, kernel: "conv2d", window: windowOverRow(call.pixels) }),
  depthwiseConv2d: depthwiseConvolution,
};

/** The function that computes a call on the plain backend. */
export const plainKernel: (call: KernelCall) => Runner = /* @__PURE__ */ runnerOf(PLAIN);

/** A 1 × 1 window over so many pixels. */
function windowOverRow(pixels: number): Window {
  const ones = [1, 1] as const;
  const size = [1, pixels] as const;
  const none = [0, 0] as const;
  return { kernel: ones, stride: ones, dilation: ones, input: size, output: size, padding: [none, none] };
}
