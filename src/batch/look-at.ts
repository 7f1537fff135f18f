/** What the pictures of a run come from, by what a file begins with: its name says nothing. */

import { DepthwiseError } from "../core/errors.ts";
import { latin1 } from "../core/latin1.ts";
import { readStart } from "../core/regular-file.ts";
import { sourceFault } from "./source-fault.ts";
import { hasMagic, headerIn, TAR_BLOCK, tarParsers } from "./tar-entries.ts";

export type InputKind = "list" | "folder" | "tar";

/** What lies there, and how it is known again. */
export interface Look {
  readonly kind: InputKind;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** The sha256 of what a file begins with: many archives are of one size, and of no time at all. */
  readonly start: string;
}

export function isSame(one: Look, other: Look): boolean {
  const keys = ["kind", "bytes", "modifiedMs", "start"] as const;
  return keys.every((key) => one[key] === other[key]);
}

/**
 * Looks at what a path names, at no more than 512 bytes of it.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `FORMAT_UNKNOWN` for a file that is packed, in which no
 *         shard could find its own pictures, and for one that is neither list nor tar
 */
export async function lookAt(source: string): Promise<Look> {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const advice = "Pass a folder of pictures, a tar of them, or a list of paths or addresses, one a line";
  try {
    const stats = await process.getBuiltinModule("node:fs/promises").stat(source);
    const file = { bytes: stats.size, modifiedMs: stats.mtimeMs };
    if (stats.isDirectory()) return { kind: "folder", ...file, start: "" };
    if (!stats.isFile()) {
      throw new DepthwiseError("FILE_UNREADABLE", {
        what: `${source}: neither a file nor a folder`,
        advice: `${advice}; a list from a pipe as -.`,
      });
    }
    const { start } = await readStart(source, TAR_BLOCK);
    return { kind: await kindOfFile(source, start), ...file, start: hash.update(start).digest("hex") };
  } catch (cause) {
    throw sourceFault(source, "the source", `${advice}.`, cause);
  }
}

/** What has this text near its beginning, byte by byte, is neither list nor archive until it is unpacked. */
const PACKED: readonly {
  readonly name: string;
  readonly text: string;
  readonly at?: number;
  readonly unpack: string;
}[] = [
  { name: "gzip", text: "\x1f\x8b", unpack: "gunzip --keep" },
  { name: "zstd", text: "\x28\xb5\x2f\xfd", unpack: "unzstd" },
  // Its first letters could begin a path; behind them stand the digits of π.
  { name: "bzip2", text: "1AY&SY", at: 4, unpack: "bunzip2 --keep" },
  { name: "xz", text: "\xfd7zXZ\0", unpack: "unxz --keep" },
  { name: "lz4", text: "\x04\x22\x4d\x18", unpack: "unlz4" },
  { name: "zip", text: "PK\x03\x04", unpack: "unzip -d pictures" },
];

/** Whether a file is a tar or a list, by its beginning. A list has no byte that is 0; each header of a tar has. */
async function kindOfFile(name: string, start: Uint8Array): Promise<InputKind> {
  const head = latin1(start);
  for (const { name: packer, text, at = 0, unpack } of PACKED) {
    if (!head.startsWith(text, at)) continue;
    throw new DepthwiseError("FORMAT_UNKNOWN", {
      what: name,
      expected: "a list of pictures or a tar that is not compressed",
      found: packer,
      advice: `A shard could not find its pictures in it without reading all before them. Unpack it: ${unpack} ${name}`,
      fields: { source: name, found: packer },
    });
  }
  if (!head.includes("\0")) return "list";
  const isWhole = start.length === TAR_BLOCK;
  // Of an archive without entries, and of one whose first header is damaged, whoever lists it tells.
  if (isWhole && (start.every((byte) => byte === 0) || hasMagic(start))) return "tar";
  if (isWhole && headerIn(start, await tarParsers()) !== undefined) return "tar";
  throw new DepthwiseError("FORMAT_UNKNOWN", {
    what: name,
    expected: "a list of paths and addresses in UTF-8, or a tar",
    found: "bytes that are neither text nor the header of a tar's entry",
    advice: "Pass a folder of pictures, a tar of them, or a list, one path a line.",
    fields: { source: name },
  });
}
