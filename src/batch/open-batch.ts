/** A run of shards, opened once: any of them can be run, one after the other, by one network that is compiled once. */

import { rankedOutput } from "../classify/ranked.ts";
import { DepthwiseError } from "../core/errors.ts";
import { signalOption } from "../core/options.ts";
import { completePreprocessing } from "../core/preprocessing.ts";
import { systemCode } from "../core/realms.ts";
import { anyOf } from "../core/until-aborted.ts";
import { PIXELS_AT_ONCE, pixelBudget } from "../images/pixel-budget.ts";
import { MAX_PIXELS } from "../images/pixels.ts";
import { checkNetwork } from "../layers/network.ts";
import { compile } from "../session/compile.ts";
import type { Session } from "../session/session.ts";
import { orUnwritable } from "../weights/write-file.ts";
import {
  type BatchOptions,
  type CheckedBatch,
  checkBatchOptions,
  mostErrors,
  SHARD_PICTURES,
} from "./batch-options.ts";
import { type Input, openPictures } from "./input.ts";
import { removeLeftOvers } from "./left-overs.ts";
import { lookAtPart, lookAtParts } from "./look-at-part.ts";
import { hashOfLabels, hashOfModel, labelsOfTask } from "./model-hash.ts";
import {
  checkPartOfRun,
  MOST_SHARDS,
  type PartStats,
  partName,
  type RunDescription,
  STATS,
  shardRange,
} from "./part.ts";
import { publish } from "./publish.ts";
import { agreeOnRun } from "./run-file.ts";
import { type Pipeline, rounded, runRows, type ShardRun } from "./run-rows.ts";

/** How far a shard is. */
export interface ShardProgress {
  readonly shard: number;
  readonly done: number;
  readonly total: number;
  readonly errors: number;
}

export interface ShardOptions {
  /** Ends it within a moment; what was written has no name, and goes. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/** What became of a shard. */
export interface ShardResult extends PartStats {
  /** False for a part that was there. */
  readonly isNew: boolean;
}

export interface BatchRun {
  readonly run: RunDescription;
  /**
   * Runs a shard, unless its part is there with all its files.
   *
   * @param options.signal ends this shard, as the run's own signal does
   * @throws {DepthwiseError} `OPTION_INVALID` for a number that is none of a shard; `TOO_MANY_ERRORS`; `RUN_MISMATCH` if
   *         the part that is there is of another network, other options or other pictures; `FILE_UNREADABLE` if the part
   *         cannot be written; `SESSION_CLOSED` after `close`; `signal.reason`
   */
  runShard(shard: number, options?: ShardOptions): Promise<ShardResult>;
  /**
   * Numbers of the shards whose parts are not there with all their files.
   *
   * @param range the first and the last shard that is looked for. Default all
   * @throws {DepthwiseError} `RUN_MISMATCH` if a part is of another run; `signal.reason`
   */
  missing(range?: readonly [from: number, to: number]): Promise<readonly number[]>;
  /** Frees the memory. */
  close(): void;
}

/**
 * Opens a run: the pictures are counted, and what is asked for is compared with what parts are there already.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`, `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `NETWORK_INVALID`, `LABELS_MISSING`,
 *         `CLASSES_MISMATCH`; `FILE_EMPTY` if there is no picture; `FORMAT_UNKNOWN` for a file that is packed, or neither list
 *         nor tar; of a tar that is damaged or cut off `FILE_CORRUPT`, `FILE_TRUNCATED` or `FILE_TOO_LARGE`; `RUN_MISMATCH` if
 *         the directory has parts of other weights, options or pictures, which it names
 */
export async function openBatch(options: BatchOptions): Promise<BatchRun> {
  const checked = checkBatchOptions(options);
  const { model, out, signal, task } = checked;
  checkNetwork("batch", model);
  const ranked = task === "embeddings" ? undefined : requireRanked(model);
  if (task !== "labels" && model.outputs["embedding"] === undefined) throw lacking(model, "an embedding");
  const labels = await labelsOfTask(model, task, checked.labels);
  const preprocessing = completePreprocessing(model.inputShape, checked.preprocessing ?? model.info.preprocessing);
  await makeDirectory(out);
  const input = await openPictures(checked.source, out, checked.isWhole, signal);
  if (input.count === 0) {
    throw new DepthwiseError("FILE_EMPTY", {
      what: `${checked.source}: a list without a picture`,
      advice: "Write a path or an address on each line.",
      fields: { source: checked.source },
    });
  }
  const run: RunDescription = {
    version: 1,
    shards: checked.shards ?? Math.min(Math.ceil(input.count / SHARD_PICTURES), MOST_SHARDS),
    model: { name: model.name, sha256: hashOfModel(model) },
    options: {
      ...{ task, format: checked.format, topK: checked.topK, simd: checked.simd ?? "auto" },
      ...{ backend: checked.backend ?? "auto", maxPixels: checked.maxPixels ?? MAX_PIXELS },
      preprocessing: { ...preprocessing },
      labels: hashOfLabels(labels),
    },
    input: { kind: input.kind, count: input.count, sha256: input.sha256 },
  };
  await agreeOnRun(out, run, signal);
  let opened: Promise<Session<string>> | undefined;
  let isClosed = false;
  // Only when there is work: a task whose part is there ends at once.
  const session = () => {
    if (isClosed) throw closedRun(out);
    if (opened !== undefined) return opened;
    const made = compiled(checked);
    opened = made;
    // The next shard may fare better.
    made.catch(() => {
      if (opened === made) opened = undefined;
    });
    return made;
  };
  const pipeline = { ...checked, ranked, labels, preprocessing, pixels: pixelBudget(PIXELS_AT_ONCE) };
  let isSwept = false;
  // Once: a directory of a million parts takes a while to read.
  const sweep = async (name: string) => {
    if (isSwept) return;
    isSwept = true;
    await removeLeftOvers(out, process.getBuiltinModule("node:path").join(out, `${name}${STATS}`));
  };
  return {
    run,
    async runShard(shard, shardOptions = {}) {
      if (isClosed) throw closedRun(out);
      const both = anyOf([signal, signalOption("batch", shardOptions.signal)]);
      try {
        return await runShardOf({ run, input, out, pipeline, session, sweep }, shard, {
          ...shardOptions,
          signal: both.signal,
        });
      } finally {
        both.forget();
      }
    },
    async missing(range = [0, run.shards - 1]) {
      const numbers: number[] = [];
      for await (const { shard, part } of lookAtParts(out, range, run.shards, signal)) {
        if (part?.isWhole) checkPartOfRun(out, part.stats, run);
        else numbers.push(shard);
      }
      return numbers;
    },
    close() {
      isClosed = true;
      void opened?.then((one) => one.close()).catch(() => undefined);
    },
  };
}

function compiled({ model, backend, threads, simd, batch, inWorker, signal }: CheckedBatch): Promise<Session<string>> {
  const given = Object.entries({ backend, threads, simd, batch, inWorker, signal }).filter(
    ([, value]) => value !== undefined,
  );
  return compile(model, Object.fromEntries(given)) as Promise<Session<string>>;
}

interface OpenedBatch {
  readonly run: RunDescription;
  readonly input: Input;
  readonly out: string;
  readonly pipeline: Omit<Pipeline, "session">;
  session(): Promise<Session<string>>;
  /** Removes what killed processes left, after a part got its name. */
  sweep(name: string): Promise<void>;
}

async function runShardOf(
  { run, input, out, pipeline, session, sweep }: OpenedBatch,
  shard: number,
  { signal, onProgress }: ShardOptions,
): Promise<ShardResult> {
  const { shards, model, options } = run;
  if (!Number.isSafeInteger(shard) || shard < 0 || shard >= shards) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "batch: shard",
      expected: shards === 1 ? "0: there is one shard" : `a whole number from 0 to ${shards - 1}`,
      found: String(shard),
      fields: { shard, shards },
    });
  }
  const name = partName(shard, shards);
  signal?.throwIfAborted();
  const there = await lookAtPart(out, name);
  if (there?.isWhole) return { ...checkPartOfRun(out, there.stats, run), isNew: false };
  const [from, to] = shardRange(shard, shards, input.count);
  const rows = to - from;
  const started = performance.now();
  const place = { directory: out, name, token: process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex") };
  const work: ShardRun = {
    ...{ place, rows, format: options.format, signal },
    items: (stop) => input.items(from, to, stop),
    mostErrors: mostErrors(pipeline.maxErrors, rows),
    onRow: (done, errors) => onProgress?.({ shard, done, total: rows, errors }),
  };
  const opened = await session();
  const made = await runRows({ ...pipeline, session: opened }, work);
  const { backend, simd, threads } = opened.explain();
  const stats: PartStats = {
    ...{ version: 1, shard, shards, rows },
    errors: made.errors,
    seconds: { total: rounded(performance.now() - started), ...made.seconds },
    ...{ model, options, input: { from, sha256: made.sha256 } },
    output: made.files.map(({ file, bytes, sha256 }) => ({ file, bytes, sha256 })),
    runtime: { backend, simd, threads },
  };
  const { join } = process.getBuiltinModule("node:path");
  const publishing = () => publish(place, made.files, stats, signal);
  const standing = await orUnwritable(join(out, name), "the part", signal, publishing);
  await sweep(name);
  return { ...checkPartOfRun(out, standing, run), isNew: standing === stats };
}

function requireRanked(model: CheckedBatch["model"]): "probabilities" | "logits" {
  const ranked = rankedOutput("batch", model);
  if (ranked === undefined) throw lacking(model, "probabilities");
  return ranked;
}

function lacking(model: CheckedBatch["model"], what: string): DepthwiseError {
  return new DepthwiseError("NETWORK_INVALID", {
    what: `batch: ${model.name}`,
    expected: `a network that gives ${what}`,
    found: `outputs ${Object.keys(model.outputs).join(", ")}`,
    advice: "Ask for another task, or pass another network.",
    fields: { outputs: model.outputs },
  });
}

function closedRun(out: string): DepthwiseError {
  return new DepthwiseError("SESSION_CLOSED", {
    what: `batch: the run of ${out} was closed`,
    advice: "Open it again to run more shards.",
    fields: { out },
  });
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await process.getBuiltinModule("node:fs/promises").mkdir(path, { recursive: true });
  } catch (cause) {
    const code = systemCode(cause);
    const reason = code === "EEXIST" || code === "ENOTDIR" ? "a file is in the way" : (code ?? String(cause));
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${path}: the directory of the parts cannot be made (${reason})`,
      advice: "Pass another directory: --out.",
      fields: { path },
      cause,
    });
  }
}
