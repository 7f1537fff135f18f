/** Downloads that were kept: a directory in Node, the Cache API or IndexedDB in a browser. */

import { nodeFiles } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { checkKnownOptions } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { cacheOption } from "./options.ts";

/** A kept download. */
export interface CacheEntry {
  /** As messages show it: a signature in its query is left out. */
  readonly url: string;
  readonly bytes: number;
  /** Undefined if it was fetched by an insecure page, which cannot compute it. */
  readonly sha256: string | undefined;
  /** Undefined in a browser. */
  readonly path: string | undefined;
  /** Such as `2025-06-30T12:00:00.000Z`. */
  readonly savedAt: string;
}

/** Which cache is meant. */
export interface CacheOptions {
  /**
   * As in `SourceOptions`: a directory in Node, a name in a browser; true (default) for the one that is used by
   * default, false for none, in which nothing is.
   */
  readonly cache?: boolean | string;
}

/** What `clearCache` took away. */
export interface Cleared {
  readonly entries: number;
  /** How many unfinished downloads, which are no entries; those of running processes stay. */
  readonly unfinished: number;
  /** Bytes that were freed, those of unfinished downloads included. */
  readonly bytes: number;
}

/** A file in the cache, found but not yet read. */
export interface CachedFile {
  readonly size: number;
  readonly sha256: string | undefined;
  readonly etag: string | undefined;
  /** The bytes; undefined if they are not those that were saved, in which case the entry is removed. */
  load(): Promise<Uint8Array | undefined>;
  /** Removes the entry: it is of no use to anybody. */
  drop(): Promise<void>;
}

/** What an unfinished download is a part of. */
export interface PartialSource {
  readonly address: string;
  /** ETag or date that tells whether the server still has the same file. */
  readonly validator: string;
  readonly etag: string | undefined;
  readonly total: number | undefined;
}

/** An unfinished download on disk. No other process writes to it. One thing is done after the other. */
export interface PartialFile {
  /** What was found of an earlier one; less than the whole, so that the server is asked for the rest. */
  readonly left:
    | { readonly source: PartialSource; readonly size: number; load(): Promise<Uint8Array | undefined> }
    | undefined;
  /** Forgets what is there. */
  begin(source: PartialSource): Promise<void>;
  append(bytes: Uint8Array): Promise<void>;
  /** Leaves it to the next download of the same file, unless it has no bytes. */
  leave(): Promise<void>;
  /** Removes it, unless it was left. */
  drop(): Promise<void>;
}

export interface SourceCache {
  /** For messages. */
  readonly place: string;
  find(url: string): Promise<CachedFile | undefined>;
  save(url: string, bytes: Uint8Array, facts: Pick<CachedFile, "sha256" | "etag">): Promise<void>;
  /** Where downloads survive the process. */
  partial?(url: string): Promise<PartialFile>;
  list(): Promise<readonly CacheEntry[]>;
  clear(): Promise<Cleared>;
}

/** @param cache the directory or name; true for the one that is used by default */
export async function openCache(cache: boolean | string): Promise<SourceCache | undefined> {
  const name = typeof cache === "string" ? cache : undefined;
  if (nodeFiles() !== undefined)
    return (await ownPart("the cache", () => import("./disk-cache.ts"))).openDiskCache(name);
  return (await ownPart("the cache", () => import("./web-cache.ts"))).openWebCache(name);
}

/**
 * What is in the cache, sorted by address; empty where there is no cache, as in some private windows. Nothing is read
 * but what is known of each file.
 *
 *     for (const { url, bytes } of await listCache()) console.log(url, bytes);
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE` if the cache cannot be read; `OPTION_INVALID`
 */
export async function listCache(options: CacheOptions = {}): Promise<readonly CacheEntry[]> {
  checkKnownOptions("listCache", options, ["cache"]);
  const cache = await openGiven("listCache", options);
  const entries = (await reporting(cache, (opened) => opened.list())) ?? [];
  return [...entries].sort((a, b) => (a.url < b.url ? -1 : 1));
}

/**
 * Empties the cache. Downloads that processes are in the middle of are left alone, unfinished ones of others are removed,
 * and so is no file that the cache did not write.
 *
 *     const { entries, unfinished, bytes } = await clearCache();
 *
 * @returns how many files and unfinished downloads were removed, and the bytes that are free now
 * @throws {DepthwiseError} `FILE_UNREADABLE` if the cache cannot be emptied; `OPTION_INVALID`
 */
export async function clearCache(options: CacheOptions = {}): Promise<Cleared> {
  checkKnownOptions("clearCache", options, ["cache"]);
  const cache = await openGiven("clearCache", options);
  return (await reporting(cache, (opened) => opened.clear())) ?? { entries: 0, unfinished: 0, bytes: 0 };
}

async function openGiven(owner: string, { cache = true }: CacheOptions): Promise<SourceCache | undefined> {
  const checked = cacheOption(owner, cache);
  return checked === false ? undefined : openCache(checked);
}

async function reporting<Value>(
  cache: SourceCache | undefined,
  work: (opened: SourceCache) => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return cache && (await work(cache));
  } catch (cause) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${cache?.place}: the cache cannot be used`,
      advice: "Check that you may read and write there, or name another directory.",
      cause,
    });
  }
}
