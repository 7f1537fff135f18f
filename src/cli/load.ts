/** Loading a model for a command: the options that beat what a file says, and a bar while it is fetched. */

import type { Command } from "commander";
import { shownAddress } from "../core/address.ts";
import { optionError } from "../core/options.ts";
import type { Preprocessing } from "../core/preprocessing.ts";
import type { MobileNetV1Options } from "../models/index.ts";
import type { ModelSource } from "../sources/index.ts";
import { type LoadedModel, type LoadOptions, loadModel, type OpenedModel, openModel } from "../weights/load-model.ts";
import { checkOneStdin, weightsFrom } from "./files.ts";
import { addPreprocessingOptions, addShapeOptions, choice, preprocessingOf, under } from "./flags.ts";
import { withoutUndefined } from "./network-options.ts";
import { toBytes, toNumber } from "./numbers.ts";
import { complain, progressBar } from "./print.ts";

export interface LoadFlags
  extends Preprocessing,
    Pick<MobileNetV1Options, "alpha" | "resolution" | "classes" | "epsilon"> {
  readonly padding?: "same" | "keras" | "symmetric";
  readonly activation?: "relu" | "relu6" | "leakyRelu";
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
  under("Network, where it is known better than the file says:", command, (group) =>
    addShapeOptions(group)
      .addOption(choice("--activation <name>", "after each layer", ["relu", "relu6", "leakyRelu"]))
      .option("--epsilon <number>", "of batch norm", toNumber),
  );
  under("Pictures, where it is known better than the file says:", command, addPreprocessingOptions);
  return under("Reading and downloading:", command, (group) =>
    group
      .option("--max-bytes <count>", "largest file that is read (default 2GiB)", toBytes)
      .option("--max-decoded-bytes <count>", "most that is made of it in memory (default by its size)", toBytes)
      .option("--no-cache", "fetch addresses anew and keep nothing")
      .option("--offline", "take addresses from the cache alone")
      .option("--refresh", "ask the server again for what the cache holds")
      .option("--sha256 <hex>", "refuse a file with another checksum")
      .option("--mirror <url>", "another address to try (may be given again)", (url: string, before: string[] = []) => [
        ...before,
        url,
      ]),
  );
}

/** Reads and understands a model; two files are halves of one. */
export function loadFrom(files: readonly string[], flags: LoadFlags): Promise<LoadedModel> {
  return withBar(async (onProgress) =>
    loadModel(await sourceOf(files, flags.signal), { ...loadOptions(flags), onProgress }),
  );
}

/** The first of two steps, for a command that shows what is in a file even if it is no MobileNet. */
export function openFrom(files: readonly string[], flags: LoadFlags): Promise<OpenedModel> {
  return withBar(async (onProgress) =>
    openModel(await sourceOf(files, flags.signal), { ...loadOptions(flags), onProgress }),
  );
}

async function sourceOf(
  [first = "", second, ...others]: readonly string[],
  signal: AbortSignal,
): Promise<ModelSource | readonly [ModelSource, ModelSource]> {
  if (others.length > 0) {
    throw optionError(
      "depthwise",
      "files",
      "one, or two halves of one network",
      [first, second, ...others].map((file = "") => shownAddress(file)),
    );
  }
  checkOneStdin(second === undefined ? [first] : [first, second]);
  const source = await weightsFrom(first, signal);
  return second === undefined ? source : [source, await weightsFrom(second, signal)];
}

function loadOptions({ mirror, ...flags }: LoadFlags): LoadOptions {
  const { alpha, resolution, classes, padding, activation, epsilon } = flags;
  const { maxBytes, maxDecodedBytes, cache, offline, refresh, sha256, signal } = flags;
  return withoutUndefined({
    ...{ alpha, resolution, classes, padding, activation, epsilon },
    ...{ maxBytes, maxDecodedBytes, cache: cache === false ? false : undefined, offline, refresh, sha256, signal },
    preprocessing: preprocessingOf(flags),
    mirrors: mirror,
  });
}

async function withBar<Value>(
  work: (onProgress: NonNullable<LoadOptions["onProgress"]>) => Promise<Value>,
): Promise<Value> {
  // What comes late, such as a configuration beside the weights, is too small for a bar.
  const bar = progressBar("{name} {bar} {percentage} %");
  try {
    return await work(({ file, received, total, fromCache, note }) => {
      if (note !== undefined) complain(`${shownAddress(file)}: ${note}`);
      else if (!fromCache && total !== undefined) bar.update(received, total, file);
    });
  } finally {
    bar.stop();
  }
}
