/**
 * Nearest neighbours: the examples whose embeddings point most nearly the same way from the mean of all vote for their
 * classes, each by e^(cosine / temperature).
 *
 * Source of the vote: Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", §3.4.
 */

import { exp } from "../../core/elementary.ts";
import type { ExampleStore } from "./example-store.ts";
import { type Centre, centreOf, type Pause } from "./unit-rows.ts";

/** 0.07 in the source, where features are trained for it; here the nearest one would nearly decide alone. */
const TEMPERATURE = 0.2;

/** What is computed of the examples once. */
export interface NeighbourIndex {
  readonly centre: Centre;
  /** Of each example: one by its distance from the mean; 0 for one that is the mean. */
  readonly scales: Float32Array;
}

export async function indexNeighbours(store: ExampleStore, pause: Pause): Promise<NeighbourIndex> {
  const centre = await centreOf(store, pause);
  const scales = new Float32Array(store.count);
  const { width } = store;
  for (const block of store.blocks()) {
    if (pause.breath.isDue) await pause.take();
    for (let row = 0; row < block.count; row++) {
      let sum = 0;
      for (let i = 0; i < width; i++) {
        const distance = (block.rows[row * width + i] ?? 0) - (centre.mean[i] ?? 0);
        sum += distance * distance;
      }
      scales[block.from + row] = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    }
  }
  return { centre, scales };
}

/**
 * The share of the votes that each class has.
 *
 * @param row an embedding of length 1
 */
export function nearestProbabilities(
  store: ExampleStore,
  { centre, scales }: NeighbourIndex,
  row: Float32Array,
  { classes, neighbours }: { readonly classes: number; readonly neighbours: number },
): Float32Array {
  const { width } = store;
  const query = Float64Array.from(row, (value, i) => value - (centre.mean[i] ?? 0));
  let length = 0;
  let ofMean = 0;
  for (const [i, value] of query.entries()) {
    length += value * value;
    ofMean += value * (centre.mean[i] ?? 0);
  }
  const scale = length > 0 ? 1 / Math.sqrt(length) : 0;
  // The nearest so far, best first; of equal ones the earlier.
  const nearest: { cosine: number; kind: number }[] = [];
  for (const block of store.blocks()) {
    for (let at = 0; at < block.count; at++) {
      let sum = -ofMean;
      for (let i = 0; i < width; i++) sum += (query[i] ?? 0) * (block.rows[at * width + i] ?? 0);
      const cosine = sum * scale * (scales[block.from + at] ?? 0);
      if (nearest.length === neighbours && !(cosine > (nearest.at(-1)?.cosine ?? 0))) continue;
      let place = nearest.length;
      while (place > 0 && cosine > (nearest[place - 1]?.cosine ?? 0)) place--;
      nearest.splice(place, 0, { cosine, kind: block.classes[at] ?? 0 });
      if (nearest.length > neighbours) nearest.pop();
    }
  }
  const votes = new Float64Array(classes);
  const most = nearest[0]?.cosine ?? 0;
  let all = 0;
  for (const { cosine, kind } of nearest) {
    const vote = exp((cosine - most) / TEMPERATURE);
    votes[kind] = (votes[kind] ?? 0) + vote;
    all += vote;
  }
  return Float32Array.from(votes, (vote) => vote / all);
}
