/** A Parquet file: what stands behind its rows, and the columns of each group of rows. */

import type { FileMetaData } from "hyparquet";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { DepthwiseError } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import { endOfThrift } from "./thrift-bounds.ts";

type FileHandle = import("node:fs/promises").FileHandle;

/** `PAR1`, which stands at both ends; before the last the length of what is before that. */
export const MAGIC = /* @__PURE__ */ new TextEncoder().encode("PAR1");
const TAIL_BYTES = 8;

/** A table of some 15 million rows in groups of a thousand, and of nine columns, has as many. */
const MOST_FOOTER_VALUES = 1 << 23;
const MOST_FOOTER_BYTES = 1 << 26;
const MOST_ELEMENTS = 10_000;

export interface ParquetFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly metadata: FileMetaData;
  readonly rows: number;
  /** Where the bytes of rows end. */
  readonly dataEnd: number;
  close(): Promise<void>;
}

/**
 * Opens a file and reads what stands at its end. No column is read, and all that is said of them is checked: counts are
 * whole numbers, and what each group has lies within the file.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`; `FILE_TRUNCATED` if the end is not one; `FILE_TOO_LARGE` if it is too long to be
 *         held; errors of the system
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const handle = await process.getBuiltinModule("node:fs/promises").open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size < MAGIC.length + TAIL_BYTES) throw cut(path);
    const start = await bytesAt(handle, path, 0, MAGIC.length);
    if (!isMagic(start)) throw damagedTable(path, "it does not begin as a Parquet file");
    const tail = await bytesAt(handle, path, size - TAIL_BYTES, TAIL_BYTES);
    if (!isMagic(tail.subarray(4))) throw cut(path);
    const length = new DataView(tail.buffer).getUint32(0, true);
    const dataEnd = size - TAIL_BYTES - length;
    if (dataEnd < MAGIC.length) throw damagedTable(path, `its end claims ${length} bytes, and it has ${size}`);
    if (length > MOST_FOOTER_BYTES) throw tooLarge(path);
    const footer = await bytesAt(handle, path, dataEnd, length + TAIL_BYTES);
    const metadata = parsed(footer, length, path);
    checkGroups(metadata, dataEnd, path);
    return { path, handle, metadata, rows: Number(metadata.num_rows), dataEnd, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Exactly so many bytes. */
export async function bytesAt(handle: FileHandle, path: string, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, length - at, from + at);
    if (bytesRead === 0) throw cut(path);
    at += bytesRead;
  }
  return bytes;
}

export function damagedTable(path: string, reason: string, cause?: unknown): DepthwiseError {
  return new DepthwiseError("FILE_CORRUPT", {
    what: `${path}: ${reason}`,
    advice: "Write it again.",
    fields: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

function cut(path: string): DepthwiseError {
  return new DepthwiseError("FILE_TRUNCATED", {
    what: `${path}: a Parquet file that has no end`,
    advice: "Write it again, or fetch it again.",
    fields: { path },
  });
}

function tooLarge(path: string): DepthwiseError {
  return new DepthwiseError("FILE_TOO_LARGE", {
    what: `${path}: what its end says of groups of rows is too much to be held`,
    advice: "Pass the directory of the parts, or write it with larger groups of rows.",
    fields: { path },
  });
}

function isMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, place) => bytes[place] === byte);
}

function parsed(footer: Uint8Array, length: number, path: string): FileMetaData {
  const body = footer.subarray(0, length);
  if (endOfThrift(body, 0, MOST_FOOTER_VALUES) === undefined) {
    throw endOfThrift(body, 0, Number.POSITIVE_INFINITY) === undefined
      ? damagedTable(path, "its end cannot be understood")
      : tooLarge(path);
  }
  try {
    return parquetMetadata(footer, { geoparquet: false });
  } catch (cause) {
    throw damagedTable(path, "its end cannot be understood", cause);
  }
}

function checkGroups(
  { schema, num_rows: rows, row_groups: groups }: FileMetaData,
  dataEnd: number,
  path: string,
): void {
  const isCount = (value: unknown) => typeof value === "bigint" && value >= 0n && value <= Number.MAX_SAFE_INTEGER;
  if (schema.length === 0 || schema.length > MOST_ELEMENTS) throw damagedTable(path, `it has ${schema.length} columns`);
  if (!isCount(rows)) throw damagedTable(path, "it does not say how many rows it has");
  let sum = 0n;
  for (const { num_rows: own, columns } of groups) {
    if (!isCount(own)) throw damagedTable(path, "a group does not say how many rows it has");
    sum += own;
    for (const { meta_data: column } of columns) {
      if (column === undefined) throw damagedTable(path, "a column is not described");
      const start = startOfChunk(column);
      const bytes = column.total_compressed_size;
      if (![start, bytes, column.num_values].every(isCount) || start + bytes > dataEnd || start < MAGIC.length) {
        throw damagedTable(path, `column ${quoted(column.path_in_schema.join("."))} does not lie within the file`);
      }
    }
  }
  if (sum !== rows) throw damagedTable(path, `it claims ${rows} rows, and its groups have ${sum}`);
}

/** Of a column in a group. */
export type ColumnChunk = NonNullable<FileMetaData["row_groups"][number]["columns"][number]["meta_data"]>;

/** Where the first of its pages begins: some writers name no dictionary that is there, or one at 0. */
export function startOfChunk({ data_page_offset: data, dictionary_page_offset: dictionary }: ColumnChunk): bigint {
  return dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data;
}
