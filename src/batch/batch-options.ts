/** What a run of shards can be asked for, checked. */

import {
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  signalOption,
} from "../core/options.ts";
import type { Preprocessing } from "../core/preprocessing.ts";
import type { Network } from "../layers/network.ts";
import type { CompileOptions } from "../session/compile.ts";
import { MOST_SHARDS, type PartFormat, type Task } from "./part.ts";

const OWNER = "batch";

/** Pictures of a shard where nobody says how many shards there are. */
export const SHARD_PICTURES = 10_000;

/** `backend`, `threads`, `simd` and `batch` (default 8: pictures in one run) are those of `compile`. */
export interface BatchOptions extends Pick<CompileOptions, "backend" | "threads" | "simd" | "batch"> {
  /** A folder of pictures, a tar of them, or a list of paths and addresses. */
  readonly source: string;
  readonly model: Network<string>;
  /** The directory of the parts. */
  readonly out: string;
  /** How many shards the pictures are cut into, at most a million. Default one for 10,000. */
  readonly shards?: number;
  /** Default `labels`. */
  readonly task?: Task;
  /**
   * `jsonl` (default): a line a picture; `npy`: embeddings as a matrix, with the lines beside it; `parquet`: a table with
   * the columns `id`, of labels `label`, `probability` and `predictions` (a list of index, label and probability), of
   * embeddings `embedding` (a list of float32), and `error_code` and `error_message`, null where there is none.
   */
  readonly format?: PartFormat;
  /** Predictions of a picture. Default 5. */
  readonly topK?: number;
  /**
   * Most pictures of a shard that may be unreadable: a number, or a share below 1. Default a hundredth, but ten at least,
   * and never all.
   */
  readonly maxErrors?: number;
  /** How pictures become the input. Default: the model's own description. */
  readonly preprocessing?: Preprocessing;
  /** One name for each class. Default the model's own. */
  readonly labels?: readonly string[];
  /** Most pixels of a picture. Default 16383². */
  readonly maxPixels?: number;
  /** Pictures that are read and decoded at once. Default 4. */
  readonly concurrency?: number;
  /**
   * Whether the network runs in a worker of its own, so that the caller's event loop has its turn all the while; as of
   * `compile`. Default true.
   */
  readonly inWorker?: boolean;
  /** Whether this process runs all shards: a folder is then listed again. Default false. */
  readonly isWhole?: boolean;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const KNOWN = [
  ...["source", "model", "out", "shards", "task", "format", "topK", "maxErrors", "preprocessing", "labels"],
  ...["maxPixels", "concurrency", "isWhole", "inWorker", "signal", "backend", "threads", "simd", "batch"],
] as const;

export const TASKS = ["labels", "embeddings", "both"] as const satisfies readonly Task[];
export const FORMATS = ["jsonl", "npy", "parquet"] as const satisfies readonly PartFormat[];

/** @throws {DepthwiseError} `OPTION_INVALID` */
export function checkBatchOptions(options: BatchOptions) {
  checkKnownOptions(OWNER, options, KNOWN);
  const { source, out, shards, maxErrors, model, labels, preprocessing, backend, threads, simd } = options;
  for (const [name, value] of Object.entries({ source, out })) {
    if (typeof value !== "string" || value === "") throw optionError(OWNER, name, "a path", value);
  }
  const task = oneOf(OWNER, "task", options.task ?? "labels", TASKS);
  const format = oneOf(OWNER, "format", options.format ?? "jsonl", FORMATS);
  if (format === "npy" && task === "labels") {
    const advice = 'Pass task: "embeddings" or "both".';
    throw optionError(OWNER, "format", "jsonl or parquet for labels: npy holds embeddings", format, advice);
  }
  if (maxErrors !== undefined && !(Number.isFinite(maxErrors) && maxErrors >= 0)) {
    throw optionError(OWNER, "maxErrors", "a number of pictures, or a share below 1", maxErrors);
  }
  const count = (name: "topK" | "concurrency" | "batch", usual: number) =>
    positiveInteger(OWNER, name, options[name] ?? usual);
  return {
    ...{ source, out, model, labels, preprocessing, task, format, maxErrors, backend, threads, simd },
    shards: shards === undefined ? undefined : shardsOption(shards),
    topK: count("topK", 5),
    concurrency: count("concurrency", 4),
    batch: count("batch", 8),
    maxPixels: options.maxPixels === undefined ? undefined : positiveInteger(OWNER, "maxPixels", options.maxPixels),
    isWhole: booleanOption(OWNER, "isWhole", options.isWhole ?? false),
    inWorker: booleanOption(OWNER, "inWorker", options.inWorker ?? true),
    signal: signalOption(OWNER, options.signal),
  };
}

function shardsOption(value: unknown): number {
  const shards = positiveInteger(OWNER, "shards", value);
  if (shards <= MOST_SHARDS) return shards;
  throw optionError(OWNER, "shards", `at most ${MOST_SHARDS.toLocaleString("en-US")}`, value);
}

export type CheckedBatch = ReturnType<typeof checkBatchOptions>;

/** At least so many errors are nothing yet where nobody says how many may be. */
const FEW_ERRORS = 10;
const SHARE = 0.01;

/** Most errors of a shard of so many pictures. */
export function mostErrors(maxErrors: number | undefined, rows: number): number {
  if (maxErrors === undefined) return Math.min(Math.max(FEW_ERRORS, Math.floor(SHARE * rows)), rows - 1);
  return maxErrors < 1 ? Math.floor(maxErrors * rows) : maxErrors;
}
