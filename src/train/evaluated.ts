/** What logits say against targets: loss, and how often the label was among the largest. */

import { exp, log } from "../core/elementary.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { bestOf } from "./labels.ts";

/** What an evaluation tells. */
export interface Evaluation {
  /** The mean over the examples, of the labels as they are: nothing is smoothed. */
  readonly loss: number;
  readonly correct: number;
  /** Examples whose label is among the five largest logits; with fewer classes, all. A logit of NaN is never right. */
  readonly correctOf5: number;
  readonly examples: number;
  /** `[N, classes]`. */
  readonly logits: FloatTensor;
}

export function evaluated(logits: Float32Array, targets: Float32Array, examples: number, classes: number): Evaluation {
  let loss = 0;
  let correct = 0;
  let correctOf5 = 0;
  for (let n = 0; n < examples; n++) {
    const at = n * classes;
    const label = bestOf(targets, n, classes);
    const own = logits[at + label] ?? Number.NaN;
    // What is no number is not below another, nor another below it.
    let larger = Number.isNaN(own) ? Number.POSITIVE_INFINITY : 0;
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      const logit = logits[at + c] ?? Number.NaN;
      if (!(logit <= own) || (logit === own && c < label)) larger++;
      largest = Math.max(largest, logit);
    }
    if (larger === 0) correct++;
    if (larger < 5) correctOf5++;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += exp((logits[at + c] ?? 0) - largest);
    // Not beside the largest, in which it may be lost.
    const logSum = log(sum);
    for (let c = 0; c < classes; c++) {
      const share = targets[at + c] ?? 0;
      if (share !== 0) loss -= share * ((logits[at + c] ?? 0) - largest - logSum);
    }
  }
  const shape = [examples, classes];
  return {
    loss: loss / examples,
    correct,
    correctOf5,
    examples,
    logits: { dtype: "float32", shape, data: new Float32Array(logits.subarray(0, examples * classes)) },
  };
}
