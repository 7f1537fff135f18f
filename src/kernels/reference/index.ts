/** The reference backend's kernels: plain loops, one row a kernel family. */

import type { KernelCall } from "../../operations/kernel-call.ts";
import { activation } from "./activation.ts";
import { convolution } from "./convolution.ts";
import { depthwiseConvolution } from "./depthwise-convolution.ts";
import { elementwise } from "./elementwise.ts";
import { pointwiseConvolution } from "./pointwise-convolution.ts";
import { globalPool, pool } from "./pool.ts";
import { type Runner, type Runners, runnerOf } from "./runner.ts";
import { scaleShift } from "./scale-shift.ts";
import { softmax } from "./softmax.ts";

export { type Operands, type Runner, type Runners, runnerOf } from "./runner.ts";

/**
 * The runners of all calls of a run. Those of another set, of gradients or of integers, are a table in a module of
 * their own; spread into one with this, `runnerOf` makes of it what a backend asks.
 */
export const REFERENCE: Runners<KernelCall> = {
  conv2d: convolution,
  depthwiseConv2d: depthwiseConvolution,
  pointwiseConv2d: pointwiseConvolution,
  scaleShift,
  activation,
  softmax,
  globalAveragePool: globalPool,
  globalMaxPool: globalPool,
  averagePool: pool,
  maxPool: pool,
  add: elementwise,
  multiply: elementwise,
};

/** The function that computes a call on the reference backend. */
export const referenceKernel: (call: KernelCall) => Runner = /* @__PURE__ */ runnerOf(REFERENCE);
