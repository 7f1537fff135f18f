/**
 * A column of lists of float32, all of one length or absent, in a group of rows. Their levels are a few runs a row and
 * their numbers lie as they are: written value by value, a group of a million of them would take a second.
 *
 * Source: Apache Parquet, "Data Pages" (the second version) and "Run Length Encoding / Bit-Packing Hybrid".
 */

import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";

/** Pages are of about so many bytes, as other writers make them. */
const PAGE_BYTES = 1 << 20;

/** What a list of its own levels, and an absent one, is defined to. */
const [PRESENT, ABSENT] = [2, 0];

/** What is said of the column behind all groups. */
export interface ListChunk {
  readonly start: number;
  readonly bytes: number;
  readonly values: number;
}

/** Appends the pages of a column: an optional list of required numbers. */
export function appendLists(file: ByteWriter, rows: readonly (Float32Array | undefined)[]): ListChunk {
  const start = file.offset;
  const length = rows.find((row) => row !== undefined)?.length ?? 0;
  const most = Math.max(1, Math.floor(PAGE_BYTES / Math.max(4, 4 * length)));
  let values = 0;
  for (let from = 0; from < rows.length; from += most) values += appendPage(file, rows.slice(from, from + most));
  return { start, bytes: file.offset - start, values };
}

/** @returns how many values it has, absent lists being one each */
function appendPage(file: ByteWriter, rows: readonly (Float32Array | undefined)[]): number {
  const present = rows.filter((row) => row !== undefined);
  const repetitions = runs(
    rows.flatMap((row) =>
      row === undefined
        ? [[1, 0]]
        : [
            [1, 0],
            [row.length - 1, 1],
          ],
    ),
  );
  const definitions = runs(rows.map((row) => (row === undefined ? [1, ABSENT] : [row.length, PRESENT])));
  const numbers = present.reduce((sum, row) => sum + row.length, 0);
  const nulls = rows.length - present.length;
  const bytes = repetitions.length + definitions.length + 4 * numbers;
  writePageHeader(file, {
    type: "DATA_PAGE_V2",
    uncompressed_page_size: bytes,
    compressed_page_size: bytes,
    data_page_header_v2: {
      num_values: numbers + nulls,
      num_nulls: nulls,
      num_rows: rows.length,
      encoding: "PLAIN",
      definition_levels_byte_length: definitions.length,
      repetition_levels_byte_length: repetitions.length,
      is_compressed: false,
    },
  });
  file.appendBytes(repetitions);
  file.appendBytes(definitions);
  for (const row of present) file.appendBytes(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
  return numbers + nulls;
}

/** Levels of at most 8 bits as runs: twice the count, and the level. Those of one level that follow each other are one. */
function runs(counted: readonly (readonly number[])[]): Uint8Array {
  const joined: [count: number, level: number][] = [];
  for (const [count = 0, level = 0] of counted) {
    const last = joined.at(-1);
    if (last?.[1] === level) last[0] += count;
    else if (count > 0) joined.push([count, level]);
  }
  const bytes = new ByteWriter();
  for (const [count, level] of joined) {
    bytes.appendVarInt(2 * count);
    bytes.appendUint8(level);
  }
  return bytes.getBytes();
}
