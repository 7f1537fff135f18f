/**
 * The directory at the end of a zip archive: what each entry is called, how it is packed, and where its bytes stand.
 *
 * Source: PKWARE's APPNOTE 6.3.10, §4.3 (records) and §4.5.3 (the zip64 extension).
 */

import { quoted } from "../../core/file-error.ts";

/** An entry as the directory claims it; nothing but the place of its bytes has been checked. */
export interface ZipRecord {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc: number;
  /** Bytes once unpacked. */
  readonly size: number;
  /** The packed bytes, a view. */
  readonly packed: Uint8Array;
}

/** Throws what `fail` makes of a phrase. */
export type ZipFail = (what: string) => Error;

const END = 0x06054b50;
const END_BYTES = 22;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;
const RECORD = 0x02014b50;
const RECORD_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const ZIP64_EXTRA = 1;

/**
 * The entries in the order of the directory. The archive may stand at the end of another file, its offsets counted
 * from the start of either.
 *
 * @param allow throws if that many entries are more than memory is meant for
 */
export function readZipDirectory(bytes: Uint8Array, fail: ZipFail, allow: (entries: number) => void): ZipRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, start, end, shift } = findDirectory(view, fail);
  allow(count);
  const records: ZipRecord[] = [];
  const names = new Set<string>();
  let at = start;
  let packed = 0;
  for (let i = 0; i < count; i++) {
    if (at + RECORD_BYTES > end || view.getUint32(at, true) !== RECORD) {
      throw fail(`the directory claims ${count} entries, but breaks off after ${i}`);
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const nameEnd = at + RECORD_BYTES + (nameBytes ?? 0);
    const next = nameEnd + (extraBytes ?? 0) + (commentBytes ?? 0);
    if (next > end) throw fail(`entry ${i} of the directory is cut off`);
    const name = new TextDecoder().decode(bytes.subarray(at + RECORD_BYTES, nameEnd));
    if (names.has(name)) throw fail(`the directory lists ${quoted(name)} twice`);
    names.add(name);
    const extra = new DataView(bytes.buffer, bytes.byteOffset + nameEnd, extraBytes ?? 0);
    const { size, packedSize, offset } = sizes(view, at, extra, () => fail(`${quoted(name)} has a broken zip64 field`));
    packed += packedSize;
    // One stretch of bytes under a thousand names would be unpacked and summed a thousand times.
    if (packed > bytes.length) throw fail("the entries of the zip archive lie one over the other");
    records.push({
      name,
      method: view.getUint16(at + 10, true),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      crc: view.getUint32(at + 16, true),
      size,
      packed: packedBytes(bytes, view, offset + shift, packedSize, () =>
        fail(`${quoted(name)} lies outside the archive`),
      ),
    });
    at = next;
  }
  return records;
}

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly end: number;
  /** What to add to an offset of the archive. */
  readonly shift: number;
}

function findDirectory(view: DataView, fail: ZipFail): Directory {
  const at = findEnd(view);
  if (at === undefined) throw fail("the zip archive has no directory at its end; it may be cut off");
  const zip64 = zip64End(view, at, fail);
  const count = zip64 === undefined ? view.getUint16(at + 10, true) : safe(view, zip64 + 32);
  const size = zip64 === undefined ? view.getUint32(at + 12, true) : safe(view, zip64 + 40);
  const offset = zip64 === undefined ? view.getUint32(at + 16, true) : safe(view, zip64 + 48);
  const end = zip64 ?? at;
  const start = end - size;
  if (!(start >= 0 && offset <= start && count * RECORD_BYTES <= size)) {
    throw fail("the zip archive's directory does not fit into the file");
  }
  // A writer that knew of the bytes in front counted them; then both positions are one.
  return { count, start, end, shift: start - offset };
}

/** The last record of the archive; a comment of up to 65,535 bytes may follow it. */
function findEnd(view: DataView): number | undefined {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength)
      return at;
  }
  return undefined;
}

/** Where the zip64 form of the last record stands, if there is one. */
function zip64End(view: DataView, end: number, fail: ZipFail): number | undefined {
  const locator = end - ZIP64_LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== ZIP64_LOCATOR) return undefined;
  // Its own offset may be off by what stands in front; the record has to be just before its locator anyway.
  const at = locator - ZIP64_END_BYTES;
  if (at < 0 || view.getUint32(at, true) !== ZIP64_END) throw fail("the zip archive's zip64 directory is broken");
  return at;
}

interface Sizes {
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
}

/** Sizes and offset of a record; where 32 bits are all ones, they stand in the zip64 field, in this order. */
function sizes(view: DataView, at: number, extra: DataView, broken: () => Error): Sizes {
  const plain = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  if (!plain.includes(0xffffffff)) return { size: plain[0] ?? 0, packedSize: plain[1] ?? 0, offset: plain[2] ?? 0 };
  const field = zip64Field(extra);
  if (field === undefined) throw broken();
  let read = 0;
  const [size = 0, packedSize = 0, offset = 0] = plain.map((value) => {
    if (value !== 0xffffffff) return value;
    if (read + 8 > field.byteLength) throw broken();
    read += 8;
    return safe(field, read - 8);
  });
  return { size, packedSize, offset };
}

function zip64Field(extra: DataView): DataView | undefined {
  let at = 0;
  while (at + 4 <= extra.byteLength) {
    const length = extra.getUint16(at + 2, true);
    if (at + 4 + length > extra.byteLength) return undefined;
    if (extra.getUint16(at, true) === ZIP64_EXTRA) return new DataView(extra.buffer, extra.byteOffset + at + 4, length);
    at += 4 + length;
  }
  return undefined;
}

function packedBytes(bytes: Uint8Array, view: DataView, at: number, size: number, outside: () => Error): Uint8Array {
  if (!(at >= 0 && at + LOCAL_BYTES <= bytes.length) || view.getUint32(at, true) !== LOCAL) throw outside();
  const start = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (!(start + size <= bytes.length)) throw outside();
  return bytes.subarray(start, start + size);
}

/** A 64-bit number; one above 2^53 fits into no file, and stays above it when rounded. */
function safe(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
