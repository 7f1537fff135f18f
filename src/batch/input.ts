/**
 * The pictures of a run, in an order that stays: a list is read where it lies; a folder and a tar are listed once, and the
 * listing lies with the parts. The index of places is made once too, and shared by all shards.
 */

import { DepthwiseError } from "../core/errors.ts";
import { orUnwritable, renameTo, writeFile } from "../weights/write-file.ts";
import { hold } from "./hold.ts";
import { type Item, itemOf, storedItem } from "./item.ts";
import { indexLines, type LineIndex, placeBefore } from "./line-places.ts";
import { linesFrom } from "./lines.ts";
import { isFolderListed, listFolder } from "./list-folder.ts";
import { listTar } from "./list-tar.ts";
import { LISTING, unnamedListing } from "./listing.ts";
import { type InputKind, isSame, type Look, lookAt } from "./look-at.ts";
import { checkInputOfRun } from "./run-file.ts";

export interface Input {
  readonly kind: InputKind;
  /** Pictures in all. */
  readonly count: number;
  /** Of the list, or of the listing. */
  readonly sha256: string;
  /** Those of a range, as they are asked for. */
  items(from: number, to: number, signal?: AbortSignal): AsyncGenerator<Item, void, undefined>;
}

/** Lies with the parts: `input.json`, and of a folder or an archive its listing. Of another file it is made anew. */
interface Known extends LineIndex, Look {
  readonly version: 1;
}

const INDEX = "input.json";

/**
 * Opens what `source` names, a folder, a tar or a list, for parts that go to `out`, which is there. What is not the input
 * of the parts that are there is refused before anything is written.
 *
 * @param isWhole whether this process runs all shards: then a folder is listed again, and what is new in it is seen
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `FORMAT_UNKNOWN` for a packed file, and one that is neither
 *         list nor tar; `RUN_MISMATCH`; what `listFolder` and `listTar` throw; `signal.reason`
 */
export async function openPictures(
  source: string,
  out: string,
  isWhole: boolean,
  signal?: AbortSignal,
): Promise<Input> {
  const { join, resolve } = process.getBuiltinModule("node:path");
  const look = await lookAt(source);
  const { kind } = look;
  const isList = kind === "list";
  const resolved = resolve(source);
  const list = isList ? resolved : join(out, LISTING);
  const place = join(out, INDEX);
  const asKnown = async () => {
    const known = await knownIn(place);
    if (known?.kind !== kind) return undefined;
    const isOfSource = kind === "folder" ? await isFolderListed(source, list, known) : isSame(known, look);
    return isOfSource ? known : undefined;
  };
  const index =
    (kind === "folder" && isWhole ? undefined : await asKnown()) ??
    // One process reads a list of a thousand million lines; those that were started with it wait for what it finds.
    (await alone(place, signal, async () => {
      const there = kind === "folder" && isWhole ? undefined : await asKnown();
      if (there !== undefined) return there;
      const unnamed = isList ? list : join(out, unnamedListing());
      try {
        if (kind === "folder") await listFolder(source, unnamed, signal);
        else if (kind === "tar") await listTar(source, unnamed, signal);
        const made: Known = { version: 1, ...look, ...(await indexLines(unnamed, signal)) };
        // Other processes read the listing: it stays unless this is the same one.
        await checkInputOfRun(out, { kind, count: made.count, sha256: made.sha256 });
        if (!isList) await orUnwritable(list, "the file", signal, () => renameTo(unnamed, list));
        const text = new TextEncoder().encode(`${JSON.stringify(made)}\n`);
        await writeFile(place, text, { advice: "Pass another directory: --out.", signal });
        return made;
      } finally {
        if (!isList) await process.getBuiltinModule("node:fs/promises").rm(unnamed, { force: true });
      }
    }));
  const itemIn = isList ? itemOf : kind === "tar" ? tarItem(resolved) : folderItem(resolved);
  const changed = () =>
    new DepthwiseError("FILE_UNREADABLE", {
      what: `${source}: it has changed while it was read, or been listed again, or its listing is gone from ${out}`,
      advice: "Let it be, and begin again.",
      fields: { source },
    });
  // Of two runs that begin together with other pictures both list theirs before either is the run of the directory.
  const checkSame = async () => {
    const isListed = isList || (await knownIn(place))?.sha256 === index.sha256;
    if (!isListed || (kind !== "folder" && !isSame(look, await lookAt(resolved)))) throw changed();
  };
  return {
    kind,
    count: index.count,
    sha256: index.sha256,
    async *items(from, to, given) {
      const start = placeBefore(index, from);
      let at = start.line;
      if (from >= to) return;
      await checkSame();
      for await (const line of linesFrom(list, start.offset, given)) {
        if (at >= from) yield itemIn(line);
        if (++at >= to) return checkSame();
      }
      throw changed();
    },
  };
}

/** Makes a file while no other process makes it. */
async function alone<Made>(place: string, signal: AbortSignal | undefined, make: () => Promise<Made>): Promise<Made> {
  const { basename, dirname, join } = process.getBuiltinModule("node:path");
  const token = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
  let release = async () => {};
  await orUnwritable(place, "the file", signal, async () => {
    release = await hold(join(dirname(place), `.${basename(place)}.making`), token, signal);
  });
  try {
    return await make();
  } finally {
    await release();
  }
}

/** The listing has paths within the folder, which may have moved since. */
function folderItem(folder: string): (line: Uint8Array) => Item {
  const { join } = process.getBuiltinModule("node:path");
  return (line) => {
    const item = itemOf(line);
    return typeof item.image === "string" ? { ...item, image: join(folder, item.image) } : item;
  };
}

/** The listing has places within the archive, which may have moved since. */
function tarItem(archive: string): (line: Uint8Array) => Item {
  return (line) => storedItem(line, archive);
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
      [value.sha256, value.start].every((hash) => typeof hash === "string");
    return isWhole ? (value as Known) : undefined;
  } catch {
    return undefined;
  }
}
