/** The cache in a directory. Loaded in Node alone. */

import { locatePath } from "../core/address.ts";
import { readFile, statsOf } from "../core/bytes.ts";
import { systemCode } from "../core/realms.ts";
import { type Cleared, checkedCache, type EntryFacts, type EntryStore, parseFacts, type SourceCache } from "./cache.ts";
import { makeDirectory } from "./directory.ts";
import {
  cacheDirectory,
  isAbandoned,
  isEntryName,
  isTemporaryName,
  keyOf,
  MODES,
  openPartial,
  ownName,
} from "./disk-files.ts";

export function openDiskCache(name: string | undefined): SourceCache {
  const { homedir } = process.getBuiltinModule("node:os");
  const directory = locatePath(name ?? cacheDirectory(process.env, process.platform, homedir()), "source: cache");
  const cache = checkedCache(diskStore(directory));
  return {
    ...cache,
    partial: (url) => openPartial(directory, keyOf(url)),
    async clear() {
      const { entries, bytes } = await cache.clear();
      const left = await removeLeftovers(directory);
      return { entries, unfinished: left.unfinished, bytes: bytes + left.bytes };
    },
  };
}

function diskStore(directory: string): EntryStore {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const pathOf = (url: string, kind: "bin" | "json" = "bin") => join(directory, `${keyOf(url)}.${kind}`);
  const remove = async (url: string) => {
    // The facts first: without them the bytes are not looked at.
    await files.rm(pathOf(url, "json"), { force: true });
    await files.rm(pathOf(url), { force: true });
  };
  const writeWhole = async (url: string, kind: "bin" | "json", data: Uint8Array | string) => {
    const temporary = join(directory, ownName(keyOf(url), "tmp"));
    try {
      await files.writeFile(temporary, data, { mode: MODES.file });
      await files.rename(temporary, pathOf(url, kind));
    } catch (cause) {
      await files.rm(temporary, { force: true });
      throw cause;
    }
  };
  return {
    place: directory,
    pathOf,
    remove,
    async facts(url) {
      const facts = await readFacts(pathOf(url, "json"));
      if (facts?.url === url) {
        // Compared before it counts: a size that is made up would be too large. Not removed, since another process may
        // be about to replace both.
        return facts.size === (await sizeOf(pathOf(url))) ? facts : undefined;
      }
      await remove(url);
      return undefined;
    },
    bytes: ({ url, size }) => readFile(pathOf(url), { maxBytes: Math.max(size, 1) }),
    async put(facts, bytes) {
      await makeDirectory(directory, MODES.directory);
      await writeWhole(facts.url, "bin", bytes);
      await writeWhole(facts.url, "json", `${JSON.stringify(facts, undefined, 1)}\n`);
    },
    async all() {
      const found: EntryFacts[] = [];
      for (const name of await namesIn(directory)) {
        if (!isEntryName(name) || !name.endsWith(".json")) continue;
        const facts = await readFacts(join(directory, name)).catch(() => undefined);
        if (facts !== undefined && facts.size === (await sizeOf(pathOf(facts.url)))) found.push(facts);
      }
      return found;
    },
  };
}

/** An address, a digest, a tag and a date take less. */
const MAX_FACTS_BYTES = 2 ** 16;

/** Of a plain file alone: opening a FIFO would wait for whoever writes to it. */
async function readFacts(path: string): Promise<EntryFacts | undefined> {
  return parseFacts(new TextDecoder().decode(await readFile(path, { maxBytes: MAX_FACTS_BYTES })));
}

async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await statsOf(path);
  return stats?.isFile() ? stats.size : undefined;
}

/** Names of no meaning to the cache may be there: the user chose the directory. They are never touched. */
async function removeLeftovers(directory: string): Promise<Pick<Cleared, "unfinished" | "bytes">> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  let [unfinished, bytes] = [0, 0];
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    const stats = await files.stat(path).catch(() => undefined);
    // The cache writes nothing but files.
    if (!stats?.isFile()) continue;
    // Entries that are still here are broken ones: whole ones went before.
    if (!isEntryName(name) && !(isTemporaryName(name) && isAbandoned(name, stats.mtimeMs))) continue;
    await files.rm(path, { force: true });
    bytes += stats.size;
    if (name.endsWith(".part")) unfinished += 1;
  }
  return { unfinished, bytes };
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await process.getBuiltinModule("node:fs/promises").readdir(directory);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return [];
    throw cause;
  }
}
