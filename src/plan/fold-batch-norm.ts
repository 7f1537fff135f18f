/**
 * Folds batch norm into the convolution before it:
 *
 *     kernel' = kernel · gamma / √(variance + epsilon)
 *     bias'   = beta + (bias − mean) · gamma / √(variance + epsilon)
 *
 * Computed in float64 and rounded once. Source: Jacob et al. 2018, equation 14, in another order.
 */

import { type BatchNormNumbers, scaleAndShift } from "../operations/batch-norm.ts";

export interface Folded {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/**
 * @param kernel any layout whose last axes run over the output channels: HWIO, `[kh, kw, in, multiplier]`, `[in, out]`
 */
export function foldBatchNorm(
  kernel: Float32Array,
  bias: Float32Array | undefined,
  numbers: BatchNormNumbers,
  epsilon: number,
): Folded {
  const { scale, shift } = scaleAndShift(numbers, epsilon);
  const channels = scale.length;
  return {
    kernel: kernel.map((value, index) => value * (scale[index % channels] ?? 1)),
    bias: Float32Array.from(shift, (value, c) => value + (bias?.[c] ?? 0) * (scale[c] ?? 1)),
  };
}
