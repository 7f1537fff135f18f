/** What was done to chunks before they were stored, and undoing it: shuffled bytes, deflate, a checksum behind. */

import { isDepthwiseError } from "../../core/errors.ts";
import { damaged } from "../../core/file-error.ts";
import { ownPart } from "../../core/own-part.ts";
import { type HeaderMessage, MESSAGE, messageOf } from "./object-header.ts";
import { type Source, unsupported } from "./source.ts";

/** In the order in which they were applied. */
export type Filters = readonly ("deflate" | "shuffle" | "checksum")[];

const FILTERS: Readonly<Record<number, Filters[number]>> = { 1: "deflate", 2: "shuffle", 3: "checksum" };

export function readFilters(source: Source, messages: readonly HeaderMessage[], what: string): Filters {
  const reader = messageOf(source, messages, MESSAGE.filters, `${what}: the filters`);
  if (reader === undefined) return [];
  const version = reader.u8();
  const count = reader.u8();
  if (version !== 1 && version !== 2) throw damaged(source.name, `${what}: filters of version ${version}`);
  if (version === 1) reader.skip(6);
  const filters: Filters[number][] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.u16();
    const nameBytes = version === 1 || id >= 256 ? reader.u16() : 0;
    reader.skip(2);
    const values = reader.u16();
    reader.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    reader.skip(4 * values);
    if (version === 1 && values % 2 === 1) reader.skip(4);
    const filter = FILTERS[id];
    if (filter === undefined) throw unsupported(source.name, `${what} is compressed with filter ${id}`);
    filters.push(filter);
  }
  return filters;
}

/** Undoes one filter; `byteCount` are the bytes of the chunk once everything is undone. */
export type Undo = (bytes: Uint8Array, byteCount: number, elementBytes: number) => Uint8Array;

/** Pieces in which compressed bytes are fed in, so that what does not end is noticed early. */
const PIECE_BYTES = 4096;

/** @throws {DepthwiseError} `FILE_UNREADABLE` if one is `deflate` and its part of the library cannot be loaded */
export async function loadUndo(
  source: Source,
  filters: Filters,
  what: string,
): Promise<Readonly<Record<Filters[number], Undo>>> {
  const load = () => ownPart("the reader of compressed data", () => import("../zip/inflate.ts"));
  const fflate = filters.includes("deflate") ? await load() : undefined;
  const excessive = () => damaged(source.name, `${what} unpacks to more than it claims`);
  return {
    checksum: (bytes) => bytes.subarray(0, Math.max(0, bytes.length - 4)),
    shuffle: (bytes, _, elementBytes) => unshuffle(bytes, elementBytes),
    deflate(bytes, byteCount) {
      if (fflate === undefined) return bytes;
      // A checksum may stand behind the elements inside the compressed bytes; one byte more shows what is too long.
      const result = new Uint8Array(byteCount + 5);
      let length = 0;
      try {
        if (bytes.length <= PIECE_BYTES) {
          // The stream below takes 200 KB for itself, of which sixty thousand small chunks would make 12 GB.
          length = fflate.unzlibSync(bytes, { out: result }).length;
        } else {
          const unzlib = new fflate.Unzlib((part) => {
            if (length + part.length >= result.length) throw excessive();
            result.set(part, length);
            length += part.length;
          });
          for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
            unzlib.push(bytes.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= bytes.length);
          }
        }
      } catch (cause) {
        if (isDepthwiseError(cause)) throw cause;
        throw damaged(source.name, `${what} cannot be unpacked`);
      }
      if (length === result.length) throw excessive();
      return result.subarray(0, length);
    },
  };
}

/** All first bytes, then all second bytes, … of the elements, back to one element after the other. */
function unshuffle(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const count = Math.floor(bytes.length / elementBytes);
  const result = bytes.slice();
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < elementBytes; j++) result[i * elementBytes + j] = bytes[j * count + i] ?? 0;
  }
  return result;
}
