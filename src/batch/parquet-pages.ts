/**
 * Pages of a column in a group of rows, one held at a time. Sizes are checked before they are allocated, and runs before
 * they are unrolled: a page of a few bytes may claim to be of any length.
 *
 * Source: Apache Parquet, "Data Pages", "Encodings" and "Run Length Encoding / Bit-Packing Hybrid".
 */

import { parquetHeader } from "hyparquet/src/column.js";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { DepthwiseError } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import type { TableColumn } from "./parquet-columns.ts";
import { bytesAt, type ColumnChunk, damagedTable, type ParquetFile, startOfChunk } from "./parquet-file.ts";
import { endOfThrift } from "./thrift-bounds.ts";

/** What stands in front of a page is some twenty bytes, and statistics. */
const MOST_HEADER_BYTES = 1 << 14;
const MOST_HEADER_VALUES = 1000;
/** Writers make pages of a megabyte. */
const MOST_PAGE_BYTES = 1 << 26;
const MOST_PAGE_VALUES = 1 << 24;

/** Values of a page that are there, and the levels of all; those of a column without levels are 0. */
export interface ColumnPage {
  /** With those that are absent. */
  readonly count: number;
  readonly definitions: Uint8Array;
  readonly repetitions: Uint8Array;
  /** How many are there. */
  readonly present: number;
  readonly encoding: string;
  /** Of the values that are there. */
  readonly bytes: Uint8Array;
}

/** A dictionary, which comes first, or a page of values. */
export type ChunkPage = ({ readonly type: "dictionary" } | { readonly type: "values" }) & ColumnPage;

/** @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TOO_LARGE`, `FORMAT_UNKNOWN` for what cannot be read; `signal.reason` */
export async function* pagesOf(
  file: ParquetFile,
  chunk: ColumnChunk,
  column: TableColumn,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChunkPage, void, undefined> {
  const { path, handle } = file;
  const end = Number(startOfChunk(chunk) + chunk.total_compressed_size);
  let left = Number(chunk.num_values);
  for (let at = Number(startOfChunk(chunk)); left > 0; ) {
    signal?.throwIfAborted();
    if (at >= end) throw damagedTable(path, `column ${quoted(column.path.join("."))} has fewer values than it says`);
    const head = await bytesAt(handle, path, at, Math.min(MOST_HEADER_BYTES, end - at));
    const { header, headBytes } = headerIn(head, path);
    at += headBytes;
    const bytes = header.compressed_page_size;
    if (!isCount(bytes) || bytes > end - at) throw damagedTable(path, "a page does not lie within its column");
    if (bytes > MOST_PAGE_BYTES) throw tooLarge(path);
    const body = await bytesAt(handle, path, at, bytes);
    at += bytes;
    const page = pageIn(header, body, { path, codec: chunk.codec, column });
    if (page === undefined) continue;
    if (page.type === "values") left -= page.count;
    if (left < 0) throw damagedTable(path, `column ${quoted(column.path.join("."))} has more values than it says`);
    yield page;
  }
}

type Header = ReturnType<typeof parquetHeader>;

function headerIn(bytes: Uint8Array, path: string): { readonly header: Header; readonly headBytes: number } {
  const headBytes = endOfThrift(bytes, 0, MOST_HEADER_VALUES);
  if (headBytes === undefined) throw damagedTable(path, "what stands in front of a page cannot be understood");
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, headBytes);
    return { header: parquetHeader({ view, offset: 0 }), headBytes };
  } catch (cause) {
    throw damagedTable(path, "what stands in front of a page cannot be understood", cause);
  }
}

interface Around {
  readonly path: string;
  readonly codec: string;
  readonly column: TableColumn;
}

/** Undefined for a page of another kind, which has no values. */
function pageIn(header: Header, body: Uint8Array, { path, codec, column }: Around): ChunkPage | undefined {
  const { dictionary_page_header: dictionary, data_page_header: first, data_page_header_v2: second } = header;
  const size = header.uncompressed_page_size;
  const { mostDefinition, mostRepetition } = column;
  if (header.type === "DICTIONARY_PAGE" && dictionary !== undefined) {
    const count = checkCount(dictionary.num_values, path);
    const bytes = unpacked(body, codec, size, path);
    const levels = { definitions: new Uint8Array(), repetitions: new Uint8Array() };
    return { type: "dictionary", count, present: count, encoding: "PLAIN", bytes, ...levels };
  }
  if (header.type === "DATA_PAGE" && first !== undefined) {
    const count = checkCount(first.num_values, path);
    let bytes = unpacked(body, codec, size, path);
    /** Their length stands in front of levels, if there are any. */
    const levels = (most: number): Uint8Array => {
      const length = most === 0 || bytes.length < 4 ? 0 : viewOf(bytes).getUint32(0, true);
      const from = most === 0 ? 0 : 4;
      if (from + length > bytes.length) throw damagedTable(path, "levels of a page are longer than it is");
      const read = levelsIn(bytes.subarray(from, from + length), most, count, path);
      bytes = bytes.subarray(from + length);
      return read;
    };
    const repetitions = levels(mostRepetition);
    const definitions = levels(mostDefinition);
    return valuesPage({ count, definitions, repetitions, encoding: first.encoding, bytes }, mostDefinition);
  }
  if (header.type === "DATA_PAGE_V2" && second !== undefined) {
    const count = checkCount(second.num_values, path);
    const lengths = [second.repetition_levels_byte_length, second.definition_levels_byte_length] as const;
    const [repetitionBytes, definitionBytes] = lengths.map((length) => length ?? 0) as [number, number];
    const levelBytes = repetitionBytes + definitionBytes;
    if (!lengths.every((length) => isCount(length ?? 0)) || levelBytes > body.length) {
      throw damagedTable(path, "levels of a page are longer than it is");
    }
    const repetitions = levelsIn(body.subarray(0, repetitionBytes), mostRepetition, count, path);
    const definitions = levelsIn(body.subarray(repetitionBytes, levelBytes), mostDefinition, count, path);
    const packed = body.subarray(levelBytes);
    const bytes = second.is_compressed === false ? packed : unpacked(packed, codec, size - levelBytes, path);
    return valuesPage({ count, definitions, repetitions, encoding: second.encoding, bytes }, mostDefinition);
  }
  return undefined;
}

function valuesPage(page: Omit<ColumnPage, "present">, mostDefinition: number): ChunkPage {
  let present = page.count;
  if (mostDefinition > 0) {
    present = 0;
    for (const level of page.definitions) if (level === mostDefinition) present++;
  }
  return { type: "values", ...page, present };
}

function unpacked(bytes: Uint8Array, codec: string, size: number, path: string): Uint8Array {
  if (codec === "UNCOMPRESSED" || size === 0) return bytes;
  if (codec !== "SNAPPY") {
    throw new DepthwiseError("FORMAT_UNKNOWN", {
      what: `${path}: how its columns are compressed`,
      expected: "SNAPPY, or not at all",
      found: String(codec),
      advice: "Write it so.",
    });
  }
  if (!isCount(size)) throw damagedTable(path, "a page does not say how long it is");
  if (size > MOST_PAGE_BYTES) throw tooLarge(path);
  const whole = new Uint8Array(size);
  try {
    snappyUncompress(bytes, whole);
  } catch (cause) {
    throw damagedTable(path, "a page cannot be decompressed", cause);
  }
  return whole;
}

function levelsIn(bytes: Uint8Array, most: number, count: number, path: string): Uint8Array {
  if (most === 0) return new Uint8Array();
  return unrolled(bytes, 32 - Math.clz32(most), new Uint8Array(count), path);
}

/** Fills `into` with numbers of so many bits: runs of one, and groups of eight, bit by bit. */
export function unrolled<T extends Uint8Array | Uint32Array>(
  bytes: Uint8Array,
  bits: number,
  into: T,
  path: string,
): T {
  let [at, done] = [0, 0];
  const byte = (): number => {
    const value = bytes[at++];
    if (value === undefined) throw damagedTable(path, "a page has fewer numbers than it says");
    return value;
  };
  while (done < into.length) {
    let header = 0;
    for (let place = 0; ; place++) {
      const next = byte();
      header += (next & 127) * 128 ** place;
      if (next < 128) break;
      if (place === 4) throw damagedTable(path, "a run in a page is too long");
    }
    const count = Math.floor(header / 2);
    if (header % 2 === 0) {
      let value = 0;
      for (let place = 0; place < Math.ceil(bits / 8); place++) value += byte() * 256 ** place;
      into.fill(value, done, Math.min(done + count, into.length));
      done += count;
      continue;
    }
    let [held, heldBits] = [0, 0];
    // The last group may have numbers that are none.
    const wanted = Math.min(8 * count, into.length - done);
    const next = at + count * bits;
    for (let i = 0; i < wanted; i++) {
      for (; heldBits < bits; heldBits += 8) held += byte() * 2 ** heldBits;
      into[done++] = held % 2 ** bits;
      held = Math.floor(held / 2 ** bits);
      heldBits -= bits;
    }
    at = next;
  }
  return into;
}

function checkCount(count: unknown, path: string): number {
  if (!isCount(count)) throw damagedTable(path, "a page does not say how many values it has");
  if (count > MOST_PAGE_VALUES) throw tooLarge(path);
  return count;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function tooLarge(path: string): DepthwiseError {
  return new DepthwiseError("FILE_TOO_LARGE", {
    what: `${path}: a page of more than ${MOST_PAGE_BYTES} bytes, or ${MOST_PAGE_VALUES} values`,
    advice: "Write it with smaller pages.",
    fields: { path },
  });
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
