/** Loading a model for a command: the options that beat what a file says, and a bar while it is fetched. */

import { type Command, InvalidArgumentError } from "commander";
import { shownAddress } from "../core/address.ts";
import { optionError } from "../core/options.ts";
import type { MobileNetV1Options } from "../models/index.ts";
import { type LoadedModel, type LoadOptions, loadModel, type OpenedModel, openModel } from "../weights/load-model.ts";
import { addShapeOptions, choice } from "./flags.ts";
import { withoutUndefined } from "./network-options.ts";
import { toBytes, toNumber } from "./numbers.ts";
import { progressBar } from "./print.ts";

export interface LoadFlags extends Pick<MobileNetV1Options, "alpha" | "resolution" | "classes" | "epsilon"> {
  readonly padding?: "same" | "keras" | "symmetric";
  readonly activation?: "relu" | "relu6" | "leakyRelu";
  readonly range?: readonly [number, number];
  readonly maxBytes?: number;
  readonly maxDecodedBytes?: number;
  readonly cache?: boolean;
  readonly offline?: boolean;
  readonly refresh?: boolean;
  readonly sha256?: string;
  readonly mirror?: readonly string[];
  readonly signal: AbortSignal;
}

/** Adds the options of `loadModel`, each under its name there. */
export function addLoadOptions(command: Command): Command {
  return addShapeOptions(command)
    .addOption(choice("--activation <name>", "after each layer", ["relu", "relu6", "leakyRelu"]))
    .option("--epsilon <number>", "of batch norm", toNumber)
    .option("--range <low,high>", "what bytes 0 and 255 become", toRange)
    .option("--max-bytes <count>", "largest file that is read (default 2GiB)", toBytes)
    .option("--max-decoded-bytes <count>", "most that is made of it in memory (default by its size)", toBytes)
    .option("--no-cache", "fetch addresses anew and keep nothing")
    .option("--offline", "take addresses from the cache alone")
    .option("--refresh", "ask the server again for what the cache holds")
    .option("--sha256 <hex>", "refuse a file with another checksum")
    .option("--mirror <url>", "another address to try (may be given again)", (url: string, before: string[] = []) => [
      ...before,
      url,
    ]);
}

/** Reads and understands a model; two files are halves of one. */
export function loadFrom(files: readonly string[], flags: LoadFlags): Promise<LoadedModel> {
  return withBar((onProgress) => loadModel(sourceOf(files), { ...loadOptions(flags), onProgress }));
}

/** The first of two steps, for a command that shows what is in a file even if it is no MobileNet. */
export function openFrom(files: readonly string[], flags: LoadFlags): Promise<OpenedModel> {
  return withBar((onProgress) => openModel(sourceOf(files), { ...loadOptions(flags), onProgress }));
}

function sourceOf([first = "", second, ...others]: readonly string[]): string | readonly [string, string] {
  if (others.length > 0) {
    throw optionError(
      "depthwise",
      "files",
      "one, or two halves of one network",
      [first, second, ...others].map((file = "") => shownAddress(file)),
    );
  }
  return second === undefined ? first : [first, second];
}

function loadOptions({ mirror, range, ...flags }: LoadFlags): LoadOptions {
  const { alpha, resolution, classes, padding, activation, epsilon } = flags;
  const { maxBytes, maxDecodedBytes, cache, offline, refresh, sha256, signal } = flags;
  return withoutUndefined({
    ...{ alpha, resolution, classes, padding, activation, epsilon },
    ...{ maxBytes, maxDecodedBytes, cache: cache === false ? false : undefined, offline, refresh, sha256, signal },
    preprocessing: range === undefined ? undefined : { range },
    mirrors: mirror,
  });
}

async function withBar<Value>(
  work: (onProgress: NonNullable<LoadOptions["onProgress"]>) => Promise<Value>,
): Promise<Value> {
  // What comes late, such as a configuration beside the weights, is too small for a bar.
  const bar = progressBar("{name} {bar} {percentage} %");
  try {
    return await work(({ file, received, total, fromCache }) => {
      if (!fromCache && total !== undefined) bar.update(received, total, file);
    });
  } finally {
    bar.stop();
  }
}

function toRange(text: string): readonly [number, number] {
  const [low, high, ...others] = text.split(",").map(toNumber);
  if (low !== undefined && high !== undefined && low !== high && others.length === 0) return [low, high];
  throw new InvalidArgumentError("It is not two different numbers with a comma between.");
}
