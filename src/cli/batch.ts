/** `depthwise batch`: labels or embeddings of any number of pictures, in shards. */

import { availableParallelism } from "node:os";
import { Command } from "commander";
import {
  type BatchRun,
  batchStatus,
  mergeParts,
  openBatch,
  type PartStats,
  type ShardProgress,
  shardOfEnvironment,
} from "../batch/index.ts";
import { listed } from "../core/errors.ts";
import { optionError, positiveInteger } from "../core/options.ts";
import { addBatchFlags, type BatchFlags, type PlainBatchOptions, plainOptions } from "./batch-flags.ts";
import { spooledInput } from "./batch-input.ts";
import { batchProgress } from "./batch-progress.ts";
import { runByWorkers } from "./batch-workers.ts";
import { checkOneStdin } from "./files.ts";
import { loadFrom } from "./load.ts";
import { print, printAside } from "./print.ts";

/** As many threads as a session may have. */
const SESSION_THREADS = 64;

/** Why all shards are run. */
const ALL = "no scheduler says otherwise";

export function batchCommand(): Command {
  const command = new Command("batch")
    .description("labels or embeddings of very many pictures, in shards that any scheduler can run and repeat")
    .argument(
      "[source]",
      "a folder of pictures, a tar of them, a list of paths and addresses, or - for a list on standard input",
    );
  return addBatchFlags(command).action(async (source: string | undefined, flags: BatchFlags) => {
    if (flags.status !== undefined) return printStatus(flags.status, flags.signal);
    const out = required("out", "a directory: --out DIR", flags.out);
    if (flags.merge !== undefined) return printMerged(out, flags.merge, flags.signal);
    const weights = required("weights", "a network: --weights FILE", flags.weights);
    return run(required("source", "a folder, a tar or a list of pictures", source), weights, out, flags);
  });
}

function required(name: string, expected: string, value: string | undefined): string {
  if (value === undefined || value === "") throw optionError("batch", name, expected, value);
  return value;
}

async function run(given: string, weights: string, out: string, flags: BatchFlags): Promise<void> {
  const { signal } = flags;
  const which = whichShards(flags);
  checkOneStdin([weights], [given]);
  const cores = availableParallelism();
  const most = flags.workers === undefined ? cores : positiveInteger("batch", "workers", flags.workers);
  checkSharedWeights(weights, which, most);
  const source = await spooledInput(given, out, signal);
  const model = await loadFrom([weights], flags);
  const plain = plainOptions(source, out, which === undefined ? flags : { ...flags, shards: which.shards });
  // Where this process runs them itself it has all cores.
  const batch = await openBatch({ threads: threadsOf(cores), ...plain, model, isWhole: which === undefined, signal });
  try {
    const { shards } = batch.run;
    const range = which?.range ?? ([0, shards - 1] as const);
    const missing = await batch.missing(range);
    signal.throwIfAborted();
    const workers = Math.min(most, Math.max(1, missing.length));
    printAside([understood(batch, which, missing.length, workers)]);
    const threads = flags.threads ?? threadsOf(Math.floor(cores / workers));
    const options = { ...plain, shards, threads };
    await runMissing(batch, missing, workers, { weights, options, flags });
  } finally {
    batch.close();
  }
}

/** As many threads as there are cores to have, within what a session may have. */
function threadsOf(cores: number): number {
  return Math.min(Math.max(1, cores), SESSION_THREADS);
}

/** Of several processes one would find standard input, and the others nothing. */
function checkSharedWeights(weights: string, which: Asked | undefined, workers: number): void {
  const isOne = workers === 1 || (which !== undefined && which.range[0] === which.range[1]);
  if (weights !== "-" || isOne) return;
  const advice = "Pass a file, or --workers 1.";
  throw optionError("batch", "weights", "a file, since several processes read it", weights, advice);
}

interface Asked {
  readonly range: readonly [from: number, to: number];
  readonly shards: number;
  readonly because: string;
}

/** What is to be run: as the option says, else as a scheduler does; undefined for all. */
function whichShards({ shard, shards }: BatchFlags): Asked | undefined {
  if (shard !== undefined) {
    if (shards === undefined) throw optionError("batch", "shards", "how many there are, where one is named", shards);
    if (shard[1] >= shards) throw optionError("batch", "shard", `a number up to ${shards - 1}`, shard[1]);
    return { range: shard, shards, because: "--shard" };
  }
  const found = shardOfEnvironment(process.env, shards);
  return found && { range: [found.shard, found.shard], shards: found.shards, because: found.because };
}

/** The first line that is printed. */
function understood({ run }: BatchRun, asked: Asked | undefined, missing: number, workers: number): string {
  const { shards, input } = run;
  const [from, to] = asked?.range ?? [0, shards - 1];
  const some = from === to ? `shard ${from} of ${shards}` : `shards ${from} to ${to} of ${shards}`;
  const all = shards === 1 ? "the one shard" : `all ${counted(shards)} shards`;
  const named = asked === undefined ? all : some;
  const done = to - from + 1 - missing;
  const there = done === 0 ? "" : `, ${counted(done)} of them there already`;
  const by = missing > 1 && workers > 1 ? `; ${workers} workers` : "";
  return `depthwise: ${named} (${asked?.because ?? ALL})${there}; ${counted(input.count)} pictures in all${by}`;
}

interface WorkerWork {
  readonly weights: string;
  /** For worker processes. */
  readonly options: PlainBatchOptions;
  readonly flags: BatchFlags;
}

async function runMissing(
  batch: BatchRun,
  missing: readonly number[],
  workers: number,
  work: WorkerWork,
): Promise<void> {
  const { weights, options, flags } = work;
  // An AbortSignal crosses no process.
  const { signal, ...plainFlags } = flags;
  const progress = batchProgress(missing, batch.run, flags.log === "json");
  const parts: PartStats[] = [];
  const onDone = (stats: PartStats) => {
    parts.push(stats);
    progress.done(stats);
  };
  const started = performance.now();
  try {
    if (workers > 1) {
      const open = { type: "open", weights, options, flags: plainFlags } as const;
      await runByWorkers({ workers, shards: missing, open, signal, onDone, onProgress: progress.update });
    } else {
      for (const shard of missing) {
        const onProgress = ({ done, errors }: ShardProgress) => progress.update(shard, done, errors);
        onDone(await batch.runShard(shard, { signal, onProgress }));
      }
    }
  } finally {
    progress.stop();
  }
  print([summary(parts, (performance.now() - started) / 1000, batch.run.input.count)]);
}

function summary(parts: readonly PartStats[], seconds: number, total: number): string {
  if (parts.length === 0) return `nothing to do: the parts are there (${counted(total)} pictures in all)`;
  const rows = rowsOfParts(parts);
  const rate = seconds > 0 ? `, ${counted(Math.round(rows / seconds))} pictures/s` : "";
  const time = `${seconds.toFixed(1)} s`;
  return `${parts.length} part${parts.length === 1 ? "" : "s"}, ${counted(rows)} pictures, ${errorsOf(parts)}, ${time}${rate}`;
}

async function printStatus(out: string, signal: AbortSignal): Promise<void> {
  const { run, parts, missing, damaged } = await batchStatus(out, signal);
  const pictures = `${counted(rowsOfParts(parts))} of ${counted(run.input.count)} pictures`;
  print([
    `${counted(parts.length)} of ${counted(run.shards)} parts, ${pictures}, ${errorsOf(parts)}`,
    `${run.options.task} by ${run.model.name}, ${run.options.format}`,
    ...(missing.length === 0 ? [] : [`missing: ${listed(missing.map(String))}`]),
    ...(damaged.length === 0 ? [] : [`damaged: ${listed(damaged.map(String))}`]),
  ]);
  if (missing.length + damaged.length > 0) process.exitCode = 1;
}

async function printMerged(out: string, target: string, signal: AbortSignal): Promise<void> {
  const files = await mergeParts(out, target, signal);
  print(files.map(({ file, bytes, sha256 }) => `${file}: ${counted(bytes)} bytes, sha256 ${sha256}`));
}

function rowsOfParts(parts: readonly PartStats[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0);
}

function errorsOf(parts: readonly PartStats[]): string {
  const codes = new Map<string, number>();
  for (const { errors } of parts) {
    for (const [code, count] of Object.entries(errors)) codes.set(code, (codes.get(code) ?? 0) + count);
  }
  const all = [...codes.values()].reduce((sum, each) => sum + each, 0);
  if (all === 0) return "no errors";
  const each = [...codes].map(([code, count]) => `${code} ${count}`);
  return `${counted(all)} error${all === 1 ? "" : "s"} (${each.join(", ")})`;
}

function counted(value: number): string {
  return value.toLocaleString("en-US");
}
