/**
 * The pictures of a run, in an order that stays: a list is read where it lies; a folder and a tar are listed once, and the
 * listing lies with the parts. The index of places is made once too, and shared by all shards.
 */

import { DepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { writeFile } from "../weights/write-file.ts";
import { type Item, itemOf } from "./item.ts";
import { indexLines, type LineIndex, placeBefore } from "./line-places.ts";
import { linesFrom } from "./lines.ts";
import { listFolder } from "./list-folder.ts";

export type InputKind = "list" | "folder";

export interface Input {
  readonly kind: InputKind;
  /** Pictures in all. */
  readonly count: number;
  /** Of the list, or of the listing. */
  readonly sha256: string;
  /** Those of a range, as they are asked for. */
  items(from: number, to: number, signal?: AbortSignal): AsyncGenerator<Item, void, undefined>;
}

/** Lies with the parts: `input.json`, and of a folder its listing. */
interface Known extends LineIndex {
  readonly version: 1;
  readonly kind: InputKind;
  /** Of the list: another is indexed anew. */
  readonly bytes: number;
  readonly modifiedMs: number;
}

const INDEX = "input.json";
const LISTING = "input.jsonl";

/**
 * Opens what `source` names, a folder or a list, for parts that go to `out`, which is there.
 *
 * @param isWhole whether this process runs all shards: then a folder is listed again, and what is new in it is seen
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `signal.reason`
 */
export async function openPictures(
  source: string,
  out: string,
  isWhole: boolean,
  signal?: AbortSignal,
): Promise<Input> {
  const { join, resolve } = process.getBuiltinModule("node:path");
  const stats = await statsOf(source);
  const kind = stats.isDirectory() ? "folder" : "list";
  const list = kind === "folder" ? join(out, LISTING) : resolve(source);
  const place = join(out, INDEX);
  let known = await knownIn(place);
  const isAsKnown =
    known?.kind === kind &&
    (kind === "folder" ? !isWhole : known.bytes === stats.size && known.modifiedMs === stats.mtimeMs);
  if (known === undefined || !isAsKnown) {
    if (kind === "folder") await listFolder(source, list, signal);
    const index = await indexLines(list, signal);
    known = { version: 1, kind, bytes: stats.size, modifiedMs: stats.mtimeMs, ...index };
    const text = new TextEncoder().encode(`${JSON.stringify(known)}\n`);
    await writeFile(place, text, { advice: "Pass another directory: --out.", signal });
  }
  const index = known;
  const itemIn = kind === "folder" ? folderItem(resolve(source)) : itemOf;
  return {
    kind,
    count: index.count,
    sha256: index.sha256,
    async *items(from, to, given) {
      const start = placeBefore(index, from);
      let at = start.line;
      if (from >= to) return;
      for await (const line of linesFrom(list, start.offset, given)) {
        if (at >= from) yield itemIn(line);
        if (++at >= to) return;
      }
      throw new DepthwiseError("FILE_TRUNCATED", {
        what: `${list}: it has changed while it was read`,
        expected: `${index.count} lines`,
        found: `${at}`,
        advice: "Let the list be, and run the shard again.",
      });
    },
  };
}

/** The listing has paths within the folder, which may have moved since. */
function folderItem(folder: string): (line: Uint8Array) => Item {
  const { join } = process.getBuiltinModule("node:path");
  return (line) => {
    const item = itemOf(line);
    return typeof item.image === "string" ? { ...item, image: join(folder, item.image) } : item;
  };
}

async function statsOf(source: string) {
  try {
    const stats = await process.getBuiltinModule("node:fs/promises").stat(source);
    if (stats.isDirectory() || stats.isFile()) return stats;
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${source}: neither a file nor a folder`,
      advice: "Pass a folder of pictures, or a list of paths; a list from a pipe as -.",
    });
  } catch (cause) {
    if (cause instanceof DepthwiseError) throw cause;
    const isMissing = systemCode(cause) === "ENOENT";
    throw new DepthwiseError(isMissing ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", {
      what: `${source}: ${isMissing ? "there is nothing of that name" : `it cannot be read (${systemCode(cause) ?? cause})`}`,
      advice: "Pass a folder of pictures, or a list of paths or addresses, one a line.",
      fields: { source },
      cause,
    });
  }
}

/** The index that lies there; undefined if none does, or one that cannot be understood. */
async function knownIn(place: string): Promise<Known | undefined> {
  try {
    const text = await process.getBuiltinModule("node:fs/promises").readFile(place, "utf8");
    const value = JSON.parse(text) as Partial<Known>;
    const isWhole =
      value.version === 1 &&
      [value.count, value.stride, value.bytes].every(Number.isSafeInteger) &&
      Array.isArray(value.offsets) &&
      value.offsets.every(Number.isSafeInteger) &&
      typeof value.sha256 === "string";
    return isWhole ? (value as Known) : undefined;
  } catch {
    return undefined;
  }
}
