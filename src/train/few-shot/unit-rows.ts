/**
 * What both methods see of embeddings: their direction, from the mean of all examples. An embedding is brought to length 1
 * where it is stored; here are the mean of those, and what brings distances from it to 1 on average.
 *
 * Source: Wang et al. 2019, "SimpleShot", "CL2N" (there the mean is taken first). Tried against each feature by its own
 * deviation, which makes noise of what few examples hardly show: on flowers, 5 a class, 0.61 against 0.59.
 */

import type { Breath } from "../../core/breath.ts";
import type { ExampleStore } from "./example-store.ts";

export interface Centre {
  /** `[width]`. */
  readonly mean: Float64Array;
  /** The root of the mean squared distance from it; 1 where all examples are alike. */
  readonly spread: number;
}

/** Brings a row to length 1 where it stands; one of zeros stays. Gives false if it holds what is no number. */
export function toUnitLength(row: Float32Array): boolean {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, Math.abs(value));
  if (!Number.isFinite(largest)) return false;
  if (largest === 0) return true;
  let sum = 0;
  for (const value of row) sum += (value / largest) * (value / largest);
  const length = largest * Math.sqrt(sum);
  for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) / length;
  return true;
}

export async function centreOf(store: ExampleStore, pause: Pause): Promise<Centre> {
  const { width, count } = store;
  const mean = new Float64Array(width);
  for (const block of store.blocks()) {
    if (pause.breath.isDue) await pause.take();
    for (let row = 0; row < block.count; row++) {
      const at = row * width;
      for (let i = 0; i < width; i++) mean[i] = (mean[i] ?? 0) + (block.rows[at + i] ?? 0);
    }
  }
  for (let i = 0; i < width; i++) mean[i] = (mean[i] ?? 0) / Math.max(1, count);
  let sum = 0;
  for (const block of store.blocks()) {
    if (pause.breath.isDue) await pause.take();
    for (let row = 0; row < block.count; row++) {
      const at = row * width;
      for (let i = 0; i < width; i++) {
        const distance = (block.rows[at + i] ?? 0) - (mean[i] ?? 0);
        sum += distance * distance;
      }
    }
  }
  const spread = Math.sqrt(sum / Math.max(1, count));
  return { mean, spread: spread > 0 ? spread : 1 };
}

/** The event loop's turn in the middle of long sums, and a look at the signal. */
export class Pause {
  readonly breath: Breath;
  readonly #signal: AbortSignal | undefined;

  constructor(breath: Breath, signal: AbortSignal | undefined) {
    this.breath = breath;
    this.#signal = signal;
  }

  /** @throws `signal.reason` */
  async take(): Promise<void> {
    await this.breath.take();
    this.#signal?.throwIfAborted();
  }
}
