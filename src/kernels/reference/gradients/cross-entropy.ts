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
      perExample![n] = crossEntropyRow(logits!, targets!, n * classes, classes, scale / batch, dlogits!);
    }
  };
}

/** Writes e^(x − max) / Σ e^(x − max) of x[at …] to y, and gives back log Σ e^x. */
export function softmaxRow(x: Float32Array, at: number, y: Float64Array, channels: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < channels; c++) largest = Math.max(largest, x[at + c]);
  let sum = 0;
  for (let c = 0; c < channels; c++) {
    y[c] = exp(x[at + c] - largest);
    sum += y[c];
  }
  for (let c = 0; c < channels; c++) y[c] /= sum;
  return largest + log(sum);
}

/** One row, at `at` in all three; gives back its loss. A class without a share adds none, however unlikely it is. */
export function crossEntropyRow(
  logits: Float32Array,
  targets: Float32Array | Float64Array,
  at: number,
  classes: number,
  factor: number,
  dlogits: Float32Array,
): number {
  const probabilities = new Float64Array(classes);
  const logSum = softmaxRow(logits, at, probabilities, classes);
  let loss = 0;
  for (let c = 0; c < classes; c++) {
    const target = targets[at + c];
    if (target !== 0) loss -= target * (logits[at + c] - logSum);
    dlogits[at + c] = (probabilities[c] - target) * factor;
  }
  return loss;
}
