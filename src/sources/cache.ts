/** Downloads that were kept: a directory in Node, the Cache API or IndexedDB in a browser. */

import { shownAddress } from "../core/address.ts";
import { nodeFiles } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { isNatural, objectIn } from "../core/json.ts";
import { checkKnownOptions } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { onAbort, untilAborted } from "../core/until-aborted.ts";
import { sha256Of } from "./model-files.ts";
import { cacheOption, isSendable } from "./options.ts";

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

/** What is remembered of a file. */
export interface EntryFacts {
  readonly url: string;
  readonly size: number;
  readonly sha256: string | undefined;
  readonly etag: string | undefined;
  readonly savedAt: string;
}

/** Where entries lie. Reading may throw; then the entry counts as absent. */
export interface EntryStore {
  /** For messages. */
  readonly place: string;
  facts(url: string): Promise<EntryFacts | undefined>;
  /** At most `facts.size` bytes. */
  bytes(facts: EntryFacts): Promise<Uint8Array | undefined>;
  put(facts: EntryFacts, bytes: Uint8Array): Promise<void>;
  remove(url: string): Promise<void>;
  all(): Promise<readonly EntryFacts[]>;
  pathOf?(url: string): string;
}

/** A cache over any store: whatever comes out is what went in, or does not come out. */
export function checkedCache(store: EntryStore): SourceCache {
  const read = async (facts: EntryFacts) => {
    const bytes = await store.bytes(facts).catch(() => undefined);
    const isRight =
      bytes?.length === facts.size && (facts.sha256 === undefined || (await sha256Of(bytes)) === facts.sha256);
    if (isRight) return bytes;
    await store.remove(facts.url).catch(() => {});
    return undefined;
  };
  const list = async (): Promise<readonly CacheEntry[]> =>
    (await store.all()).map(({ url, size, sha256, savedAt }) => {
      return { url: shownAddress(url), bytes: size, sha256, path: store.pathOf?.(url), savedAt };
    });
  return {
    place: store.place,
    async find(url) {
      const facts = await store.facts(url).catch(() => undefined);
      // Facts of another file would be believed about this one.
      if (facts === undefined || facts.url !== url) return undefined;
      const { size, sha256, etag } = facts;
      return { size, sha256, etag, load: () => read(facts), drop: () => store.remove(url).catch(() => {}) };
    },
    save: (url, bytes, { sha256, etag }) =>
      store.put({ url, size: bytes.length, sha256, etag, savedAt: new Date().toISOString() }, bytes),
    list,
    async clear(): Promise<Cleared> {
      const entries = await store.all();
      for (const { url } of entries) await store.remove(url);
      return { entries: entries.length, unfinished: 0, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
    },
  };
}

/** Facts as they were written; undefined if they are not: another version wrote them, or something else did. */
export function parseFacts(text: string): EntryFacts | undefined {
  const { url, size, sha256, etag, savedAt } = objectIn(text) ?? {};
  if (typeof url !== "string" || typeof savedAt !== "string") return undefined;
  if (!isNatural(size)) return undefined;
  if (!isOptionalText(sha256) || !isOptionalText(etag)) return undefined;
  // Somebody changed it by hand; it is sent back to the server, so it must be fit to be.
  const sent = etag !== undefined && isSendable(etag) ? etag : undefined;
  return { url, size, sha256, etag: sent, savedAt };
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

/** Longest that what arrived is waited for to be put by, where the one who aborted is waiting. */
const LEAVING_MS = 250;

/** A cache that nobody has to wait for after an abort: a disk may hang, and a database be in use by another tab. */
export async function abortable(
  open: () => Promise<SourceCache | undefined>,
  signal: AbortSignal | undefined,
): Promise<SourceCache | undefined> {
  const cache = await untilAborted(open(), signal);
  if (cache === undefined || signal === undefined) return cache;
  const { partial } = cache;
  return {
    ...cache,
    async find(url) {
      const found = await untilAborted(cache.find(url), signal);
      return found && abortableFile(found, signal);
    },
    save: (url, bytes, facts) => untilAborted(cache.save(url, bytes, facts), signal),
    ...(partial && { partial: (url) => abortablePartial(partial(url), signal) }),
  };
}

function abortableFile(file: CachedFile, signal: AbortSignal): CachedFile {
  return {
    ...file,
    load: () => untilAborted(file.load(), signal),
    drop: () => untilAborted(file.drop(), signal),
  };
}

async function abortablePartial(opened: Promise<PartialFile>, signal: AbortSignal): Promise<PartialFile> {
  const file = await untilAborted(opened, signal).catch((cause) => {
    // It may have taken over what an earlier download left, which the next one is to find.
    void opened.then((late) => late.leave()).catch(() => {});
    throw cause;
  });
  const { left } = file;
  return {
    left: left && { ...left, load: () => untilAborted(left.load(), signal) },
    begin: (source) => untilAborted(file.begin(source), signal),
    append: (bytes) => untilAborted(file.append(bytes), signal),
    leave: () => briefly(file.leave(), signal),
    drop: () => briefly(file.drop(), signal),
  };
}

async function briefly(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let forget = () => {};
  const late = new Promise<void>((done) => {
    forget = onAbort(signal, () => {
      timer ??= setTimeout(done, LEAVING_MS);
    });
  });
  try {
    await Promise.race([work, late]);
  } finally {
    forget();
    clearTimeout(timer);
  }
}
