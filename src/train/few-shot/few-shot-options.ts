/** The options of few-shot learning and of its calls, checked, and what those tell. */

import type { ImageOptions } from "../../classify/image-options.ts";
import { READING, readingOf } from "../../classify/reading.ts";
import type { DepthwiseError } from "../../core/errors.ts";
import {
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  positiveNumber,
  signalOption,
} from "../../core/options.ts";
import type { Preprocessing } from "../../core/preprocessing.ts";
import { paceOf } from "../../core/stall-watch.ts";
import type { CompileOptions } from "../../session/compile.ts";

const COMPILED = ["backend", "threads", "simd", "worker", "inWorker", "modules", "batch"] as const;
export const METHODS = ["linear", "nearest"] as const;

/** How classes are told by features. */
export type FewShotMethod = (typeof METHODS)[number];

/** `backend`, `threads`, `simd`, `worker`, `inWorker`, `modules` and `batch` (default 8) are those of `compile`. */
export interface FewShotOptions extends Pick<CompileOptions, (typeof COMPILED)[number]> {
  /**
   * `linear` (default): softmax regression, trained on all examples. `nearest`: the nearest examples vote; nothing is
   * trained, and each question looks at all examples.
   */
  readonly method?: FewShotMethod;
  /** Of `nearest`: how many examples vote. Default 10. */
  readonly neighbours?: number;
  /** Of `linear`: what large weights cost, see `fitProbe`'s formula. Default 0.001. */
  readonly penalty?: number;
  /** How images become the input. Default as the model says. */
  readonly preprocessing?: Preprocessing;
  /** What `save` gave: classes and examples to go on from. */
  readonly from?: Uint8Array;
}

export interface AddOptions extends ImageOptions {
  /**
   * What becomes of an image that cannot be read: its error is thrown, and none of the images is added (`throw`,
   * default); or it is left out and told (`skip`).
   */
  readonly onUnreadable?: "throw" | "skip";
  /** How many images are read and decoded at once. Default 4. */
  readonly concurrency?: number;
  /** Called after each image. */
  readonly onProgress?: (progress: { readonly done: number; readonly total?: number }) => void;
}

/** What became of images that were added. */
export interface AddedImages {
  readonly label: string;
  readonly added: number;
  readonly skipped: readonly { readonly index: number; readonly error: DepthwiseError }[];
}

/** How training went. */
export interface ShotsTraining {
  readonly method: FewShotMethod;
  readonly classes: number;
  readonly examples: number;
  /** Of `linear`: the mean loss over the examples, and the share of them it gets right. */
  readonly loss?: number;
  readonly accuracy?: number;
  readonly iterations: number;
  /** The work that was done, in products that were summed. */
  readonly multAdds: number;
}

export interface CheckedFewShotOptions {
  readonly method: FewShotMethod | undefined;
  readonly neighbours: number;
  readonly penalty: number;
  readonly from: Uint8Array | undefined;
}

/** What `Embedder` is made with. */
export interface EmbedderOptions {
  readonly preprocessing: Preprocessing | undefined;
  readonly compile: CompileOptions;
}

/** @throws {DepthwiseError} `OPTION_INVALID` */
export function checkFewShotOptions(options: FewShotOptions): CheckedFewShotOptions & EmbedderOptions {
  const owner = "fewShot";
  checkKnownOptions(owner, options, [...COMPILED, "method", "neighbours", "penalty", "preprocessing", "from"]);
  const { method, neighbours = 10, penalty = 0.001, from, preprocessing, ...compile } = options;
  return {
    method: method === undefined ? undefined : oneOf(owner, "method", method, METHODS),
    neighbours: positiveInteger(owner, "neighbours", neighbours),
    penalty: positiveNumber(owner, "penalty", penalty, "0.001 suits most."),
    from,
    preprocessing,
    compile: { batch: 8, ...compile },
  };
}

export interface CheckedAddOptions {
  readonly reading: ImageOptions;
  readonly skips: boolean;
  readonly concurrency: number;
  readonly onProgress: AddOptions["onProgress"];
}

/** @throws {DepthwiseError} `OPTION_INVALID`; `signal.reason` */
export function checkAddOptions(label: unknown, options: AddOptions): CheckedAddOptions {
  const owner = "add";
  checkKnownOptions(owner, options, [...READING, "onUnreadable", "concurrency", "onProgress"]);
  if (typeof label !== "string" || label === "") throw optionError(owner, "label", "a text", label);
  const { onProgress } = options;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw optionError(owner, "onProgress", "a function", onProgress);
  }
  return {
    reading: checkedReading(owner, options),
    skips: oneOf(owner, "onUnreadable", options.onUnreadable ?? "throw", ["throw", "skip"]) === "skip",
    concurrency: positiveInteger(owner, "concurrency", options.concurrency ?? 4),
    onProgress,
  };
}

/** A copy: the object is the caller's. */
export function checkedReading(owner: string, options: ImageOptions): ImageOptions {
  const signal = signalOption(owner, options.signal);
  signal?.throwIfAborted();
  paceOf(owner, options);
  if (options.maxPixels !== undefined) positiveInteger(owner, "maxPixels", options.maxPixels);
  return readingOf({ ...options, signal });
}
