/** How far a run has come. */

import type { EpochRecord } from "./events.ts";

/** Sums over the part of an epoch that is done. */
export interface EpochSums {
  readonly steps: number;
  readonly examples: number;
  readonly skipped: number;
  readonly loss: number;
  readonly correct: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Of training, in ms, and what of it was spent waiting for data. */
  readonly milliseconds: number;
  readonly waited: number;
}

export interface Position {
  /** Counted from 0. */
  readonly epoch: number;
  /** Examples of the epoch that are done, those skipped included. */
  readonly example: number;
  readonly updates: number;
  readonly sums: EpochSums;
  /** Of the epochs before. */
  readonly history: readonly EpochRecord[];
}

export const NOTHING_YET: EpochSums = {
  steps: 0,
  examples: 0,
  skipped: 0,
  loss: 0,
  correct: 0,
  gradientNorm: 0,
  learningRate: 0,
  milliseconds: 0,
  waited: 0,
};

export const START: Position = { epoch: 0, example: 0, updates: 0, sums: NOTHING_YET, history: [] };

/** What is to be small. */
export function objectiveOf({ validation, loss }: Pick<EpochRecord, "validation" | "loss">): number {
  return validation?.loss ?? loss;
}

/** The epoch of the smallest objective, the first of equals. */
export function bestEpoch(history: readonly EpochRecord[]): EpochRecord | undefined {
  return history.reduce<EpochRecord | undefined>(
    (best, record) => (best === undefined || objectiveOf(record) < objectiveOf(best) ? record : best),
    undefined,
  );
}

/** Whether so many epochs have passed since the best one. */
export function isOutOfPatience(history: readonly EpochRecord[], patience: number | undefined): boolean {
  const best = bestEpoch(history);
  const last = history.at(-1);
  if (patience === undefined || best === undefined || last === undefined) return false;
  return last.epoch - best.epoch >= patience;
}
