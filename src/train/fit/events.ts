/** What `fit` tells while it works, and what it gives in the end. */

import type { DepthwiseError } from "../../core/errors.ts";
import type { Network } from "../../layers/network.ts";
import type { SkippedExample } from "../data/index.ts";
import type { TrainerExplanation } from "../trainer.ts";

/** What a network says of validation data. */
export interface ValidationResult {
  /** The mean over the examples. */
  readonly loss: number;
  /** Shares of the examples: the label has the largest logit; it is among the five largest. */
  readonly accuracy: number;
  readonly top5: number;
  readonly examples: number;
}

/** An epoch as a line of the history holds it: the same for the same run, but for `time`. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  /** Means over the examples, each before the update that it led to. */
  readonly loss: number;
  readonly accuracy: number;
  /** Of the last update. */
  readonly learningRate: number;
  /** The mean over the updates, before clipping. */
  readonly gradientNorm: number;
  /** Examples that were trained on. */
  readonly examples: number;
  /** The others: those that could not be read, and one that was left alone in its batch where batch norm takes two. */
  readonly skipped: number;
  readonly validation?: ValidationResult;
  /** Whether no earlier epoch had a smaller validation loss, or, without validation, a smaller loss. */
  readonly isBest: boolean;
  readonly time: EpochTime;
}

/** All of this depends on the machine. Of an epoch that was resumed, of both parts together. */
export interface EpochTime {
  /** Of the epoch, its validation too. */
  readonly seconds: number;
  /** While it was trained. */
  readonly imagesPerSecond: number;
  /** The share of that time in which the step waited for data: near 0 the step is the slower side, near 1 the data. */
  readonly waitedForData: number;
}

export interface EpochEvent extends Omit<EpochRecord, "time">, EpochTime {
  readonly type: "epoch";
  /** Of the run. */
  readonly epochs: number;
}

/** At most about ten a second. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly epoch: number;
  readonly epochs: number;
  /** Of the epoch, counted from 1. */
  readonly step: number;
  readonly steps: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
  /** Of the whole run, validation too, as far as it is known; of `fineTune` those of the phase it is in. */
  readonly remainingSeconds: number;
}

/** What a run tells while it works. */
export type FitEvent =
  /** What trains and why, once memory and workers are there: the first event, and of `fineTune` the first of each phase. */
  | ({ readonly type: "started" } & TrainerExplanation)
  | EpochEvent
  | ProgressEvent
  /** An example that could not be read: `index` is its position in the data, or in the validation data. */
  | ({ readonly type: "skipped"; readonly of: "training" | "validation" } & SkippedExample)
  /** One was written: the epoch that it goes on in, and the name of the place. */
  | { readonly type: "checkpoint"; readonly epoch: number; readonly where: string }
  /** It goes on from a checkpoint: because it was asked to, or because a worker was lost. */
  | { readonly type: "resumed"; readonly epoch: number; readonly example: number; readonly error?: DepthwiseError }
  /** The last event of a run that ends before its last epoch. */
  | { readonly type: "stopped"; readonly reason: "early" | "signal" };

/** What a run gives in the end. */
export interface FitResult {
  /** The network with what it has learnt: with `patience` the best epoch's parameters, else the last one's. */
  readonly model: Network;
  readonly history: readonly EpochRecord[];
  /** The epoch with the smallest validation loss; without validation, the smallest loss. */
  readonly best?: number;
  /** Of the validation of `model`: rows are labels, columns what was said, in examples. Left out above 2,048 classes. */
  readonly confusion?: readonly (readonly number[])[];
  /** Why it ended before its last epoch. */
  readonly stopped?: "early";
}
