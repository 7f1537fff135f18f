/** Rows of numbers that are read piece by piece, of whatever format. */

import { DepthwiseError } from "../core/errors.ts";

export interface MatrixFile {
  readonly shape: readonly [rows: number, features: number];
  /** Fills `into` with whole rows from one on; a file may want them in order. */
  read(row: number, into: Uint8Array): Promise<void>;
  /** What rows are called, of files that say it; of those that are asked for alone. */
  names?(rows: ReadonlySet<number>): Promise<ReadonlyMap<number, string>>;
  close(): Promise<void>;
}

/** @throws {DepthwiseError} `SHAPE_MISMATCH` unless rows have as many numbers as the query */
export function checkFeatures(what: string, features: number, wanted: number, axes = 2): void {
  if (axes === 2 && features === wanted) return;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: `nearest: ${what}`,
    expected: `rows of ${wanted} numbers, as the query has`,
    found: axes === 2 ? `rows of ${features}` : `${axes} axes`,
    advice: "Make both with the same network.",
  });
}
