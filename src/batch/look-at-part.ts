/** What there is of a part: its statistics, and whether the files that those name are there. */

import { isNatural, isObject } from "../core/json.ts";
import { systemCode } from "../core/realms.ts";
import { type PartStats, partName, STATS } from "./part.ts";
import { readIfThere } from "./read-if-there.ts";

export interface FoundPart {
  readonly stats: PartStats;
  /** Whether all its files are there, of the length that the statistics say. */
  readonly isWhole: boolean;
}

/** A part of a directory; undefined if it has no statistics, or what is there are none. Of its files the sizes alone. */
export async function lookAtPart(directory: string, name: string): Promise<FoundPart | undefined> {
  const { join } = process.getBuiltinModule("node:path");
  const { stat } = process.getBuiltinModule("node:fs/promises");
  const stats = await readStats(directory, name);
  if (stats === undefined) return undefined;
  const sizes = await Promise.all(stats.output.map(({ file }) => stat(join(directory, file)).then(sizeOf, absent)));
  return { stats, isWhole: stats.output.every(({ bytes }, place) => sizes[place] === bytes) };
}

/** Parts that are looked at at once: a disk far away answers each as late as all. */
const AT_ONCE = 16;

/** What `lookAtPart` says of a range of shards, in order. */
export async function* lookAtParts(
  directory: string,
  [from, to]: readonly [from: number, to: number],
  shards: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly shard: number; readonly part: FoundPart | undefined }, void, undefined> {
  for (let first = from; first <= to; first += AT_ONCE) {
    signal?.throwIfAborted();
    const numbers = Array.from({ length: Math.min(AT_ONCE, to - first + 1) }, (_, place) => first + place);
    const parts = await Promise.all(numbers.map((shard) => lookAtPart(directory, partName(shard, shards))));
    for (const [place, shard] of numbers.entries()) yield { shard, part: parts[place] };
  }
  signal?.throwIfAborted();
}

function sizeOf({ size }: { readonly size: number }): number {
  return size;
}

function absent(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
  return undefined;
}

async function readStats(directory: string, name: string): Promise<PartStats | undefined> {
  const { join } = process.getBuiltinModule("node:path");
  const text = await readIfThere(join(directory, `${name}${STATS}`));
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isStats(value, name) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStats(value: unknown, name: string): value is PartStats {
  if (!isObject(value)) return false;
  const { version, shard, shards, rows, errors, model, options, input, output } = value;
  return (
    version === 1 &&
    [shard, shards, rows].every(Number.isSafeInteger) &&
    [errors, model, options, input].every(isObject) &&
    Object.values(errors as object).every(Number.isSafeInteger) &&
    Array.isArray(output) &&
    output.length <= MOST_FILES &&
    output.every((one) => isOutput(one, name))
  );
}

/** Lines beside a matrix. */
const MOST_FILES = 2;

/** Files of the part alone: whoever joins parts reads what is named here. */
function isOutput(value: unknown, name: string): boolean {
  if (!isObject(value)) return false;
  const { file, bytes, sha256 } = value;
  const isOfPart = ["jsonl", "npy", "parquet"].some((ending) => file === `${name}.${ending}`);
  return isOfPart && isNatural(bytes) && typeof sha256 === "string";
}
