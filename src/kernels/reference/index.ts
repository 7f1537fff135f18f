/** The reference backend's kernels: plain loops, one row a kernel family. */

import type { ByKernel, KernelCall } from "../../operations/kernel-call.ts";
import { activation } from "./activation.ts";
import { convolution } from "./convolution.ts";
import { depthwiseConvolution } from "./depthwise-convolution.ts";
import { elementwise } from "./elementwise.ts";
import { pointwiseConvolution } from "./pointwise-convolution.ts";
import { globalPool, pool } from "./pool.ts";
import { scaleShift } from "./scale-shift.ts";
import { softmax } from "./softmax.ts";

/** What a call reads and writes. `parameters` is `[kernel, bias?]`, or `[scale, shift]` of a batch norm. */
export interface Operands {
  readonly inputs: readonly Float32Array[];
  readonly parameters: readonly (Float32Array | undefined)[];
  readonly output: Float32Array;
}

export type Runner = (batch: number, operands: Operands) => void;

const KERNELS: ByKernel<KernelCall, Runner> = {
  conv2d: (call) => {
    const sums = new Float64Array(call.outChannels);
    return (batch, { inputs: [x], parameters: [w, bias], output }) =>
      convolution(call, batch, x, w!, bias, output, sums);
  },
  depthwiseConv2d: (call) => {
    const sums = new Float64Array(call.channels * call.multiplier);
    return (batch, { inputs: [x], parameters: [w, bias], output }) =>
      depthwiseConvolution(call, batch, x, w!, bias, output, sums);
  },
  pointwiseConv2d: (call) => {
    const sums = new Float64Array(2 * call.outChannels);
    return (batch, { inputs: [x], parameters: [w, bias], output }) =>
      pointwiseConvolution(call, batch, x, w!, bias, output, sums);
  },
  scaleShift:
    (call) =>
    (batch, { inputs: [x], parameters: [scale, shift], output }) =>
      scaleShift(call, batch, x, scale!, shift!, output),
  activation:
    (call) =>
    (batch, { inputs: [x], output }) =>
      activation(call, batch, x, output),
  softmax:
    (call) =>
    (batch, { inputs: [x], output }) =>
      softmax(call, batch, x, output),
  globalAveragePool:
    (call) =>
    (batch, { inputs: [x], output }) =>
      globalPool(call, batch, x, output),
  globalMaxPool:
    (call) =>
    (batch, { inputs: [x], output }) =>
      globalPool(call, batch, x, output),
  averagePool:
    (call) =>
    (batch, { inputs: [x], output }) =>
      pool(call, batch, x, output),
  maxPool:
    (call) =>
    (batch, { inputs: [x], output }) =>
      pool(call, batch, x, output),
  add:
    (call) =>
    (batch, { inputs: [a, b], output }) =>
      elementwise(call, batch, a, b, output),
  multiply:
    (call) =>
    (batch, { inputs: [a, b], output }) =>
      elementwise(call, batch, a, b, output),
};

/** The function that computes a call on the reference backend. Scratch memory is allocated here, not in a run. */
export function referenceKernel(call: KernelCall): Runner {
  // Each row takes its own kind of call; the index loses that.
  return (KERNELS[call.kernel] as (call: KernelCall) => Runner)(call);
}
