/** Softmax of each row: e^(x − max) / Σ e^(x − max), summed in float64, so that huge logits neither overflow nor drift. */

import type { SoftmaxCall } from "../../operations/kernel-call.ts";
import type { Runner } from "./runner.ts";

export function softmax(call: SoftmaxCall): Runner {
  return (batch, { inputs: [x], output: y }) => {
    const { channels } = call;
    const rows = batch * call.rows;
    for (let row = 0; row < rows; row++) {
      const at = row * channels;
      let largest = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < channels; c++) largest = Math.max(largest, x[at + c]);
      let sum = 0;
      for (let c = 0; c < channels; c++) {
        const power = Math.exp(x[at + c] - largest);
        sum += power;
        y[at + c] = power;
      }
      for (let c = 0; c < channels; c++) y[at + c] = y[at + c] / sum;
    }
  };
}
