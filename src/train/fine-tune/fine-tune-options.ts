/** The options of `fineTune`, and what each of its two phases is given of them. */

import { optionError, positiveInteger } from "../../core/options.ts";
import type { Network } from "../../layers/network.ts";
import { findHead } from "../../weights/head.ts";
import { replaceHead } from "../../weights/index.ts";
import { usualBatch } from "../defaults.ts";
import { checkFitOptions, type FitOptions } from "../fit/fit-options.ts";
import { adamw } from "../optimizers.ts";
import { highestRate } from "../rates.ts";
import { constant, oneCycle, type Schedule } from "../schedules.ts";
import { depthRates } from "./depth-rates.ts";
import { headCheckpoint } from "./phase-store.ts";

/**
 * Those of `fit`, with other defaults: `optimizer` is `adamw()`; `schedule`, of the epochs in which all layers learn, one
 * cycle up to 0.001 (0.01 of `sgd`); `batch` an eighth of the
 * data, between 8 and 32; batch norm is frozen where a step computes fewer than 32 images at once.
 */
export interface FineTuneOptions extends FitOptions {
  /** How often each example is seen while all layers learn. Default 10. */
  readonly epochs?: number;
  /** How often before that, while the head alone learns, at twice the highest rate of `schedule`. Default 1. */
  readonly frozenEpochs?: number;
  /**
   * The learning rate of the first layer as a share of the head's, above 0 and at most 1; those between lie in even steps
   * on a logarithmic scale. Default 0.01. In place of all of them `rateFactor` can be given.
   */
  readonly firstRate?: number;
}

export interface CheckedFineTuneOptions {
  readonly epochs: number;
  readonly frozenEpochs: number;
  readonly seed: number;
  readonly validation: FitOptions["validation"];
  readonly patience: number | undefined;
  readonly checkpoint: FitOptions["checkpoint"];
  readonly resume: boolean;
  readonly signal: AbortSignal | undefined;
  /** What `fit` takes while the head alone learns. */
  head(headed: Network, examples: number): FitOptions;
  /** And while all layers do; `examples` are those that are trained on. */
  all(headed: Network, examples: number): FitOptions;
}

/** Batch statistics of fewer images say little about the data. */
const ENOUGH_FOR_STATISTICS = 32;

/** What the second phase counts its shuffling and augmentation from, so that it does not begin with those of the first. */
const SEEDS_APART = 1_000_003;

/**
 * @throws {DepthwiseError} `OPTION_INVALID`; `NETWORK_INVALID` for a network whose head cannot be replaced; what `fit`
 *         throws at the call
 */
export function checkFineTuneOptions(model: Network, options: FineTuneOptions): CheckedFineTuneOptions {
  const owner = "fineTune";
  // Checks the model. How many classes the data have is not known yet.
  const example = replaceHead(model, { classes: 2 });
  if (typeof options !== "object" || options === null) throw optionError(owner, "options", "an object", options);
  const { frozenEpochs = 1, firstRate = 0.01, ...given } = options;
  if (frozenEpochs !== 0) positiveInteger(owner, "frozenEpochs", frozenEpochs);
  if (!(typeof firstRate === "number" && firstRate > 0 && firstRate <= 1)) {
    throw optionError(owner, "firstRate", "a number above 0 and at most 1", firstRate);
  }
  const optimizer = given.optimizer ?? adamw();
  const schedule = given.schedule ?? oneCycle({ peak: optimizer.type === "sgd" ? 0.01 : 0.001 });
  const full: FitOptions = { ...given, optimizer, schedule };
  const checked = checkFitOptions(example, full);
  const { trainer, epochs, augment, validation, patience, checkpoint, resume, signal } = checked;
  const batchOf = (examples: number) =>
    given.batch === undefined ? usualBatch(trainer.batch, examples) : trainer.batch;
  const measured = given.batchNorm?.mode;
  // The phases begin when the caller may have changed its objects.
  const { validation: _share, signal: _signal, ...shared } = { ...full, ...checked.trainerOptions, augment };
  return {
    epochs,
    frozenEpochs,
    seed: trainer.seed,
    validation,
    patience,
    checkpoint,
    resume,
    signal,
    head(headed, examples) {
      const head = findHead(owner, headed).name;
      const { rateFactor: _rates, ...others } = shared;
      return {
        ...others,
        batch: batchOf(examples),
        // All of its epochs, of which the best one is given.
        ...(patience === undefined ? {} : { patience: frozenEpochs }),
        epochs: frozenEpochs,
        schedule: headSchedule(trainer.schedule),
        train: ({ node }) => node === head,
        ...(checkpoint === undefined ? {} : { checkpoint: headCheckpoint(checkpoint) }),
      };
    },
    all(headed, examples) {
      const batch = batchOf(examples);
      const atOnce = Math.ceil(batch / trainer.accumulate);
      const mode = measured ?? (atOnce < ENOUGH_FOR_STATISTICS ? "frozen" : "auto");
      return {
        ...shared,
        batch,
        epochs,
        seed: seedApart(trainer.seed),
        batchNorm: { ...shared.batchNorm, mode },
        rateFactor: given.rateFactor ?? depthRates(headed, findHead(owner, headed).name, firstRate),
      };
    },
  };
}

/** The seeds begin anew behind the highest. */
function seedApart(seed: number): number {
  const left = Number.MAX_SAFE_INTEGER - seed;
  return SEEDS_APART <= left ? seed + SEEDS_APART : SEEDS_APART - left - 1;
}

/** Twice the highest rate, all the time: the head knows nothing yet, and nothing else can be harmed. */
function headSchedule(schedule: Schedule): Schedule {
  return constant({ rate: 2 * highestRate(schedule) });
}
