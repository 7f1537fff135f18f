/**
 * The bytes of an HDF5 file under watch: every read is inside the file, and all reads together are few.
 *
 * HDF5 is a web of addresses. A damaged one may lead in a circle, or name one block from a thousand places; instead
 * of looking for circles in each kind of structure, every byte that is read is charged to one account, and a sound
 * file never comes near its limit.
 */

import type { DepthwiseError } from "../../core/errors.ts";
import { damaged, fileError, grouped } from "../../core/file-error.ts";
import type { DecodedBudget } from "../../sources/decoded-budget.ts";

/** A stretch of the file. */
export interface HeapPlace {
  readonly at: number;
  readonly length: number;
}

export interface Source {
  readonly bytes: Uint8Array;
  /** Of the file, for messages. */
  readonly name: string;
  /** Bytes of an address and of a length in this file: 4 or 8. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Global heaps that were looked through already, by address: the places of their objects by number. */
  readonly heaps: Map<number, ReadonlyMap<number, HeapPlace>>;
  /** Reads `length` bytes at `at`; charged. `what` they are, for messages. */
  range(at: number, length: number, what: string): Reader;
  /** Charges bytes that are unpacked, beside those of the file itself. */
  unpack(byteCount: number, what: string): void;
  /** Charges objects that are kept: messages, links, texts, chunks. */
  keep(count: number, cost: number, what: string): void;
}

/** Reads little-endian numbers one after the other. */
export interface Reader {
  /** Offset of the next byte in the file. */
  readonly at: number;
  readonly left: number;
  u8(): number;
  u16(): number;
  u32(): number;
  /** A whole number of 1 to 8 bytes; one above 2^53 is not exact, and no size or address of a file that is there. */
  uint(byteCount: number): number;
  /** `undefined` for the address that means "nothing there" (all bits set). */
  offset(): number | undefined;
  length(): number;
  skip(byteCount: number): void;
  /** A view. */
  take(byteCount: number): Uint8Array;
  /** @throws {DepthwiseError} `FILE_CORRUPT` unless the next bytes are these letters */
  signature(letters: string): void;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** How often a byte is read at most, on average. In sound files it is 0.4 to 1.2 times, and 3 with the cost below. */
const READS_PER_BYTE = 4;
const READS_AT_LEAST = 1 << 18;
/** Charged for each read in addition: small ones take time too. */
const COST_OF_READ = 64;

/** Most messages of an object, texts of an attribute and chunks of a data set: as many as old headers can count. */
export const MOST_PARTS = 65_535;

/** What is kept of each in memory, in bytes. */
export const HDF5_COST = { message: 72, link: 200, text: 80, chunk: 320, object: 2000 } as const;

/**
 * Opens the superblock.
 *
 * @returns the bytes, and the address of the root group
 * @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED`
 */
export function readSuperblock(
  bytes: Uint8Array,
  name: string,
  budget: DecodedBudget,
): { readonly source: Source; readonly root: number } {
  const head = watched(bytes, name, budget, 8, 8).range(0, 24, "the superblock");
  if (SIGNATURE.some((byte) => head.u8() !== byte)) throw damaged(name, "the first bytes are not those of HDF5");
  const version = head.u8();
  const isOld = version < 2;
  if (version > 3) throw unsupported(name, `superblock version ${version}`);
  if (isOld) head.skip(4);
  const [offsetBytes, lengthBytes] = [head.u8(), head.u8()];
  if (![4, 8].includes(offsetBytes) || ![4, 8].includes(lengthBytes)) {
    throw damaged(name, `addresses of ${offsetBytes} bytes and lengths of ${lengthBytes}`);
  }
  const source = watched(bytes, name, budget, offsetBytes, lengthBytes);
  // Version 1 has four bytes more than version 0; both end with the root's entry in a table of symbols.
  const start = isOld ? (version === 0 ? 24 : 28) : 12;
  const rest = source.range(start, (isOld ? 6 : 4) * offsetBytes, "the superblock");
  const base = rest.offset();
  rest.offset();
  const end = rest.offset();
  if (isOld) for (let i = 0; i < 2; i++) rest.offset();
  const root = rest.offset();
  if (base !== 0) throw unsupported(name, "addresses that do not count from the start of the file");
  if (end !== undefined && end > bytes.length) throw truncated(name, "the file", end, bytes.length);
  if (root === undefined) throw damaged(name, "there is no root group");
  return { source, root };
}

function watched(
  bytes: Uint8Array,
  name: string,
  budget: DecodedBudget,
  offsetBytes: number,
  lengthBytes: number,
): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const limit = bytes.length * READS_PER_BYTE + READS_AT_LEAST;
  let spent = 0;
  return {
    bytes,
    name,
    offsetBytes,
    lengthBytes,
    heaps: new Map(),
    range(at, length, what) {
      if (!(at >= 0 && length >= 0 && Number.isSafeInteger(at) && at + length <= bytes.length)) {
        throw truncated(name, what, at + length, bytes.length);
      }
      spent += length + COST_OF_READ;
      if (spent > limit) throw damaged(name, `${what}: structures that lie in a circle or one over the other`);
      return reader(view, at, at + length, what, { name, offsetBytes, lengthBytes });
    },
    unpack: (byteCount, what) => budget.charge(name, byteCount, what),
    keep: (count, cost, what) => budget.chargeObjects(name, count * cost, what),
  };
}

type Sizes = Pick<Source, "name" | "offsetBytes" | "lengthBytes">;

function reader(
  view: DataView,
  from: number,
  to: number,
  what: string,
  { name, offsetBytes, lengthBytes }: Sizes,
): Reader {
  let at = from;
  const advance = (byteCount: number) => {
    if (!(byteCount >= 0 && byteCount <= to - at)) throw damaged(name, `${what} ends in the middle`);
    at += byteCount;
    return at - byteCount;
  };
  const uint = (byteCount: number) => {
    const start = advance(byteCount);
    let value = 0;
    for (let i = byteCount - 1; i >= 0; i--) value = value * 256 + view.getUint8(start + i);
    return value;
  };
  return {
    get at() {
      return at;
    },
    get left() {
      return to - at;
    },
    u8: () => view.getUint8(advance(1)),
    u16: () => view.getUint16(advance(2), true),
    u32: () => view.getUint32(advance(4), true),
    uint,
    offset() {
      const value = uint(offsetBytes);
      // All bits set rounds up to this; no address of a file that fits in memory does.
      return value >= (offsetBytes === 4 ? 0xffffffff : 2 ** 64) ? undefined : value;
    },
    length: () => uint(lengthBytes),
    skip: (byteCount) => void advance(byteCount),
    take: (byteCount) => new Uint8Array(view.buffer, view.byteOffset + advance(byteCount), byteCount),
    signature(letters) {
      for (const letter of letters) {
        if (view.getUint8(advance(1)) !== letter.charCodeAt(0))
          throw damaged(name, `${what} does not begin with ${letters}`);
      }
    },
  };
}

function truncated(name: string, what: string, needed: number, present: number): DepthwiseError {
  return damaged(name, what, {
    code: "FILE_TRUNCATED",
    expected: `${grouped(needed)} bytes`,
    found: grouped(present),
    fields: { needed, present },
  });
}

/** Something HDF5 allows and no version of Keras writes by itself. */
export function unsupported(name: string, what: string): DepthwiseError {
  const advice = "Write the file anew with h5py and its default settings.";
  return fileError("FORMAT_UNKNOWN", name, what, advice, { expected: "HDF5 as Keras writes it" });
}
