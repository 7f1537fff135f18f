/** Files of embeddings: one, or those of a directory of parts, and what their rows are called. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { linesFrom } from "./lines.ts";
import type { MatrixFile } from "./matrix.ts";
import { openNpy } from "./npy.ts";
import { sourceFault } from "./source-fault.ts";
import { batchStatus } from "./status.ts";

export interface ListedMatrix {
  readonly path: string;
  /** Beside a matrix without names, in a directory of parts. */
  readonly lines?: string;
}

/** The files of a directory of parts, in order, or the file itself. */
export async function matrixFiles(path: string, signal: AbortSignal | undefined): Promise<readonly ListedMatrix[]> {
  const { join } = process.getBuiltinModule("node:path");
  const stats = await process
    .getBuiltinModule("node:fs/promises")
    .stat(path)
    .catch((cause: unknown) => {
      const advice =
        "Pass a .npy or .parquet file, or a directory that `depthwise batch` wrote in one of these formats.";
      throw sourceFault(path, "the file of embeddings", advice, cause);
    });
  if (!stats.isDirectory()) return [{ path }];
  const { parts, missing, damaged, run } = await batchStatus(path, signal);
  const { format, task } = run.options;
  if (format === "jsonl" || task === "labels") {
    const found = task === "labels" ? `labels as ${format}` : format;
    const advice = "Run it with --task embeddings and --format npy or parquet.";
    throw optionError("nearest", "embeddings", "parts of embeddings, of format npy or parquet", found, advice);
  }
  if (missing.length + damaged.length > 0) {
    throw new DepthwiseError("FILE_NOT_FOUND", {
      what: `${path}: ${missing.length} of ${run.shards} parts are missing, ${damaged.length} damaged`,
      advice: "Run those shards first.",
      fields: { missing, damaged },
    });
  }
  return parts.map(({ output }) => {
    const named = (ending: string) => join(path, output.find(({ file }) => file.endsWith(ending))?.file ?? "");
    return format === "npy" ? { path: named(".npy"), lines: named(".jsonl") } : { path: named(".parquet") };
  });
}

const PARQUET = /* @__PURE__ */ new TextEncoder().encode("PAR1");

/** Opens a file by what it begins with. */
export async function openMatrix(path: string, features: number, signal: AbortSignal | undefined): Promise<MatrixFile> {
  const start = new Uint8Array(PARQUET.length);
  const file = await process.getBuiltinModule("node:fs/promises").open(path, "r");
  try {
    await file.read(start, 0, start.length, 0);
  } finally {
    await file.close();
  }
  if (PARQUET.some((byte, place) => start[place] !== byte)) return openNpy(path);
  const { openParquetMatrix } = await ownPart("what reads tables of runs", () => import("./parquet-matrix.ts"));
  return openParquetMatrix(path, features, signal);
}

/**
 * What rows are called, by their numbers over all files.
 *
 * @param counts rows of each file
 */
export async function namesOfRows(
  files: readonly ListedMatrix[],
  counts: readonly number[],
  rows: ReadonlySet<number>,
  features: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  let first = 0;
  for (const [place, file] of files.entries()) {
    const count = counts[place] ?? 0;
    const wanted = new Set([...rows].map((row) => row - first).filter((row) => row >= 0 && row < count));
    if (wanted.size > 0) {
      const found = await namesIn(file, wanted, features, signal);
      for (const [row, name] of found) names.set(first + row, name);
    }
    first += count;
  }
  return names;
}

async function namesIn(
  { path, lines }: ListedMatrix,
  wanted: ReadonlySet<number>,
  features: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, string>> {
  if (lines === undefined) {
    const file = await openMatrix(path, features, signal);
    try {
      return (await file.names?.(wanted)) ?? new Map();
    } finally {
      await file.close();
    }
  }
  const names = new Map<number, string>();
  let row = 0;
  // A row may be longer than a line of a list: what an error says is in it.
  for await (const line of linesFrom(lines, 0, signal, Infinity)) {
    if (wanted.has(row)) names.set(row, String(JSON.parse(new TextDecoder().decode(line)).id));
    row++;
  }
  return names;
}
