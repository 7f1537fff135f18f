/**
 * Entries of a tar, by their headers alone: what they hold is skipped. Blocks are of 512 bytes:
 *
 *     [header][content, filled up]  [pax header][its text]  [header][content, filled up] …  [zeros][zeros]
 *
 * Formats: ustar, pax and GNU (long names, sizes in base 256), and what was before them; POSIX.1-2017, "pax", "ustar
 * Interchange Format", and the manual of GNU tar, "Basic Tar Format". Headers and pax records are taken apart by the
 * package tar, which is loaded when the first archive is met.
 */

import { damaged, fileError, grouped, quoted } from "../core/file-error.ts";
import { latin1 } from "../core/latin1.ts";
import { ownPart } from "../core/own-part.ts";
import type { FileWindow } from "./file-window.ts";

/** A plain file of an archive. */
export interface TarEntry {
  readonly path: string;
  /** Where its content begins. */
  readonly offset: number;
  /** Bytes of it, all of which the archive has. */
  readonly size: number;
  /** Whether its content is stored without its holes, and so is none that a decoder reads. */
  readonly isSparse: boolean;
}

export interface Archive {
  /** For messages. */
  readonly name: string;
  /** Bytes of it. */
  readonly size: number;
  readonly window: FileWindow;
}

export const TAR_BLOCK = 512;
const ZEROS = /* @__PURE__ */ new Uint8Array(TAR_BLOCK);
/** Names and other records of one entry: more of them than a megabyte is no archive of files. */
const MOST_RECORDS = 1 << 20;

const PLAIN = ["0", "7"];
/** Links, devices, folders and pipes hold nothing, whatever their header says. */
const WITHOUT_CONTENT = ["1", "2", "3", "4", "5", "6"];
const RECORDS = ["x", "X"];
/** Where a link leads, and what is said of all entries: neither is of a plain file alone. */
const OF_OTHERS = ["K", "g"];
const LONG_NAME = ["L", "N"];
const OLD_SPARSE = "S";
/** Of GNU's first form of sparse files: whether a block of their map follows the header, or another the block. */
const [FOLLOWS_HEADER, FOLLOWS_MAP] = [482, 504];

/** What stood before a header, about it. */
interface Said {
  readonly path?: string | undefined;
  readonly size?: number | undefined;
  readonly isSparse?: boolean;
}

/**
 * The plain files of an archive, as they lie in it. Blocks of zeros between archives that were joined are passed over.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED` if it ends before its end, which are blocks of zeros; `FILE_CORRUPT` for what
 *         is no header; `FILE_TOO_LARGE` for a name of more than a megabyte. What is claimed is compared with the file
 *         before it is believed. `signal.reason`
 */
export async function* tarEntries(archive: Archive, signal?: AbortSignal): AsyncGenerator<TarEntry, void, undefined> {
  const parsers = await tarParsers();
  let said: Said = {};
  let zeros = 0;
  for (let at = 0; ; ) {
    signal?.throwIfAborted();
    if (zeros > 0 && at + TAR_BLOCK > archive.size) return;
    const block = await blockAt(archive, at, "the header of an entry, or the end of the archive");
    if (block.equals(ZEROS)) {
      zeros++;
      at += TAR_BLOCK;
      continue;
    }
    const header = headerIn(block, parsers);
    // Behind the end may stand anything, but for an archive.
    if (header === undefined && zeros > 1 && !hasMagic(block)) return;
    if (header === undefined) throw corrupt(archive, at, "no header of an entry stands there");
    if (zeros > 0) [zeros, said] = [0, {}];
    const type = header.typeKey;
    const isPlain = PLAIN.includes(type);
    const path = said.path || header.path || "";
    const size = WITHOUT_CONTENT.includes(type) ? 0 : ((isPlain ? said.size : undefined) ?? header.size);
    if (!Number.isSafeInteger(size) || size === undefined || size < 0) {
      throw corrupt(archive, at, `the size of ${quoted(path)} is no number of bytes`);
    }
    const offset = at + TAR_BLOCK + (type === OLD_SPARSE ? await mapBytes(archive, at) : 0);
    if (size > archive.size - offset) throw cut(archive, quoted(path), offset, offset + size);
    at = offset + TAR_BLOCK * Math.ceil(size / TAR_BLOCK);
    if (RECORDS.includes(type)) said = recordsOf(await textAt(archive, offset, size), said, parsers);
    else if (LONG_NAME.includes(type))
      said = { ...said, path: (await textAt(archive, offset, size)).replace(/\0.*$/s, "") };
    else if (!OF_OTHERS.includes(type)) {
      const isSparse = type === OLD_SPARSE || said.isSparse === true;
      if (isPlain || isSparse) yield { path, offset, size, isSparse };
      said = {};
    }
  }
}

type Parsers = Awaited<ReturnType<typeof tarParsers>>;

export const tarParsers = () => ownPart("what reads headers of tars", () => import("./tar-package.ts"));

/** The header in a block; undefined if it is none, as its sum tells. */
export function headerIn(block: Uint8Array, { Header }: Parsers) {
  try {
    const header = new Header(Buffer.from(block.buffer, block.byteOffset, TAR_BLOCK));
    return header.cksumValid ? header : undefined;
  } catch {
    // Numbers in base 256 that no double holds.
    return undefined;
  }
}

/** Whether a block says that it is a header of a tar; those of before 1988 do not. */
export function hasMagic(block: Uint8Array): boolean {
  return /^ustar[\0 ]$/.test(latin1(block.subarray(257, 263)));
}

async function blockAt(archive: Archive, at: number, what: string): Promise<Buffer> {
  const block = at + TAR_BLOCK > archive.size ? undefined : await archive.window.read(at, TAR_BLOCK);
  if (block?.length !== TAR_BLOCK) throw cut(archive, what, at, at + TAR_BLOCK);
  return block;
}

/** Bytes of the blocks of a sparse file's map that lie between its header and its content. */
async function mapBytes(archive: Archive, header: number): Promise<number> {
  let bytes = 0;
  let flag = FOLLOWS_HEADER;
  while ((await blockAt(archive, header + bytes, "the map of a sparse file"))[flag] !== 0) {
    bytes += TAR_BLOCK;
    flag = FOLLOWS_MAP;
  }
  return bytes;
}

/** What is said of the next entry. */
async function textAt({ name, window }: Archive, offset: number, size: number): Promise<string> {
  if (size <= MOST_RECORDS) return (await window.read(offset, size)).toString("utf8");
  const advice = "The file is damaged, or its attributes are no ones of pictures: pack it without them.";
  throw fileError("FILE_TOO_LARGE", name, `what is said at byte ${grouped(offset)} of the next entry`, advice, {
    expected: `at most ${grouped(MOST_RECORDS)} bytes`,
    found: grouped(size),
    fields: { offset, bytes: size, maxBytes: MOST_RECORDS },
  });
}

/** Which attributes there are of a sparse file depends on the version; the last two hide its name among them. */
function recordsOf(text: string, said: Said, { Pax }: Parsers): Said {
  const { path, size } = Pax.parse(text);
  const isSparse = said.isSparse === true || /(?:^|\n)\d+ GNU\.sparse\./.test(text);
  const [, sparseName] = /(?:^|\n)\d+ GNU\.sparse\.name=(.+)\n/.exec(text) ?? [];
  return { path: sparseName ?? path ?? said.path, size: size ?? said.size, isSparse };
}

function cut({ name, size }: Archive, what: string, from: number, to: number) {
  return damaged(name, what, {
    code: "FILE_TRUNCATED",
    expected: `bytes ${grouped(from)} to ${grouped(to)}`,
    found: `an archive that ends at ${grouped(size)}`,
    advice: "The archive is incomplete; fetch or pack it again.",
    fields: { offset: from, size },
  });
}

function corrupt({ name }: Archive, offset: number, what: string) {
  return damaged(name, `a tar that is damaged at byte ${grouped(offset)}: ${what}`, {
    advice: "Fetch or pack it again.",
    fields: { offset },
  });
}
