/**
 * Batch norm in training: how it is measured, and its gradient.
 *
 *     mean = Σ x / n      variance = Σ (x − mean)² / n      x̂ = (x − mean) / √(variance + epsilon)
 *     y = gamma · x̂ + beta      dbeta = Σ dy      dgamma = Σ dy · x̂
 *     dx = gamma / √(variance + epsilon) · (dy − dbeta / n − x̂ · dgamma / n), or without the two sums where frozen
 *
 * over all n pixels of the batch. Statistics are measured in two passes: E[x²] − E[x]² loses what a large mean has in
 * excess. Sums run in float64. A `norm` and a `normGradient` are as `operations/training-call.ts` says.
 * Source: Ioffe and Szegedy 2015, §3.
 */

import type { Load, LoadClamp, Norm } from "../../../operations/training-call.ts";
import { moveStatistic } from "./batch-norm-values.ts";
import { writeSums } from "./runner.ts";

/** Of each channel. The variance is biased: divided by n. */
export interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** x [pixels, channels]. */
export function measureMoments(x: Float32Array, pixels: number, channels: number): Moments {
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) mean[c] += x[p * channels + c];
  }
  for (let c = 0; c < channels; c++) mean[c] /= pixels;
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) variance[c] += (x[p * channels + c] - mean[c]) ** 2;
  }
  for (let c = 0; c < channels; c++) variance[c] /= pixels;
  return { mean, variance };
}

/**
 * What a moving variance takes from the variance of n values: that itself, or n / (n − 1) of it, which is 0 for one value.
 */
export function movedVariance(variance: Float64Array, n: number, kind: Norm["variance"]): Float64Array {
  return kind === "biased" ? variance : variance.map((value) => (value * n) / Math.max(n - 1, 1));
}

export interface NormOperands {
  readonly gamma: Float32Array | undefined;
  readonly beta: Float32Array | undefined;
  readonly movingMean: Float32Array;
  readonly movingVariance: Float32Array;
  readonly norm: Float32Array;
}

/** Writes the `norm` of x, and in mode `batch` the moving statistics. */
export function measureNorm(
  call: Norm,
  batch: number,
  x: Float32Array,
  { gamma, beta, movingMean, movingVariance, norm }: NormOperands,
): void {
  const { channels, epsilon, momentum } = call;
  const n = batch * call.pixels;
  const moments = call.mode === "batch" ? measureMoments(x, n, channels) : undefined;
  const { mean, variance } = moments ?? { mean: movingMean, variance: movingVariance };
  for (let c = 0; c < channels; c++) {
    const inverse = 1 / Math.sqrt(variance[c] + epsilon);
    const scale = (gamma === undefined ? 1 : gamma[c]) * inverse;
    norm[c] = scale;
    norm[channels + c] = (beta === undefined ? 0 : beta[c]) - mean[c] * scale;
    norm[2 * channels + c] = mean[c];
    norm[3 * channels + c] = inverse;
  }
  if (moments === undefined) return;
  moveStatistic(momentum, movingMean, moments.mean, movingMean);
  moveStatistic(momentum, movingVariance, movedVariance(moments.variance, n, call.variance), movingVariance);
}

/** Both bounds are outside: where a value lies on one, the clamp holds, and no gradient passes. */
const BOUNDS: Readonly<Record<LoadClamp, readonly [number, number]>> = {
  linear: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  relu: [0, Number.POSITIVE_INFINITY],
  relu6: [0, 6],
};

/** Whether anything happens to a value that is read so. */
export function isPlain(load: Load | undefined): boolean {
  return load === undefined || (!load.norm && load.clamp === "linear");
}

/** y[p, c] = clamp(x[p, c] · scale[c] + shift[c]); without a norm the clamp alone. NaN stays NaN. */
export function loadValues(
  clamp: LoadClamp,
  x: Float32Array,
  norm: Float32Array | undefined,
  y: Float32Array,
  pixels: number,
  channels: number,
): void {
  const [low, high] = BOUNDS[clamp];
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) {
      const i = p * channels + c;
      const value = norm === undefined ? x[i] : x[i] * norm[c] + norm[channels + c];
      y[i] = Math.min(Math.max(value, low), high);
    }
  }
}

/** dy′: dy where the clamp of what was read did not hold, else 0. The value is rounded as it was when it was read. */
function passed(clamp: LoadClamp, dy: number, x: number, scale: number, shift: number): number {
  if (clamp === "linear") return dy;
  const [low, high] = BOUNDS[clamp];
  const value = Math.fround(x * scale + shift);
  return low < value && value < high ? dy : 0;
}

/** dx = p · dy′ + q · x + r; without a `normGradient` dy′. dx may be dy. */
export function normaliseGradient(
  clamp: LoadClamp,
  dy: Float32Array,
  x: Float32Array,
  norm: Float32Array | undefined,
  normGradient: Float32Array | undefined,
  dx: Float32Array,
  pixels: number,
  channels: number,
): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < channels; c++) {
      const i = pixel * channels + c;
      const scale = norm === undefined ? 1 : norm[c];
      const shift = norm === undefined ? 0 : norm[channels + c];
      const gradient = passed(clamp, dy[i], x[i], scale, shift);
      dx[i] =
        normGradient === undefined
          ? gradient
          : normGradient[c] * gradient + normGradient[channels + c] * x[i] + normGradient[2 * channels + c];
    }
  }
}

export interface NormGradientOperands {
  readonly dy: Float32Array;
  readonly x: Float32Array;
  readonly norm: Float32Array;
  readonly normGradient: Float32Array;
  readonly dgamma: Float32Array | undefined;
  readonly dbeta: Float32Array | undefined;
}

/** Writes the `normGradient` of x, dgamma and dbeta. dy is the gradient of x as it was read. */
export function sumNormGradient(
  { mode, pixels, channels }: Norm,
  clamp: LoadClamp,
  batch: number,
  { dy, x, norm, normGradient, dgamma, dbeta }: NormGradientOperands,
  adds: boolean,
): void {
  const n = batch * pixels;
  const sums = new Float64Array(channels);
  const products = new Float64Array(channels);
  for (let pixel = 0; pixel < n; pixel++) {
    for (let c = 0; c < channels; c++) {
      const i = pixel * channels + c;
      const gradient = passed(clamp, dy[i], x[i], norm[c], norm[channels + c]);
      sums[c] += gradient;
      products[c] += gradient * ((x[i] - norm[2 * channels + c]) * norm[3 * channels + c]);
    }
  }
  for (let c = 0; c < channels; c++) {
    const [scale, mean, inverse] = [norm[c], norm[2 * channels + c], norm[3 * channels + c]];
    const q = mode === "frozen" ? 0 : (-scale * products[c] * inverse) / n;
    normGradient[c] = scale;
    normGradient[channels + c] = q;
    normGradient[2 * channels + c] = mode === "frozen" ? 0 : (-scale * sums[c]) / n - q * mean;
  }
  if (dbeta !== undefined) writeSums(sums, dbeta, 0, adds);
  if (dgamma !== undefined) writeSums(products, dgamma, 0, adds);
}
