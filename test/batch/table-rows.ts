/** Tables as they are written and read, without a run. */

import type { MatrixFile } from "../../src/batch/matrix.ts";
import { parquetRows } from "../../src/batch/parquet-writer.ts";
import type { PartRow } from "../../src/batch/rows.ts";

/** The pieces in which a table is written. */
export async function written(rows: readonly PartRow[]): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  const table = parquetRows("both", async (bytes) => void pieces.push(bytes));
  for (const row of rows) await table.write(row);
  await table.finish();
  return pieces;
}

/** As they are read by blocks of a length, which need not be that of groups and pages. */
export async function readAll(file: MatrixFile, block: number): Promise<readonly number[][]> {
  const found: number[][] = [];
  const [total, features] = file.shape;
  for (let row = 0; row < total; row += block) {
    const into = new Float32Array(Math.min(block, total - row) * features);
    await file.read(row, new Uint8Array(into.buffer));
    for (let at = 0; at < into.length; at += features) found.push([...into.subarray(at, at + features)]);
  }
  return found;
}
