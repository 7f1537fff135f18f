/** Rows of numbers on their way into float64 and back. */

import type { FusedActivation } from "../../operations/activation-names.ts";
import { activateRange } from "../reference/activation.ts";

/** The parameters of a convolution: `[kernel, bias?]`. */
export type KernelAndBias = readonly [Float32Array, Float32Array | undefined];

/** Longest row of sums. */
const LENGTH = 256;
/** 6 and ∞ as float32. */
const SIX_BITS = 0x40c0_0000;
const INFINITY_BITS = 0x7f80_0000;

/** to[toAt + i] = from[at + i]. */
export function copyRow(from: Float32Array, at: number, count: number, to: Float64Array, toAt: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[at + i];
}

/** biases[i] = bias[at + i], or 0 without a bias. */
export function loadBias(bias: Float32Array | undefined, at: number, count: number, biases: Float64Array): void {
  biases.fill(0);
  if (bias !== undefined) copyRow(bias, at, count, biases, 0);
}

/** y[at + oc] = activation(sums[oc]), rounded before it is activated. */
export function storeSums(
  sums: Float64Array,
  channels: number,
  activation: FusedActivation,
  y: Float32Array,
  at: number,
): void {
  if (activation === "relu6") clampRow(sums, channels, SIX_BITS, y, at);
  else if (activation === "relu") clampRow(sums, channels, INFINITY_BITS, y, at);
  else {
    for (let oc = 0; oc < channels; oc++) y[at + oc] = sums[oc];
    activateRange(activation, y, at, channels);
  }
}

/**
 * Relu by the bits of a float32, whose order among positive numbers is that of integers. Half of a layer's sums are
 * negative, in no order that a processor could guess: a comparison costs 5 ns an element, the mask 1.2.
 */
const clampRow = /* @__PURE__ */ makeClampRow();

function makeClampRow() {
  const floats = new Float32Array(LENGTH);
  const bits = new Int32Array(floats.buffer);
  return (sums: Float64Array, channels: number, limit: number, y: Float32Array, at: number): void => {
    for (let oc = 0; oc < channels; oc++) {
      floats[oc] = sums[oc];
      const value = bits[oc];
      // Zeros and NaN, the smallest and the largest but for the sign, stay what they are.
      if (((value << 1) - 1) >>> 0 < 0xff00_0000) bits[oc] = Math.min(value & ~(value >> 31), limit);
      y[at + oc] = floats[oc];
    }
  };
}
