/** The plain backend's kernels: tiles for the convolutions, the reference loops for the rest. */

import type { Window } from "../../core/window.ts";
import type { KernelCall } from "../../operations/kernel-call.ts";
import { type Runner, referenceKernel } from "../reference/index.ts";
import { convolution } from "./convolution.ts";
import { depthwiseConvolution } from "./depthwise-convolution.ts";

export type { Operands, Runner } from "../reference/index.ts";

/** The function that computes a call on the plain backend, to the bits of the reference kernel. */
export function plainKernel(call: KernelCall): Runner {
  switch (call.kernel) {
    case "conv2d":
      return convolution(call);
    case "pointwiseConv2d":
      return convolution({ ...call, kernel: "conv2d", window: windowOverRow(call.pixels) });
    case "depthwiseConv2d":
      return depthwiseConvolution(call);
    default:
      return referenceKernel(call);
  }
}

/** A 1 × 1 window over so many pixels. */
function windowOverRow(pixels: number): Window {
  const ones = [1, 1] as const;
  const size = [1, pixels] as const;
  const none = [0, 0] as const;
  return { kernel: ones, stride: ones, dilation: ones, input: size, output: size, padding: [none, none] };
}
