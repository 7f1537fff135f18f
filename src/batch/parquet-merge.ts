/**
 * The parts of a run as one Parquet file. Groups of rows are taken as they lie in the parts, and what stands behind them
 * says where they are now: nothing is decoded. Loaded when such parts are joined.
 */

import type { FileMetaData } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { type ColumnChunk, damagedTable, MAGIC, openParquet } from "./parquet-file.ts";

export interface JoinedTable {
  /** In front of the first part's rows. */
  readonly header: Uint8Array;
  /** The bytes of rows in each part. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  /** Behind the last part's rows. */
  readonly trailer: Uint8Array;
}

/**
 * How the files of parts are put together.
 *
 * @throws {DepthwiseError} what `openParquet` throws; `FILE_CORRUPT` if one has other columns than the first
 */
export async function joinedTable(paths: readonly string[], signal?: AbortSignal): Promise<JoinedTable> {
  const ranges: { from: number; to: number }[] = [];
  const groups: RowGroup[] = [];
  let first: FileMetaData | undefined;
  let end = MAGIC.length;
  for (const path of paths) {
    signal?.throwIfAborted();
    const file = await openParquet(path);
    await file.close();
    const { metadata, dataEnd } = file;
    first ??= metadata;
    if (JSON.stringify(metadata.schema) !== JSON.stringify(first.schema)) {
      throw damagedTable(path, "it has other columns than the first part");
    }
    for (const group of metadata.row_groups) groups.push(moved(group, BigInt(end - MAGIC.length)));
    ranges.push({ from: MAGIC.length, to: dataEnd });
    end += dataEnd - MAGIC.length;
  }
  if (first === undefined) throw damagedTable("merge", "there are no parts");
  const trailer = new ByteWriter();
  const rows = groups.reduce((sum, { num_rows: own }) => sum + own, 0n);
  writeMetadata(trailer, { ...first, num_rows: rows, row_groups: groups });
  trailer.appendBytes(MAGIC);
  return { header: MAGIC, ranges, trailer: trailer.getBytes().slice() };
}

type RowGroup = FileMetaData["row_groups"][number];

/** The description of a group that lies further behind. */
function moved(group: RowGroup, by: bigint): RowGroup {
  const columns = group.columns.map((column) => ({
    ...{ ...column, file_offset: column.file_offset + by },
    ...(column.meta_data && { meta_data: movedChunk(column.meta_data, by) }),
  }));
  return { ...group, columns };
}

function movedChunk(chunk: ColumnChunk, by: bigint): ColumnChunk {
  const { data_page_offset: data, dictionary_page_offset: dictionary } = chunk;
  return {
    ...{ ...chunk, data_page_offset: data + by },
    ...(dictionary === undefined ? {} : { dictionary_page_offset: dictionary + by }),
  };
}
