/** Loading a model for a command: the options that beat what a file says, and a bar while it is fetched. */

import { SingleBar } from "cli-progress";
import { type Command, Option } from "commander";
import type { MobileNetV1Options } from "../models/index.ts";
import { type LoadedModel, type LoadOptions, loadModel, modelFrom, readSource } from "../weights/load-model.ts";
import type { ModelFile } from "../weights/model-file.ts";
import { toNumber } from "./network-options.ts";

export interface LoadFlags extends Pick<MobileNetV1Options, "alpha" | "resolution" | "classes" | "epsilon"> {
  readonly padding?: "same" | "keras" | "symmetric";
  readonly activation?: "relu" | "relu6" | "leakyRelu";
  readonly range?: readonly [number, number];
  readonly maxBytes?: number;
  readonly cache?: boolean;
  readonly offline?: boolean;
  readonly refresh?: boolean;
  readonly sha256?: string;
  readonly mirror?: readonly string[];
  readonly signal: AbortSignal;
}

/** Adds the options of `loadModel`, each under its name there. */
export function addLoadOptions(command: Command): Command {
  return command
    .option("--alpha <number>", "width multiplier, in place of what the file says", toNumber)
    .option("--resolution <pixels>", "side of the input", toNumber)
    .option("--classes <count>", "1000 drops the background of a file of 1001, 1001 adds one", toNumber)
    .addOption(new Option("--padding <style>", "how 3 × 3 layers pad").choices(["same", "keras", "symmetric"]))
    .addOption(new Option("--activation <name>", "after each layer").choices(["relu", "relu6", "leakyRelu"]))
    .option("--epsilon <number>", "of batch norm", toNumber)
    .option("--range <low,high>", "what bytes 0 and 255 become", toRange)
    .option("--max-bytes <count>", "largest file that is read (default 2 GiB)", toNumber)
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
export async function loadFrom(files: readonly string[], flags: LoadFlags): Promise<LoadedModel> {
  const bar = progressBar();
  try {
    return await loadModel(sourceOf(files), { ...loadOptions(flags), onProgress: bar.update });
  } finally {
    bar.stop();
  }
}

/** The same in two steps, for a command that shows what is in a file even if it is no MobileNet. */
export async function openFrom(
  files: readonly string[],
  flags: LoadFlags,
): Promise<{ readonly model: ModelFile; understand(): Promise<LoadedModel> }> {
  const bar = progressBar();
  const { maxBytes, cache, offline, refresh, sha256, mirrors, signal, ...given } = loadOptions(flags);
  const from = withoutUndefined({ maxBytes, cache, offline, refresh, sha256, mirrors, signal, onProgress: bar.update });
  try {
    const { file, model } = await readSource(sourceOf(files), from);
    return { model, understand: () => modelFrom(file, model, given) };
  } finally {
    bar.stop();
  }
}

function sourceOf([first = "", second]: readonly string[]): string | readonly [string, string] {
  return second === undefined ? first : [first, second];
}

function loadOptions({ mirror, range, ...flags }: LoadFlags): LoadOptions {
  const { alpha, resolution, classes, padding, activation, epsilon } = flags;
  const { maxBytes, cache, offline, refresh, sha256, signal } = flags;
  return withoutUndefined({
    ...{ alpha, resolution, classes, padding, activation, epsilon },
    ...{ maxBytes, cache: cache === false ? false : undefined, offline, refresh, sha256, signal },
    preprocessing: range === undefined ? undefined : { range },
    mirrors: mirror,
  });
}

function progressBar(): { update: NonNullable<LoadOptions["onProgress"]>; stop(): void } {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  let bar: SingleBar | undefined;
  return {
    update({ file, received, total, fromCache }) {
      if (fromCache || total === undefined) return;
      if (bar === undefined) {
        bar = new SingleBar({ format: "{file} {bar} {percentage} %", stream: process.stderr, clearOnComplete: true });
        bar.start(total, 0, { file });
      }
      bar.setTotal(total);
      bar.update(received, { file });
    },
    stop: () => bar?.stop(),
  };
}

function toRange(text: string): readonly [number, number] {
  const [low, high] = text.split(",").map(toNumber);
  return [low ?? 0, high ?? Number.NaN];
}

function withoutUndefined<Values extends object>(
  values: Values,
): { [Name in keyof Values]: Exclude<Values[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
