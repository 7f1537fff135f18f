/**
 * A linear classifier on embeddings: softmax regression, trained on all examples at once until nothing moves. What comes
 * out depends on the examples and their order alone: no random numbers, no learning rate.
 *
 *     z = V · (x − mean) / spread + b      loss = mean of −ln softmax(z)[class] + penalty / 2 · Σ V²
 *
 * By L-BFGS in float64, 10 to 30 passes over the examples. A hundred take less than a tenth of a second; 20,000 of 1,024
 * features in ten classes half a minute. There a trainer of a one-layer network makes twenty epochs in three seconds, but
 * stops somewhere on its way, which depends on order, rate and batch; and below a thousand it takes longer.
 */

import { exp, log } from "../../core/elementary.ts";
import { DepthwiseError } from "../../core/errors.ts";
import type { ExampleStore } from "./example-store.ts";
import { minimise } from "./minimise.ts";
import { centreOf, type Pause } from "./unit-rows.ts";

/** Mean and spread are in the numbers: z = kernel · x + bias, x an embedding of length 1. */
export interface LinearProbe {
  /** `[classes, width]`. */
  readonly kernel: Float32Array;
  /** `[classes]`. */
  readonly bias: Float32Array;
}

export interface ProbeFit {
  readonly probe: LinearProbe;
  /** The mean over the examples, without the penalty. */
  readonly loss: number;
  /** The share of them that it gets right. */
  readonly accuracy: number;
  readonly iterations: number;
  readonly multAdds: number;
}

/** Length of the gradient at which training ends: with the usual penalty what is minimised is then 5e-5 above its least at most. */
const TOLERANCE = 3e-4;
const MOST_ITERATIONS = 300;

/** @throws {DepthwiseError} `VALUES_NOT_FINITE` if the loss is no number; `signal.reason` */
export async function fitProbe(store: ExampleStore, classes: number, penalty: number, pause: Pause): Promise<ProbeFit> {
  const { width, count } = store;
  const { mean, spread } = await centreOf(store, pause);
  const sums = new Sums(width, classes);
  let last = { loss: 0, correct: 0 };
  let multAdds = 0;
  const objective = async (at: Float64Array, gradient: Float64Array): Promise<number> => {
    sums.begin(at, mean, spread);
    for (const block of store.blocks()) {
      for (let row = 0; row < block.count; row++) {
        if (pause.breath.isDue) await pause.take();
        sums.add(block.rows, row * width, block.classes[row] ?? 0);
      }
    }
    multAdds += 2 * count * width * classes;
    last = { loss: sums.loss / count, correct: sums.correct };
    return last.loss + sums.gradient(gradient, at, { mean, spread, count, penalty });
  };
  const size = classes * width + classes;
  const found = await minimise(objective, new Float64Array(size), {
    tolerance: TOLERANCE,
    maxIterations: MOST_ITERATIONS,
  });
  if (!Number.isFinite(found.value)) {
    throw new DepthwiseError("VALUES_NOT_FINITE", {
      what: "few-shot: the loss of the linear probe",
      expected: "a finite number",
      found: String(found.value),
      advice: "Pass a larger penalty.",
    });
  }
  // The loss of the last step that was tried is that of the step that was taken, or one that differs by rounding.
  sums.begin(found.at, mean, spread);
  const probe = { kernel: Float32Array.from(sums.kernel), bias: Float32Array.from(sums.bias) };
  return {
    probe,
    loss: last.loss,
    accuracy: last.correct / count,
    iterations: found.iterations,
    multAdds,
  };
}

/** Probabilities of the classes for an embedding of length 1. */
export function probeProbabilities({ kernel, bias }: LinearProbe, row: Float32Array): Float32Array {
  const logits = new Float64Array(bias.length);
  scores(kernel, bias, row, 0, row.length, logits);
  toProbabilities(logits);
  return Float32Array.from(logits);
}

/** Logits become e to the power of each, by their sum; gives ln of the sum, and of the largest as it was. */
function toProbabilities(logits: Float64Array): { readonly logSum: number; readonly best: number } {
  let best = 0;
  for (let c = 1; c < logits.length; c++) if ((logits[c] ?? 0) > (logits[best] ?? 0)) best = c;
  const most = logits[best] ?? 0;
  let sum = 0;
  for (let c = 0; c < logits.length; c++) {
    const power = exp((logits[c] ?? 0) - most);
    logits[c] = power;
    sum += power;
  }
  for (let c = 0; c < logits.length; c++) logits[c] = (logits[c] ?? 0) / sum;
  return { logSum: most + log(sum), best };
}

/** z = kernel · x + bias, four classes beside each other. */
function scores(
  kernel: Float64Array | Float32Array,
  bias: Float64Array | Float32Array,
  rows: Float32Array,
  at: number,
  width: number,
  z: Float64Array,
): void {
  const classes = bias.length;
  let c = 0;
  for (; c + 4 <= classes; c += 4) {
    const k = c * width;
    let [z0, z1, z2, z3] = [0, 0, 0, 0];
    for (let i = 0; i < width; i++) {
      const x = rows[at + i] ?? 0;
      z0 += x * (kernel[k + i] ?? 0);
      z1 += x * (kernel[k + width + i] ?? 0);
      z2 += x * (kernel[k + 2 * width + i] ?? 0);
      z3 += x * (kernel[k + 3 * width + i] ?? 0);
    }
    z[c] = z0 + (bias[c] ?? 0);
    z[c + 1] = z1 + (bias[c + 1] ?? 0);
    z[c + 2] = z2 + (bias[c + 2] ?? 0);
    z[c + 3] = z3 + (bias[c + 3] ?? 0);
  }
  for (; c < classes; c++) {
    const k = c * width;
    let sum = 0;
    for (let i = 0; i < width; i++) sum += (rows[at + i] ?? 0) * (kernel[k + i] ?? 0);
    z[c] = sum + (bias[c] ?? 0);
  }
}

/** Loss and gradient, an example after the other. */
class Sums {
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
  loss = 0;
  correct = 0;
  readonly #width: number;
  readonly #z: Float64Array;
  /** Σ δ · x, `[classes, width]`, and Σ δ, δ = probability − target. */
  readonly #outer: Float64Array;
  readonly #delta: Float64Array;

  constructor(width: number, classes: number) {
    this.#width = width;
    this.kernel = new Float64Array(classes * width);
    this.bias = new Float64Array(classes);
    this.#z = new Float64Array(classes);
    this.#outer = new Float64Array(classes * width);
    this.#delta = new Float64Array(classes);
  }

  /** From V and b to what embeddings as they are stored are multiplied by. */
  begin(at: Float64Array, mean: Float64Array, spread: number): void {
    const { kernel, bias } = this;
    const width = this.#width;
    for (let c = 0; c < bias.length; c++) {
      let ofMean = 0;
      for (let i = 0; i < width; i++) {
        const value = (at[c * width + i] ?? 0) / spread;
        kernel[c * width + i] = value;
        ofMean += value * (mean[i] ?? 0);
      }
      bias[c] = (at[kernel.length + c] ?? 0) - ofMean;
    }
    this.#outer.fill(0);
    this.#delta.fill(0);
    this.loss = 0;
    this.correct = 0;
  }

  add(rows: Float32Array, at: number, kind: number): void {
    const width = this.#width;
    const z = this.#z;
    const outer = this.#outer;
    scores(this.kernel, this.bias, rows, at, width, z);
    const own = z[kind] ?? 0;
    const { logSum, best } = toProbabilities(z);
    this.loss += logSum - own;
    if (best === kind) this.correct++;
    z[kind] = (z[kind] ?? 0) - 1;
    for (let c = 0; c < z.length; c++) {
      const delta = z[c] ?? 0;
      this.#delta[c] = (this.#delta[c] ?? 0) + delta;
      const k = c * width;
      for (let i = 0; i < width; i++) outer[k + i] = (outer[k + i] ?? 0) + delta * (rows[at + i] ?? 0);
    }
  }

  /** Writes the gradient by V and b, and gives the penalty. */
  gradient(
    target: Float64Array,
    at: Float64Array,
    given: { readonly mean: Float64Array; readonly spread: number; readonly count: number; readonly penalty: number },
  ): number {
    const { mean, spread, count, penalty } = given;
    const width = this.#width;
    let squares = 0;
    for (let c = 0; c < this.bias.length; c++) {
      const delta = this.#delta[c] ?? 0;
      for (let i = 0; i < width; i++) {
        const k = c * width + i;
        const value = at[k] ?? 0;
        squares += value * value;
        target[k] = ((this.#outer[k] ?? 0) - delta * (mean[i] ?? 0)) / (spread * count) + penalty * value;
      }
      target[this.#outer.length + c] = delta / count;
    }
    return (penalty / 2) * squares;
  }
}
