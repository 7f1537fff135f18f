/** The options of `batches`, checked before any work, and what is refused of a data set. */

import { checkSeed } from "../../core/counted.ts";
import { DepthwiseError, listed } from "../../core/errors.ts";
import { grouped } from "../../core/file-error.ts";
import {
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  signalOption,
} from "../../core/options.ts";
import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import { type Augmentation, type CompleteAugmentation, completeAugmentation } from "./augmentation.ts";
import { checkDataset, labelOf } from "./check-dataset.ts";
import { type Dataset, expectDataset } from "./dataset.ts";
import { completeInput } from "./input.ts";
import { classOf } from "./labels.ts";

/** How batches are made of a data set. */
export interface BatchesOptions {
  /** The network's input: what `completePreprocessing(network.inputShape, network.info.preprocessing)` gives. */
  readonly input: CompletePreprocessing;
  /** Examples in a batch; the last one may be shorter. Default 32. */
  readonly batch?: number;
  /** Whole number, default 0. The same seed gives the same numbers on every machine. */
  readonly seed?: number;
  /** Which epoch this is, from 0 (default): each has an order and an augmentation of its own. */
  readonly epoch?: number;
  /** How many examples of the epoch are passed over: `next` of the last batch that was used. Default 0. */
  readonly position?: number;
  /**
   * `true` (default) for training: in an order of the epoch's own, and refused if there is nothing to learn (one class,
   * a class without examples, fewer examples than a batch has). `false`: in the order of the data set.
   */
  readonly shuffle?: boolean;
  /** Default: none. */
  readonly augment?: Augmentation | undefined;
  /**
   * How many batches are made ahead of the one in use. Default: 2, or as many as hold 128 examples; the numbers do not
   * depend on it. A picture takes some seven turns of the event loop from the disk to its pixels, and a step of training
   * on this thread gives it one every 40 ms: fewer ahead would be waited for, though a core is idle.
   */
  readonly prefetch?: number;
  /**
   * How many image files are on their way from disk or network to pixels at once, within the batches ahead. Default 64;
   * the numbers do not depend on it.
   */
  readonly concurrency?: number;
  /** What becomes of a picture that cannot be read: left out and reported (`skip`, default), or thrown. */
  readonly onUnreadable?: "skip" | "throw";
  /** Most pixels an image file may have. Default 16383². */
  readonly maxPixels?: number;
  /** Ends it: the batch that is waited for rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Checked, with defaults. */
export interface CompleteBatchesOptions extends Required<Omit<BatchesOptions, "augment" | "maxPixels" | "signal">> {
  readonly augment: CompleteAugmentation | undefined;
  readonly maxPixels: number | undefined;
  readonly signal: AbortSignal | undefined;
}

const KNOWN = [
  ...["input", "batch", "seed", "epoch", "position", "shuffle", "augment", "prefetch", "concurrency", "onUnreadable"],
  ...["maxPixels", "signal"],
];
const OWNER = "batches";

const EXAMPLES_AHEAD = 128;

/** @throws {DepthwiseError} `OPTION_INVALID`, `CLASSES_MISMATCH` */
export function checkBatches(data: unknown, options: BatchesOptions): CompleteBatchesOptions {
  expectDataset(OWNER, data);
  checkDataset(data);
  checkKnownOptions(OWNER, options, KNOWN);
  if (typeof options.input !== "object" || options.input === null) {
    throw optionError(OWNER, "input", "what completePreprocessing gives", options.input);
  }
  const { inputShape, mean, deviation, ...rest } = options.input;
  const input = completeInput(inputShape, {
    ...rest,
    ...(mean === undefined ? {} : { mean }),
    ...(deviation === undefined ? {} : { deviation }),
  });
  const { augment, maxPixels } = options;
  const batch = positiveInteger(OWNER, "batch", options.batch ?? 32);
  const checked = {
    input,
    batch,
    seed: checkSeed(OWNER, options.seed ?? 0),
    epoch: countOption("epoch", options.epoch ?? 0),
    position: countOption("position", options.position ?? 0, data.size),
    shuffle: booleanOption(OWNER, "shuffle", options.shuffle ?? true),
    augment: augment === undefined ? undefined : completeAugmentation(OWNER, augment, input),
    prefetch: countOption("prefetch", options.prefetch ?? Math.max(2, Math.ceil(EXAMPLES_AHEAD / batch))),
    concurrency: positiveInteger(OWNER, "concurrency", options.concurrency ?? 64),
    onUnreadable: oneOf(OWNER, "onUnreadable", options.onUnreadable ?? "skip", ["skip", "throw"]),
    maxPixels: maxPixels === undefined ? undefined : positiveInteger(OWNER, "maxPixels", maxPixels),
    signal: signalOption(OWNER, options.signal),
  } as const;
  if (data.size === 0) throw refuse("data", "at least one example", "none", "Add examples.");
  if (checked.shuffle) checkTrainable(data, checked.batch);
  return checked;
}

function countOption(option: string, value: unknown, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  const expected = `a whole number of at least 0${most < Number.MAX_SAFE_INTEGER ? ` and at most ${grouped(most)}` : ""}`;
  throw optionError(OWNER, option, expected, value);
}

/**
 * Refuses data from which nothing can be learnt, before any work.
 *
 * @throws {DepthwiseError} `CLASSES_MISMATCH` for one class, or a class without examples; `OPTION_INVALID` for no
 *         examples, or fewer than a batch has, or what is no label
 */
export function checkTrainable(data: Dataset, batch: number): void {
  if (data.size === 0) throw refuse("data", "at least one example", "none", "Add examples.");
  if (data.classes.length < 2) {
    const found = `one: "${data.classes[0] ?? ""}"`;
    throw refuse("data", "at least two classes", found, "Add examples of another class.", "CLASSES_MISMATCH");
  }
  if (batch > data.size) {
    const found = `${grouped(data.size)}`;
    const advice = `Pass batch: ${data.size} or less, or add examples.`;
    throw refuse("data", `at least one batch of ${grouped(batch)} examples`, found, advice);
  }
  // Shares may give a class something without being the largest anywhere.
  if (data.labelType === "shares") return;
  const has = new Uint8Array(data.classes.length);
  for (let index = 0; index < data.size; index++) has[classOf(labelOf(data, index))] = 1;
  const empty = data.classes.flatMap((name, c) => (has[c] === 0 ? [`"${name}"`] : []));
  if (empty.length === 0) return;
  const advice = "Add examples of them, or leave those classes out.";
  throw refuse("data", "examples of each class", `none of ${listed(empty)}`, advice, "CLASSES_MISMATCH");
}

function refuse(
  option: string,
  expected: string,
  found: string,
  advice: string,
  code: "OPTION_INVALID" | "CLASSES_MISMATCH" = "OPTION_INVALID",
): DepthwiseError {
  return new DepthwiseError(code, {
    what: `${OWNER}: ${option}`,
    expected,
    found,
    advice,
    fields: { owner: OWNER, option },
  });
}
