/** The pictures of a folder as a list, in an order that is the same on every machine. */

import { DepthwiseError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { systemCode } from "../core/realms.ts";
import { IMAGE_NAME } from "../images/image-name.ts";
import type { LineIndex } from "./line-places.ts";
import { linesFrom } from "./lines.ts";
import { writeListing } from "./listing.ts";
import { sourceFault } from "./source-fault.ts";

/**
 * Writes a listing: a JSON line `{ "path", "bytes", "modifiedMs" }` for each picture in the folder and those within it,
 * sorted by code units, folder by folder; written whole or not at all. Size and time tell the folder from another one with
 * files of the same names; a folder that is moved keeps them.
 *
 * @throws {DepthwiseError} `FILE_EMPTY` if there is no picture; `FILE_UNREADABLE`; `signal.reason`
 */
export async function listFolder(folder: string, listing: string, signal?: AbortSignal): Promise<void> {
  const none = () =>
    new DepthwiseError("FILE_EMPTY", {
      what: `${folder}: a folder in which there are no image files`,
      advice: "Pass a folder with .jpg, .png, .webp, .gif, .avif or .tif files, or a list of them.",
      fields: { folder },
    });
  await writeListing(listing, rowsOf(folder), none, signal);
}

interface FileSays {
  readonly bytes?: number;
  readonly modifiedMs?: number;
}

/** Files that are asked for their size at once: on a disk of another machine each takes a while. */
const AT_ONCE = 64;

async function* rowsOf(folder: string) {
  let paths: string[] = [];
  for await (const path of picturesIn(folder, "")) {
    paths.push(path);
    if (paths.length < AT_ONCE) continue;
    yield* await factsOf(folder, paths);
    paths = [];
  }
  yield* await factsOf(folder, paths);
}

/** Of those that are files, or links to some. */
async function factsOf(folder: string, paths: readonly string[]) {
  const rows = await Promise.all(paths.map(async (path) => ({ path, facts: await factsOfFile(folder, path) })));
  return rows.flatMap(({ path, facts }) => (facts === undefined ? [] : [{ path, ...facts }]));
}

/** Undefined for what is no file; nothing of one that cannot be looked at, of which its row will tell. */
async function factsOfFile(folder: string, path: string): Promise<FileSays | undefined> {
  const { join } = process.getBuiltinModule("node:path");
  try {
    const stats = await process.getBuiltinModule("node:fs/promises").stat(join(folder, path));
    return stats.isFile() ? { bytes: stats.size, modifiedMs: Math.floor(stats.mtimeMs) } : undefined;
  } catch (error) {
    return ["ENOENT", "ELOOP"].includes(systemCode(error) ?? "") ? undefined : {};
  }
}

/** Pictures of a listing that are looked at before it is taken for that of a folder. */
const SAMPLES = 16;

/** Whether a folder is the one of a listing: those of some pictures that are there are as they were, and one is. */
export async function isFolderListed(folder: string, listing: string, { offsets }: LineIndex): Promise<boolean> {
  const places = Array.from({ length: SAMPLES }, (_, i) => offsets[Math.floor((i * offsets.length) / SAMPLES)]);
  let found = 0;
  for (const offset of new Set(places)) {
    const row = offset === undefined ? undefined : await rowAt(listing, offset);
    if (typeof row?.["path"] !== "string") return false;
    const facts = await factsOfFile(folder, row["path"]);
    if (facts?.bytes === undefined) continue;
    if (facts.bytes !== row["bytes"] || facts.modifiedMs !== row["modifiedMs"]) return false;
    found++;
  }
  return found > 0;
}

/** Undefined where there is none. */
async function rowAt(listing: string, offset: number): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    for await (const line of linesFrom(listing, offset)) {
      const row: unknown = JSON.parse(new TextDecoder().decode(line));
      return isObject(row) ? row : undefined;
    }
  } catch {
    // As one that has been made shorter, or taken away.
  }
  return undefined;
}

/** What is called like a picture. Links to folders are not followed: they may go in a circle. */
async function* picturesIn(folder: string, within: string): AsyncGenerator<string, void, undefined> {
  const { readdir } = process.getBuiltinModule("node:fs/promises");
  const { join } = process.getBuiltinModule("node:path");
  const here = join(folder, within);
  const entries = await readdir(here, { withFileTypes: true }).catch((cause: unknown) => {
    throw sourceFault(here, "the folder", "Give yourself the right to read it, or pass a list of pictures.", cause);
  });
  const folders: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) folders.push(entry.name);
    else if (IMAGE_NAME.test(entry.name)) yield within + entry.name;
  }
  for (const name of folders) yield* picturesIn(folder, `${within}${name}/`);
}
