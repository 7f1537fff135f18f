/** The directory of a training run: what lies in it, each file written whole or not at all. */

import { access, mkdir, open, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { readStart } from "../core/regular-file.ts";
import { historyLines } from "../train/history-lines.ts";
import type { EpochRecord } from "../train/index.ts";
import { orRemove, orUnwritable, writeFile } from "../weights/write-file.ts";

/** Paths of a run's files. */
export interface RunPlaces {
  readonly directory: string;
  readonly model: string;
  readonly history: string;
  readonly options: string;
  readonly report: string;
  /** A directory, which is `fit`'s. */
  readonly checkpoint: string;
}

export function runPlaces(directory: string): RunPlaces {
  return {
    directory,
    model: join(directory, "model.safetensors"),
    history: join(directory, "history.jsonl"),
    options: join(directory, "options.json"),
    report: join(directory, "report.html"),
    checkpoint: join(directory, "checkpoint"),
  };
}

/**
 * Refuses a directory in which a run lies: what was learnt there is not written over.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
export async function checkNoRun({ options, model, checkpoint }: RunPlaces): Promise<void> {
  for (const path of [options, model, checkpoint]) {
    if (await exists(path)) throw hasRun(path);
  }
}

function hasRun(path: string): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", {
    what: "train: --out",
    expected: "a directory without a run",
    found: path,
    advice: "Go on with that run by --resume, pass another --out, or remove it.",
    fields: { path },
  });
}

/**
 * Makes the directory, and writes down what is begun in it. Of several who begin there at once, one does: whoever makes
 * the file has the directory.
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE` if it cannot be made or written; `OPTION_INVALID` if a run was begun there since
 *         `checkNoRun`
 */
export async function beginRun({ directory, options }: RunPlaces, text: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (cause) {
    const code = systemCode(cause) ?? "unknown";
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${directory}: the directory cannot be made (${code})`,
      advice:
        code === "EEXIST" || code === "ENOTDIR"
          ? "A file is in the way: pass another --out."
          : "Check that you may write there.",
      fields: { path: directory },
      cause,
    });
  }
  await orUnwritable(options, "the file", undefined, async () => {
    const file = await open(options, "wx").catch((cause: unknown) => {
      throw systemCode(cause) === "EEXIST" ? hasRun(options) : cause;
    });
    await orRemove([options], async () => {
      try {
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
    });
  });
}

/**
 * Removes what `beginRun` made, of a run that came to nothing: it can be begun again. Where anything lies in place of a
 * checkpoint, as after a full disk, all stays: without its options the run could neither be resumed nor begun.
 */
export async function forgetRun({ directory, options, checkpoint }: RunPlaces): Promise<void> {
  // Only if they are empty.
  for (const folder of [join(checkpoint, "head"), checkpoint]) await rmdir(folder).catch(() => undefined);
  if (await exists(checkpoint)) return;
  await rm(options, { force: true }).catch(() => undefined);
  await rmdir(directory).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Of a history: what is more than a hundred thousand epochs is not read. */
const MOST_BYTES = 2 ** 28;

const ADVICE = "Pass another --out.";

export function writeText(path: string, text: string): Promise<void> {
  // Without the signal: what a run has learnt is written down when it is broken off too.
  return writeFile(path, new TextEncoder().encode(text), { advice: ADVICE });
}

/** One line an epoch. */
export function writeHistory(path: string, history: readonly EpochRecord[]): Promise<void> {
  return writeText(path, historyLines(history));
}

/** The epochs of a run that goes on; lines that cannot be read are left out. */
export async function readHistory(path: string): Promise<readonly EpochRecord[]> {
  const text = await readStart(path, MOST_BYTES).then(
    ({ start }) => new TextDecoder().decode(start),
    () => "",
  );
  return text.split("\n").flatMap((line) => {
    const record = recordIn(line);
    return record === undefined ? [] : [record];
  });
}

function recordIn(line: string): EpochRecord | undefined {
  try {
    const value: Partial<EpochRecord> | null = JSON.parse(line);
    const isSound = typeof value?.epoch === "number" && typeof value.loss === "number" && value.time !== undefined;
    return isSound ? (value as EpochRecord) : undefined;
  } catch {
    return undefined;
  }
}
