/**
 * Softmax cross-entropy of each row of logits z with its target t, shares that add up to 1:
 *
 *     perExample = −Σ t · (z − log Σ e^z)      dlogits = (softmax(z) − t) · scale / batch
 *
 * e^(z − max), so that huge logits do not overflow. Sums run in float64, by an exponential and a logarithm that have the
 * same bits everywhere.
 */

import { exp, log } from "../../../core/elementary.ts";
import type { LossCall } from "../../../operations/training-call.ts";
import type { TrainingRunner } from "./runner.ts";

export function lossRunner({ classes }: LossCall): TrainingRunner {
  return (batch, { logits, targets, perExample, dlogits }, { scale }) => {
    for (let n = 0; n < batch; n++) {
      const target = targets!.subarray(n * classes, (n + 1) * classes);
      perExample![n] = crossEntropyRow(logits!, n * classes, target, scale / batch, dlogits!);
    }
  };
}

/**
 * Writes e^(x − max) / Σ e^(x − max) of x[at …] to y[yAt …].
 *
 * @returns max, and log Σ e^(x − max): in their sum the second would be lost beside a huge max
 */
export function softmaxRow(
  x: Float32Array,
  at: number,
  y: Float64Array,
  yAt: number,
  channels: number,
): readonly [largest: number, logSum: number] {
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < channels; c++) largest = Math.max(largest, x[at + c]);
  let sum = 0;
  for (let c = 0; c < channels; c++) {
    y[yAt + c] = exp(x[at + c] - largest);
    sum += y[yAt + c];
  }
  for (let c = 0; c < channels; c++) y[yAt + c] /= sum;
  return [largest, log(sum)];
}

/**
 * One row, that begins at `at` in logits and dlogits, with its target; gives back its loss. A class without a share adds
 * none, however unlikely it is. Where the loss, as a float32, is not finite, dlogits is NaN: no update takes it in.
 */
export function crossEntropyRow(
  logits: Float32Array,
  at: number,
  target: Float32Array | Float64Array,
  factor: number,
  dlogits: Float32Array,
): number {
  const classes = target.length;
  const probabilities = new Float64Array(classes);
  const [largest, logSum] = softmaxRow(logits, at, probabilities, 0, classes);
  let loss = 0;
  for (let c = 0; c < classes; c++) {
    if (target[c] !== 0) loss -= target[c] * (logits[at + c] - largest - logSum);
  }
  const own = Number.isFinite(Math.fround(loss)) ? factor : Number.NaN;
  for (let c = 0; c < classes; c++) dlogits[at + c] = (probabilities[c] - target[c]) * own;
  return loss;
}
