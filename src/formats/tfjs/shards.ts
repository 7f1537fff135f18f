/** The shards of a manifest: fetched a few at a time, checked against what the manifest needs, and cut. */

import { type DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import { damaged, fileError, grouped, quoted } from "../../core/file-error.ts";
import { concatenate } from "../../core/parts.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import { describeKind, recognise } from "../../sources/recognise.ts";
import type { ReadContext } from "../model-file.ts";

/** The bytes of a group as if its shards were one file. */
export interface GroupBytes {
  /** A view where the range lies in one shard, a copy where it spans several. */
  slice(begin: number, end: number): Uint8Array;
}

interface ShardGroup {
  readonly paths: readonly string[];
  readonly byteLength: number;
}

/** More would only wait for each other, and each may hold as many bytes as the load allows. */
const AT_ONCE = 4;

/**
 * Fetches the shards of all groups.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED` or `FILE_CORRUPT`, naming a shard that is too short or too long; whatever
 *         the fetch throws
 */
export async function readShards(
  groups: readonly ShardGroup[],
  file: OpenFile,
  { signal }: ReadContext,
): Promise<readonly GroupBytes[]> {
  const shards = groups.map(({ paths }) => paths.map((): Uint8Array => new Uint8Array()));
  const held = groups.map(() => 0);
  const waiting = groups.flatMap(({ paths }, group) => paths.map((path, index) => ({ group, index, path })));
  let next = 0;
  let isOver = false;
  const work = async (): Promise<void> => {
    for (let job = waiting[next++]; job !== undefined && !isOver; job = waiting[next++]) {
      signal?.throwIfAborted();
      const { group, index, path } = job;
      const bytes = await fetchShard(file, path, signal);
      const total = (held[group] ?? 0) + bytes.length;
      const needed = groups[group]?.byteLength ?? 0;
      if (total > needed) throw tooLong(file.name, path, bytes, needed, total);
      held[group] = total;
      (shards[group] ?? [])[index] = bytes;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work));
  } finally {
    isOver = true;
  }
  return groups.map((group, index) => joined(group, shards[index] ?? [], file.name));
}

async function fetchShard(file: OpenFile, path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await file.sibling(path);
  } catch (cause) {
    if (isDepthwiseError(cause)) throw cause;
    signal?.throwIfAborted();
    const advice = "Check that it lies beside the model.json.";
    const facts = { fields: { shard: path }, cause };
    throw fileError("FILE_UNREADABLE", file.name, `the shard ${quoted(path)} cannot be read`, advice, facts);
  }
}

function joined({ paths, byteLength }: ShardGroup, shards: readonly Uint8Array[], file: string): GroupBytes {
  const total = shards.reduce((sum, { length }) => sum + length, 0);
  if (total < byteLength) throw tooShort(file, paths, shards, byteLength, total);
  const filled = shards.filter(({ length }) => length > 0);
  const starts: number[] = [];
  filled.reduce((start, { length }) => {
    starts.push(start);
    return start + length;
  }, 0);
  return {
    slice(begin, end) {
      const parts: Uint8Array[] = [];
      for (let i = lastAtMost(starts, begin); begin < end && (starts[i] ?? end) < end; i++) {
        const start = starts[i] ?? 0;
        parts.push(filled[i]?.subarray(Math.max(0, begin - start), end - start) ?? new Uint8Array());
      }
      const [first = new Uint8Array()] = parts;
      return parts.length <= 1 ? first : concatenate(parts, end - begin);
    },
  };
}

/** Index of the last of some ascending numbers that is not above `value`; 0 if none is. */
function lastAtMost(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle;
  }
  return low;
}

function tooLong(file: string, path: string, bytes: Uint8Array, needed: number, total: number): DepthwiseError {
  const advice = "The shard belongs to another model.json, or is none; fetch both again.";
  return damaged(file, `the shard ${quoted(path)} is too long: its group`, {
    advice,
    expected: `${grouped(needed)} bytes, by the shapes of its weights`,
    found: `${grouped(total)}${otherKind(bytes)}`,
    fields: { shard: path, needed, found: total },
  });
}

function tooShort(
  file: string,
  paths: readonly string[],
  shards: readonly Uint8Array[],
  needed: number,
  total: number,
): DepthwiseError {
  // Writers make all shards but the last one equally long.
  const longest = shards.reduce((most, { length }) => Math.max(most, length), 0);
  const short = shards.findIndex(({ length }, index) => length < longest && index < shards.length - 1);
  const index = short === -1 ? shards.length - 1 : short;
  const path = paths[index];
  const which = path === undefined ? "a group without shards" : `the shard ${quoted(path)} is too short: its group`;
  return damaged(file, which, {
    code: "FILE_TRUNCATED",
    advice: "The shard is incomplete; fetch it again.",
    expected: `${grouped(needed)} bytes, by the shapes of its weights`,
    found: `${grouped(total)}${otherKind(shards[index] ?? new Uint8Array())}`,
    fields: { shard: path, needed, found: total },
  });
}

/** A server's page or a pointer in place of a shard is worth a word. */
function otherKind(bytes: Uint8Array): string {
  const kind = recognise(bytes);
  const isText = kind === "HTML page" || kind === "XML document" || kind === "Git LFS pointer" || kind === "plain text";
  return isText ? `, and it is ${describeKind(kind).phrase}` : "";
}
