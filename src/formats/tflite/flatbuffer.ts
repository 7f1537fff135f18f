/**
 * Flatbuffers, read with every offset and length checked against the bytes that are there.
 *
 *     buffer   uint32 offset of the root table, 4 bytes of identifier, …
 *     table    int32 distance back to its vtable, then its fields
 *     vtable   uint16 bytes of the vtable, uint16 bytes of the table, then a uint16 a field: its place in the table
 *              (0: left out, the field has its default)
 *     vector   uint32 count, then the elements; strings are vectors of bytes; tables in it are uint32 offsets
 *
 * Offsets of tables, vectors and strings count from where they stand. Fields are numbered from 0 in the order of the
 * schema, a union counting twice: its type, then its value. Every function here throws `FILE_TRUNCATED` for what lies
 * behind the end, `FILE_CORRUPT` for what else cannot be.
 *
 * Source: "FlatBuffers internals" of google/flatbuffers, whose package reads the numbers here but does not look where.
 */

import { ByteBuffer } from "flatbuffers";
import type { DepthwiseError } from "../../core/errors.ts";
import { damaged, grouped } from "../../core/file-error.ts";
import { latin1 } from "../../core/latin1.ts";
import type { DecodedBudget } from "../../sources/decoded-budget.ts";

interface FlatSource {
  /** For messages. */
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly numbers: ByteBuffer;
  /** What may still be read. */
  readonly left: { bytes: number; tables: number };
  readonly budget: DecodedBudget;
}

export interface FlatTable {
  readonly source: FlatSource;
  readonly at: number;
  readonly bytes: number;
  readonly layout: number;
  readonly layoutBytes: number;
}

/** Offsets may share what they point to: a few bytes can stand for any number of tables, but not in an honest file. */
const MOST_READS_OF_A_BYTE = 4;
const MOST_TABLES = 500_000;

/** What is made of the file, in bytes of memory. */
const COST = { table: 120, element: 8, text: 24, view: 160 } as const;

/**
 * The root table.
 *
 * @param what for messages: the file, or a part of it
 * @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`, `FILE_TOO_LARGE`
 */
export function openFlatbuffer(bytes: Uint8Array, what: string, budget: DecodedBudget): FlatTable {
  const left = { bytes: MOST_READS_OF_A_BYTE * bytes.length + 65536, tables: MOST_TABLES };
  const source = { what, bytes, numbers: new ByteBuffer(bytes), left, budget };
  return tableAt(source, indirect(source, 0, "the root table"));
}

/** The four bytes after the root's offset, as text. */
export function flatbufferIdentifier(bytes: Uint8Array): string {
  return latin1(bytes.subarray(4, 8));
}

export function readInt8(table: FlatTable, field: number, absent: number): number {
  const at = place(table, field, 1);
  return at === undefined ? absent : table.source.numbers.readInt8(at);
}

export function readInt32(table: FlatTable, field: number, absent: number): number {
  const at = place(table, field, 4);
  return at === undefined ? absent : table.source.numbers.readInt32(at);
}

export function readUint32(table: FlatTable, field: number, absent: number): number {
  const at = place(table, field, 4);
  return at === undefined ? absent : table.source.numbers.readUint32(at);
}

/** A `uint64` as a number: rounded above 2^53, far behind the end of any file. */
export function readUint64(table: FlatTable, field: number, absent: number): number {
  const at = place(table, field, 8);
  return at === undefined ? absent : Number(table.source.numbers.readUint64(at));
}

export function readFloat32(table: FlatTable, field: number, absent: number): number {
  const at = place(table, field, 4);
  return at === undefined ? absent : table.source.numbers.readFloat32(at);
}

/** UTF-8; bytes that are not become replacement characters. Empty if left out. */
export function readText(table: FlatTable, field: number): string {
  const bytes = readByteVector(table, field);
  if (bytes === undefined) return "";
  table.source.budget.chargeObjects(table.source.what, COST.text + 2 * bytes.length, "its texts");
  return new TextDecoder().decode(bytes);
}

/** A view, not a copy; undefined if left out. */
export function readByteVector(table: FlatTable, field: number): Uint8Array | undefined {
  const { at, count } = vector(table, field, 1);
  table.source.budget.chargeObjects(table.source.what, COST.view, "its vectors");
  return at === 0 ? undefined : table.source.bytes.subarray(at, at + count);
}

export function readTable(table: FlatTable, field: number): FlatTable | undefined {
  const at = place(table, field, 4);
  return at === undefined ? undefined : tableAt(table.source, indirect(table.source, at, "a table"));
}

export function readTables(table: FlatTable, field: number): readonly FlatTable[] {
  const { source } = table;
  return readList(table, field, 4, (at) => tableAt(source, indirect(source, at, "a table")));
}

export function readInt32s(table: FlatTable, field: number): readonly number[] {
  return readList(table, field, 4, (at) => table.source.numbers.readInt32(at));
}

/** `int64` values as numbers, rounded above 2^53. */
export function readInt64s(table: FlatTable, field: number): readonly number[] {
  return readList(table, field, 8, (at) => Number(table.source.numbers.readInt64(at)));
}

export function readFloat32s(table: FlatTable, field: number): readonly number[] {
  return readList(table, field, 4, (at) => table.source.numbers.readFloat32(at));
}

/** The error for bytes that should be there and are not. */
export function truncatedFile(what: string, part: string, end: number, length: number): DepthwiseError {
  const problem = `${part} ends at byte ${grouped(end)}, the file at ${grouped(length)}`;
  return damaged(what, problem, { code: "FILE_TRUNCATED", fields: { end, bytes: length } });
}

function tableAt(source: FlatSource, at: number): FlatTable {
  const { what, numbers, left, budget } = source;
  budget.chargeObjects(what, COST.table, "its tables");
  left.tables--;
  if (left.tables < 0) throw damaged(what, `it has more than ${grouped(MOST_TABLES)} tables`);
  const layout = at - numbers.readInt32(claim(source, at, 4, "a table"));
  const layoutBytes = numbers.readUint16(claim(source, layout, 4, "the layout of a table"));
  const bytes = numbers.readUint16(layout + 2);
  if (layoutBytes < 4 || layoutBytes % 2 !== 0 || bytes < 4) throw damaged(what, "the layout of a table is broken");
  claim(source, layout, layoutBytes, "the layout of a table");
  claim(source, at, bytes, "a table");
  return { source, at, bytes, layout, layoutBytes };
}

/** Where a field of `size` bytes stands; undefined if it is left out. */
function place({ source, at, bytes, layout, layoutBytes }: FlatTable, field: number, size: number): number | undefined {
  const entry = 4 + 2 * field;
  const offset = entry < layoutBytes ? source.numbers.readUint16(layout + entry) : 0;
  if (offset === 0) return undefined;
  if (offset < 4 || offset + size > bytes) throw damaged(source.what, "a field lies outside of its table");
  return at + offset;
}

/** Where the elements of a vector stand; at 0, where none can, if it is left out. */
function vector(table: FlatTable, field: number, size: number): { readonly at: number; readonly count: number } {
  const { source } = table;
  const found = place(table, field, 4);
  if (found === undefined) return { at: 0, count: 0 };
  const start = indirect(source, found, "a vector");
  const count = source.numbers.readUint32(claim(source, start, 4, "a vector"));
  return { at: claim(source, start + 4, count * size, "a vector"), count };
}

function readList<Element>(table: FlatTable, field: number, size: number, read: (at: number) => Element): Element[] {
  const { at, count } = vector(table, field, size);
  table.source.budget.chargeObjects(table.source.what, COST.element * count, "its vectors");
  return Array.from({ length: count }, (_, i) => read(at + i * size));
}

function indirect(source: FlatSource, at: number, part: string): number {
  const distance = source.numbers.readUint32(claim(source, at, 4, part));
  if (distance === 0) throw damaged(source.what, `${part} refers to itself`);
  return at + distance;
}

/** Checks that bytes are there before they are read, and that they are not read over and over. */
function claim({ what, bytes, left }: FlatSource, at: number, count: number, part: string): number {
  if (at < 0) throw damaged(what, `${part} begins before the file`);
  if (at + count > bytes.length) throw truncatedFile(what, part, at + count, bytes.length);
  left.bytes -= count;
  if (left.bytes < 0) throw damaged(what, "its tables refer to the same bytes over and over");
  return at;
}
