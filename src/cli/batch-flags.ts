/** What `depthwise batch` takes, and what of it goes to its workers. */

import { type Command, InvalidArgumentError } from "commander";
import { type BatchOptions, FORMATS, type PartFormat, TASKS, type Task } from "../batch/index.ts";
import { choice, concurrencyOption, maxPixelsOption, outOption, topKOption, weightsOption } from "./flags.ts";
import { addLoadOptions, type LoadFlags } from "./load.ts";
import { toCount, toNumber } from "./numbers.ts";
import { addSessionOptions, type SessionFlags } from "./session-options.ts";

export interface BatchFlags extends LoadFlags, SessionFlags {
  readonly weights?: string;
  readonly out?: string;
  readonly task?: Task;
  readonly format?: PartFormat;
  readonly topK?: number;
  readonly shards?: number;
  readonly shard?: readonly [from: number, to: number];
  readonly workers?: number;
  readonly maxErrors?: number;
  readonly maxPixels?: number;
  readonly concurrency?: number;
  readonly log?: "json";
  readonly status?: string;
  readonly merge?: string;
}

export function addBatchFlags(command: Command): Command {
  command
    .addOption(weightsOption("needed"))
    .addOption(outOption("directory", "where parts go; those that are there are not made again"))
    .addOption(choice("--task <what>", "of each picture (default labels)", TASKS))
    .addOption(
      choice("--format <name>", "of the parts (default jsonl; npy for embeddings; parquet for either)", FORMATS),
    )
    .addOption(topKOption("how many predictions (default 5)"))
    .option("--shards <count>", "pieces that the pictures are cut into (default one for 10,000 pictures)", toCount)
    .option("--shard <number>", "which of them, from 0: 17, or 10-19 (default what a scheduler says, or all)", toShards)
    .option(
      "--workers <count>",
      "processes on this machine, where it runs several shards (default one a core)",
      toNumber,
    )
    .option(
      "--max-errors <share>",
      "pictures of a shard that may be unreadable: 1% or 50 (default 1%, but 10)",
      toErrors,
    )
    .addOption(choice("--log <format>", "progress as a line of JSON every 10 seconds, on a terminal too", ["json"]))
    .option("--status <directory>", "say what parts are there, and nothing else")
    .option("--merge <file>", "join the parts of --out into one file, and nothing else");
  addLoadOptions(command).addOption(maxPixelsOption());
  const usual = { threads: "all cores, shared by the workers", batch: "8" };
  return addSessionOptions(command, usual).addOption(concurrencyOption());
}

/** What the flags say of a run, but for the network. */
export type PlainBatchOptions = Omit<BatchOptions, "model" | "signal">;

export function plainOptions(source: string, out: string, flags: BatchFlags): PlainBatchOptions {
  const { task, format, topK, shards, maxErrors, maxPixels, concurrency, backend, threads, simd, batch } = flags;
  const given = { task, format, topK, shards, maxErrors, maxPixels, concurrency, backend, threads, simd, batch };
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  // The command has nothing else to answer, and starts sooner without.
  return { source, out, inWorker: false, ...Object.fromEntries(stated) };
}

/** `17`, or `10-19`. */
function toShards(text: string): readonly [from: number, to: number] {
  const [, from = "", to = from] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text) ?? [];
  if (from === "" || Number(to) < Number(from)) {
    throw new InvalidArgumentError("It is no shard's number, such as 17, nor a range of them, such as 10-19.");
  }
  return [Number(from), Number(to)];
}

/** `1%`, or a number of pictures. */
function toErrors(text: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits === undefined)
    throw new InvalidArgumentError("It is neither a share, such as 1%, nor a number of pictures.");
  if (percent === "%") {
    if (value >= 100) return Number.MAX_SAFE_INTEGER;
    return value / 100;
  }
  if (!Number.isInteger(value))
    throw new InvalidArgumentError("It is neither a share, such as 1%, nor a number of pictures.");
  return value;
}
