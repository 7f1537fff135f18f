/** Gradient of softmax, from what it gave: dx = y · (dy − Σ dy · y). Sums run in float64 over each row. */

import type { SoftmaxGradientCall } from "../../../operations/training-call.ts";
import type { TrainingRunner } from "./runner.ts";

export function softmaxGradientRunner({ rows, channels }: SoftmaxGradientCall): TrainingRunner {
  return (batch, { dy, y, dx }) => softmaxGradientRows(dy!, y!, dx!, batch * rows, channels);
}

/** y may have more bits than float32. */
export function softmaxGradientRows(
  dy: Float32Array,
  y: Float32Array | Float64Array,
  dx: Float32Array,
  rows: number,
  channels: number,
): void {
  for (let row = 0; row < rows; row++) {
    const at = row * channels;
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += dy[at + c] * y[at + c];
    for (let c = 0; c < channels; c++) dx[at + c] = y[at + c] * (dy[at + c] - sum);
  }
}
