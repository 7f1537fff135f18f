/** Batch norm and its gradient from statistics in float64, each result rounded once. The formulas are in `batch-norm.ts`. */

import { writeSums } from "./runner.ts";

/** Of each channel. */
export interface Statistics {
  readonly mean: Float32Array | Float64Array;
  readonly variance: Float32Array | Float64Array;
  readonly epsilon: number;
  readonly gamma: Float32Array | undefined;
  readonly beta: Float32Array | undefined;
}

/** x and y [pixels, channels]. */
export function batchNormForward(x: Float32Array, pixels: number, statistics: Statistics, y: Float32Array): void {
  const { mean, gamma, beta } = statistics;
  const inverse = inverseDeviation(statistics);
  const channels = mean.length;
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) {
      const normalised = (x[p * channels + c] - mean[c]) * inverse[c];
      y[p * channels + c] = normalised * (gamma === undefined ? 1 : gamma[c]) + (beta === undefined ? 0 : beta[c]);
    }
  }
}

/** Whoever freezes the statistics says so: then they are constants. dgamma and dbeta are `[channels]`. */
export function batchNormBackward(
  dy: Float32Array,
  x: Float32Array,
  pixels: number,
  statistics: Statistics,
  isFrozen: boolean,
  { dx, dgamma, dbeta }: { readonly dx: Float32Array; readonly dgamma: Float32Array; readonly dbeta: Float32Array },
): void {
  const { mean, gamma } = statistics;
  const inverse = inverseDeviation(statistics);
  const channels = mean.length;
  const sums = new Float64Array(channels);
  const products = new Float64Array(channels);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) {
      const i = p * channels + c;
      sums[c] += dy[i];
      products[c] += dy[i] * ((x[i] - mean[c]) * inverse[c]);
    }
  }
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) {
      const i = p * channels + c;
      const normalised = (x[i] - mean[c]) * inverse[c];
      const share = isFrozen ? 0 : (sums[c] + normalised * products[c]) / pixels;
      dx[i] = (gamma === undefined ? 1 : gamma[c]) * inverse[c] * (dy[i] - share);
    }
  }
  writeSums(sums, dbeta, 0);
  writeSums(products, dgamma, 0);
}

/** A moving statistic after a step: momentum · moving + (1 − momentum) · batch; of momentum 0 nothing is left of it. */
export function moveStatistic(
  momentum: number,
  moving: Float32Array,
  batch: Float32Array | Float64Array,
  to: Float32Array,
): void {
  for (let c = 0; c < to.length; c++) {
    // 0 · ∞ is none.
    to[c] = momentum === 0 ? batch[c] : momentum * moving[c] + (1 - momentum) * batch[c];
  }
}

/** 1 / √(variance + epsilon). */
function inverseDeviation({ variance, epsilon }: Statistics): Float64Array {
  const inverse = new Float64Array(variance.length);
  for (let c = 0; c < inverse.length; c++) inverse[c] = 1 / Math.sqrt(variance[c] + epsilon);
  return inverse;
}
