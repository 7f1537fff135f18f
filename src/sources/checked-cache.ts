/** A cache over any store: whatever comes out is what went in, or does not come out. */

import { shownAddress } from "../core/address.ts";
import { objectIn } from "../core/json.ts";
import type { CacheEntry, Cleared, SourceCache } from "./cache.ts";
import { sha256Of } from "./digest.ts";
import { isSendable } from "./headers.ts";

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
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  if (!isOptionalText(sha256) || !isOptionalText(etag)) return undefined;
  // Somebody changed it by hand; it is sent back to the server, so it must be fit to be.
  const sent = etag !== undefined && isSendable(etag) ? etag : undefined;
  return { url, size, sha256, etag: sent, savedAt };
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
