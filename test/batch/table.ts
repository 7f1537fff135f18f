/** Tables of one column of lists of float32, put together page by page: as other writers make them, and as nobody should. */

import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";

export interface TablePage {
  /** Level by level, as they stand in the page: `[repetition, definition]`; 0, 1 or 2 of either. */
  readonly levels: readonly (readonly [repetition: number, definition: number])[];
  readonly floats: readonly number[];
  /** In place of the levels' bytes. */
  readonly repetitions?: readonly number[];
  /** What the page says of itself, in place of what is so. */
  readonly told?: { readonly values?: number; readonly compressed?: number; readonly uncompressed?: number };
}

/** What the end of the file says, in place of what is so. */
export interface TableClaims {
  readonly rows?: bigint;
  readonly groupRows?: bigint;
  readonly values?: bigint;
  readonly bytes?: bigint;
  readonly offset?: bigint;
  readonly codec?: "SNAPPY" | "ZSTD";
}

export function table(pages: readonly TablePage[], claims: TableClaims = {}): Uint8Array {
  const file = new ByteWriter();
  file.appendUint32(MAGIC);
  for (const page of pages) writePage(file, page);
  const bytes = file.offset - 4;
  const rows = BigInt(pages.flatMap(({ levels }) => levels.filter(([repetition]) => repetition === 0)).length);
  const values = BigInt(pages.reduce((sum, { levels }) => sum + levels.length, 0));
  const size = BigInt(bytes);
  writeMetadata(file, {
    version: 1,
    schema: [
      { name: "root", num_children: 1 },
      { name: "embedding", repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "REQUIRED", type: "FLOAT" },
    ],
    num_rows: claims.rows ?? rows,
    row_groups: [
      {
        columns: [
          {
            file_offset: 4n,
            meta_data: {
              ...{ type: "FLOAT", encodings: ["PLAIN", "RLE"], path_in_schema: ["embedding", "list", "element"] },
              ...{ codec: claims.codec ?? "UNCOMPRESSED", num_values: claims.values ?? values },
              ...{ total_uncompressed_size: size, total_compressed_size: claims.bytes ?? size },
              data_page_offset: claims.offset ?? 4n,
            },
          },
        ],
        ...{ total_byte_size: size, num_rows: claims.groupRows ?? claims.rows ?? rows },
      },
    ],
    metadata_length: 0,
  });
  file.appendUint32(MAGIC);
  return file.getBytes().slice();
}

const MAGIC = 0x31524150;

/** A page of the first version: levels with their lengths in front, then the numbers. */
function writePage(file: ByteWriter, { levels, floats, repetitions, told }: TablePage): void {
  const body = new ByteWriter();
  for (const level of [0, 1] as const) {
    const given = level === 0 ? repetitions : undefined;
    const bytes = given ?? levels.flatMap((each) => [2, each[level]]);
    body.appendUint32(bytes.length);
    body.appendBytes(Uint8Array.from(bytes));
  }
  for (const value of floats) body.appendFloat32(value);
  writePageHeader(file, {
    type: "DATA_PAGE",
    uncompressed_page_size: told?.uncompressed ?? body.offset,
    compressed_page_size: told?.compressed ?? body.offset,
    data_page_header: {
      num_values: told?.values ?? levels.length,
      encoding: "PLAIN",
      definition_level_encoding: "RLE",
      repetition_level_encoding: "RLE",
    },
  });
  file.appendBytes(body.getBytes());
}
