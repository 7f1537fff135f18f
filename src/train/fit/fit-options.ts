/** The options of `fit`, checked before anything is read or allocated. */

import { DepthwiseError } from "../../core/errors.ts";
import {
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  signalOption,
} from "../../core/options.ts";
import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import { isURL } from "../../core/realms.ts";
import { checkNetwork, type Network } from "../../layers/network.ts";
import { logitsOf } from "../create-trainer.ts";
import { isDataset } from "../data/dataset.ts";
import { type Augmentation, type CompleteAugmentation, completeAugmentation, type Dataset } from "../data/index.ts";
import { completeInput } from "../data/input.ts";
import { DEFAULT_EPOCHS } from "../defaults.ts";
import {
  type CheckedTrainerOptions,
  checkTrainerOptions,
  TRAINER_OPTIONS,
  type TrainerOptions,
} from "../trainer-options.ts";
import { type CheckpointStore, isCheckpointStore } from "./checkpoint-store.ts";

/** How a network is trained on data: all that a trainer takes, and what follows. */
export interface FitOptions extends TrainerOptions {
  /** How often each example is seen. Default 10. */
  readonly epochs?: number;
  /** Default none. */
  readonly augment?: Augmentation | undefined;
  /**
   * What is evaluated after each epoch: a data set; or the share of each class, above 0 and below 1, that is split off the
   * data and not trained on. Default none.
   */
  readonly validation?: Dataset | number | undefined;
  /**
   * Where checkpoints go: a directory, which is made if need be; or a store, such as `indexedDbStore(name)`. One is
   * written after each epoch, every `checkpointSeconds`, and when the signal ends the run. Default none.
   */
  readonly checkpoint?: string | URL | CheckpointStore | undefined;
  /** How long the longest piece of work is that a kill costs, within an epoch. Default 60; 0 writes after each step. */
  readonly checkpointSeconds?: number;
  /**
   * Goes on from the checkpoint, and ends with the numbers of a run that never stopped; or starts anew if there is none.
   * Default false, which refuses a place where there is one.
   */
  readonly resume?: boolean;
  /**
   * Ends the run after so many epochs in a row without a smaller validation loss (without validation, loss), and gives
   * the best epoch's parameters. Default never.
   */
  readonly patience?: number;
  /**
   * Whether the moving averages of the parameters are validated and given, with statistics measured anew for them.
   * Default true if there are any, which `averageDecay` says.
   */
  readonly average?: boolean;
  /** What becomes of a picture that cannot be read: left out and reported (default), or thrown. */
  readonly onUnreadable?: "skip" | "throw";
  /** How many batches are made ahead. Default: 2, or as many as hold 128 examples; the numbers do not depend on it. */
  readonly prefetch?: number;
  /** How many image files are read and decoded at once, within the batches ahead. Default 64; the numbers do not depend on it. */
  readonly concurrency?: number;
  /** Most pixels an image file may have. Default 16383². */
  readonly maxPixels?: number;
  /** Shuffling, augmentation, the split and dropout count from it: at least 0. Default 1. */
  readonly seed?: number;
  /** Ends the run after the step under way; `done` rejects with its reason. A checkpoint is written before. */
  readonly signal?: AbortSignal;
}

const OWN_OPTIONS = [
  ...["epochs", "augment", "validation", "checkpoint", "checkpointSeconds", "resume", "patience", "average"],
  ...["onUnreadable", "prefetch", "concurrency", "maxPixels"],
];

export interface CheckedFitOptions {
  readonly trainer: CheckedTrainerOptions;
  /** What `createTrainer` takes of them, but for the signal: copies of our own, complete, of what was checked. */
  readonly trainerOptions: TrainerOptions;
  readonly signal: AbortSignal | undefined;
  /** Whether `batch` was given. */
  readonly isBatchGiven: boolean;
  readonly input: CompletePreprocessing;
  readonly classes: number;
  readonly epochs: number;
  readonly augment: CompleteAugmentation | undefined;
  readonly validation: Dataset | number | undefined;
  readonly checkpoint: string | URL | CheckpointStore | undefined;
  readonly checkpointSeconds: number;
  readonly resume: boolean;
  readonly patience: number | undefined;
  readonly average: boolean;
  readonly onUnreadable: "skip" | "throw";
  readonly prefetch: number | undefined;
  readonly concurrency: number | undefined;
  readonly maxPixels: number | undefined;
}

/** @throws {DepthwiseError} `OPTION_INVALID`, `NETWORK_INVALID`, `NAME_UNKNOWN` */
export function checkFitOptions(model: Network, options: FitOptions): CheckedFitOptions {
  checkNetwork("fit", model);
  checkKnownOptions("fit", options, [...TRAINER_OPTIONS, ...OWN_OPTIONS]);
  // One that was aborted before is the run's affair: it rejects.
  const signal = signalOption("fit", options.signal);
  const given = Object.entries(options).filter(([name]) => TRAINER_OPTIONS.includes(name) && name !== "signal");
  const trainer = checkTrainerOptions("fit", model, Object.fromEntries(given));
  const input = completeInput(model.inputShape, model.info.preprocessing);
  const { augment, validation, checkpoint, maxPixels, concurrency, prefetch, patience } = options;
  const average = booleanOption("fit", "average", options.average ?? trainer.averageDecay !== undefined);
  if (average && trainer.averageDecay === undefined) {
    throw optionError(
      "fit",
      "averageDecay",
      "a number, so that averages are kept",
      undefined,
      "Pass averageDecay: 0.999.",
    );
  }
  if (typeof validation === "number" ? !(validation > 0 && validation < 1) : !isDatasetOrNone(validation)) {
    throw optionError("fit", "validation", "a data set, or a share above 0 and below 1", validation);
  }
  const isPlace = checkpoint === undefined || typeof checkpoint === "string" || isURL(checkpoint);
  if (checkpoint === "" || !(isPlace || isCheckpointStore(checkpoint))) {
    throw optionError("fit", "checkpoint", "a directory, or a store with read, write and remove", checkpoint);
  }
  const resume = booleanOption("fit", "resume", options.resume ?? false);
  if (resume && checkpoint === undefined) {
    throw optionError("fit", "checkpoint", "where to resume from", undefined, "Pass a directory or a store.");
  }
  return {
    trainer,
    trainerOptions: { ...Object.fromEntries(given), ...ownCopies(trainer) },
    signal,
    isBatchGiven: options.batch !== undefined,
    input,
    classes: model.shapes.get(logitsOf(model))?.at(-1) ?? 0,
    epochs: positiveInteger("fit", "epochs", options.epochs ?? DEFAULT_EPOCHS),
    augment: augment === undefined ? undefined : completeAugmentation("fit", augment, input),
    validation,
    checkpoint,
    checkpointSeconds: atLeast0("checkpointSeconds", options.checkpointSeconds ?? 60),
    resume,
    patience: patience === undefined ? undefined : positiveInteger("fit", "patience", patience),
    average,
    onUnreadable: oneOf("fit", "onUnreadable", options.onUnreadable ?? "skip", ["skip", "throw"]),
    prefetch: prefetch === undefined ? undefined : wholeNumber("prefetch", prefetch),
    concurrency: concurrency === undefined ? undefined : positiveInteger("fit", "concurrency", concurrency),
    maxPixels: maxPixels === undefined ? undefined : positiveInteger("fit", "maxPixels", maxPixels),
  };
}

/** In place of the objects of the caller, who may change them while the run goes on. */
function ownCopies({ optimizer, schedule, trains, momentum, variance, isFrozen }: CheckedTrainerOptions) {
  const mode = isFrozen ? "frozen" : "auto";
  return { optimizer, schedule, train: trains, batchNorm: { momentum, variance, mode } } satisfies TrainerOptions;
}

function isDatasetOrNone(value: unknown): boolean {
  return value === undefined || isDataset(value);
}

function atLeast0(option: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && !Number.isNaN(value)) return value;
  throw optionError("fit", option, "a number of at least 0", value);
}

function wholeNumber(option: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw optionError("fit", option, "a whole number of at least 0", value);
}

/**
 * Refuses data whose classes are not those of the network: as many, and by the names of its labels in their order. Where
 * it has none, those of the training data count. Data whose classes are the numbers 0, 1, 2, … go by them.
 *
 * @param training of validation: whose names count where the network has none
 * @throws {DepthwiseError} `CLASSES_MISMATCH`
 */
export function checkClasses(
  what: string,
  { name, info }: Network,
  classes: number,
  data: Dataset,
  training?: Dataset,
): void {
  const found = data.classes;
  if (found.length !== classes) {
    throw new DepthwiseError("CLASSES_MISMATCH", {
      what: `fit: ${what}`,
      expected: `${classes} classes, as ${name} has`,
      found: `${found.length}`,
      advice: "Give the network a head of as many classes with replaceHead, or name all classes in the data.",
      fields: { expected: classes, found: found.length },
    });
  }
  const known = info.labels ?? training?.classes;
  if (known === undefined || found.every((label, index) => label === String(index))) return;
  const place = found.findIndex((label, index) => label !== known[index]);
  if (place < 0) return;
  const others: readonly string[] = known;
  const isReordered = found.every((label) => others.includes(label));
  const [owner, order] =
    info.labels === undefined
      ? ["the training data has", "of the training data"]
      : [`${name} has`, "of the network's labels"];
  const otherwise =
    training === undefined
      ? "For new classes call fineTune; else call them as the network does."
      : "Pass validation of the same classes, by the same names.";
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `fit: ${what}: class ${place}`,
    expected: `"${known[place] ?? ""}", as ${owner} it`,
    found: `"${found[place] ?? ""}"`,
    advice: isReordered ? `Pass the classes in the order ${order}.` : otherwise,
    fields: { index: place },
  });
}
