/** A part: what a shard becomes. Its names, and the words of its statistics, without which it does not exist. */

import { DepthwiseError } from "../core/errors.ts";
import { isNatural, isObject } from "../core/json.ts";

/** Most shards of a run: names of all of them are looked for, one by one. */
export const MOST_SHARDS = 1_000_000;

/** Digits of a shard's number: names sort as numbers do. */
const DIGITS = 5;

/** `part-00017-of-01000`. */
export function partName(shard: number, shards: number): string {
  const digits = Math.max(DIGITS, String(shards).length);
  return `part-${String(shard).padStart(digits, "0")}-of-${String(shards).padStart(digits, "0")}`;
}

/** Of a part's statistics, which are written last. */
export const STATS = ".stats.json";

/** The first input of a shard and the one behind its last: lengths differ by one at most. */
export function shardRange(shard: number, shards: number, count: number): readonly [from: number, to: number] {
  // Whole numbers: count × shards may be more than doubles hold.
  const at = (place: number) => Number((BigInt(count) * BigInt(place)) / BigInt(shards));
  return [at(shard), at(shard + 1)];
}

/** Inputs of a shard, and so rows of its part. */
export function shardRows({ shards, input }: RunDescription, shard: number): number {
  const [from, to] = shardRange(shard, shards, input.count);
  return to - from;
}

/** What can be asked of a picture. */
export type Task = "labels" | "embeddings" | "both";

export type PartFormat = "jsonl" | "npy" | "parquet";

/** What a run of shards was asked for: parts of others are not mixed with its own. */
export interface RunSettings {
  readonly task: Task;
  readonly format: PartFormat;
  /** Predictions of a picture. */
  readonly topK: number;
  /** As it was asked for; relaxed SIMD differs between machines. */
  readonly simd: string;
  /** As it was asked for: backends differ in the last digits. */
  readonly backend: string;
  /** Of a larger picture the row is an error. */
  readonly maxPixels: number;
  readonly preprocessing: Readonly<Record<string, unknown>>;
  /** The sha256 of what classes are called in the rows; empty where rows have none. */
  readonly labels: string;
}

/** What all parts of a directory are of. */
export interface RunDescription {
  readonly version: 1;
  readonly shards: number;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly options: RunSettings;
  readonly input: { readonly kind: string; readonly count: number; readonly sha256: string };
}

export interface OutputFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** `part-00017-of-01000.stats.json`. */
export interface PartStats {
  readonly version: 1;
  readonly shard: number;
  readonly shards: number;
  /** Inputs of the shard, and so rows of its output. */
  readonly rows: number;
  /** How many could not be read, by the code of the error. */
  readonly errors: Readonly<Record<string, number>>;
  /**
   * Seconds: `total` by the clock; `decode` and `resize` summed over pictures, several of which are decoded at once, and
   * `network` over runs.
   */
  readonly seconds: {
    readonly total: number;
    readonly decode: number;
    readonly resize: number;
    readonly network: number;
  };
  readonly model: RunDescription["model"];
  readonly options: RunSettings;
  /** Of the lines of this shard, as they stand in the input. */
  readonly input: { readonly from: number; readonly sha256: string };
  readonly output: readonly OutputFile[];
  /** What computed it. */
  readonly runtime: { readonly backend: string; readonly simd: string; readonly threads: number };
}

/** Whether a value is what `run.json` of a run says. */
export function isRunDescription(value: unknown): value is RunDescription {
  if (!isObject(value)) return false;
  const { version, shards, model, options, input } = value;
  return (
    version === 1 &&
    isNatural(shards) &&
    shards > 0 &&
    shards <= MOST_SHARDS &&
    isObject(model) &&
    [model["name"], model["sha256"]].every(isText) &&
    isObject(options) &&
    [options["task"], options["format"], options["simd"], options["backend"], options["labels"]].every(isText) &&
    [options["topK"], options["maxPixels"]].every(isNatural) &&
    isObject(options["preprocessing"]) &&
    isObject(input) &&
    isNatural(input["count"]) &&
    [input["kind"], input["sha256"]].every(isText)
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/**
 * The statistics of a part in `directory`, compared with what its run is of.
 *
 * @throws {DepthwiseError} `RUN_MISMATCH`
 */
export function checkPartOfRun(directory: string, stats: PartStats, run: RunDescription): PartStats {
  const { isDeepStrictEqual } = process.getBuiltinModule("node:util");
  const { shard, shards, rows, model, options, input } = stats;
  const [from, to] = shardRange(shard, run.shards, run.input.count);
  // As a file has them: without what is undefined.
  const wanted = asStored({ shards: run.shards, rows: to - from, model: run.model, options: run.options, from });
  const found = asStored({ shards, rows, model, options, from: input.from });
  const different = Object.entries(wanted)
    .filter(([name, value]) => !isDeepStrictEqual(value, found[name]))
    .map(([name]) => (name === "from" ? "input.from" : name));
  if (different.length === 0) return stats;
  throw new DepthwiseError("RUN_MISMATCH", {
    what: `${directory}: the part of shard ${shard} is of another run: other ${different.join(", ")}`,
    advice: "Remove its .stats.json to have it made again, or pass another directory: --out.",
    fields: { directory, shard, different },
  });
}

function asStored(value: object): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(value));
}
