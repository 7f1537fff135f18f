/** Rows of a part, and the files they go to. */

import type { Prediction } from "../classify/index.ts";
import type { DepthwiseError } from "../core/errors.ts";
import { ownPart } from "../core/own-part.ts";
import { shortestDecimal } from "../core/shortest-decimal.ts";
import type { PartFormat, Task } from "./part.ts";
import { type Staged, StagedFile } from "./staged-file.ts";

/** What became of a picture: what was asked for, or an error. */
export interface PartRow {
  readonly id: string;
  readonly predictions?: readonly Prediction[];
  readonly embedding?: Float32Array;
  readonly error?: DepthwiseError;
}

/** Takes the rows of a part, in order. */
export interface RowWriter {
  write(row: PartRow): Promise<void>;
  /** The files, whole and without names. */
  finish(): Promise<readonly Staged[]>;
  abandon(): Promise<void>;
}

export interface PartPlace {
  readonly directory: string;
  /** `part-00017-of-01000`. */
  readonly name: string;
  /** In the names of files that are not whole. */
  readonly token: string;
}

/** How many numbers an embedding has, how many rows there will be, and what is in them. */
export interface RowShape {
  readonly task: Task;
  readonly rows: number;
  readonly features: number;
}

/** Of a file that is not whole: hidden, and never taken for a part. */
export function temporaryName(file: string, token: string): string {
  return `.${file}.${token}.tmp`;
}

export async function openRows(format: PartFormat, place: PartPlace, shape: RowShape): Promise<RowWriter> {
  const open = (ending: string) => {
    const file = `${place.name}${ending}`;
    return StagedFile.open(place.directory, file, temporaryName(file, place.token));
  };
  if (format === "parquet") return openParquetRows(shape.task, () => open(".parquet"));
  const lines = await open(".jsonl");
  if (format === "jsonl") {
    return {
      write: (row) => lines.write(lineOf(row, true)),
      finish: async () => [await lines.finish()],
      abandon: () => lines.abandon(),
    };
  }
  let numbers: StagedFile;
  try {
    numbers = await open(".npy");
  } catch (error) {
    await lines.abandon();
    throw error;
  }
  await numbers.write(npyHeader([shape.rows, shape.features]));
  return {
    async write(row) {
      await lines.write(lineOf(row, false));
      await numbers.write(littleEndian(row.embedding ?? new Float32Array(shape.features).fill(Number.NaN)));
    },
    finish: async () => [await lines.finish(), await numbers.finish()],
    async abandon() {
      await lines.abandon();
      await numbers.abandon();
    },
  };
}

async function openParquetRows(task: Task, open: () => Promise<StagedFile>): Promise<RowWriter> {
  const { parquetRows } = await ownPart("what writes tables of runs", () => import("./parquet-writer.ts"));
  const file = await open();
  const rows = parquetRows(task, (bytes) => file.write(bytes));
  return {
    write: (row) => rows.write(row),
    async finish() {
      await rows.finish();
      return [await file.finish()];
    },
    abandon: () => file.abandon(),
  };
}

const encoder = /* @__PURE__ */ new TextEncoder();

/** A JSON line; numbers are the shortest decimals that are the same float32. */
function lineOf({ id, predictions, embedding, error }: PartRow, withEmbedding: boolean): Uint8Array {
  const numbers = withEmbedding && embedding !== undefined ? Array.from(embedding, shortestDecimal) : undefined;
  const row = {
    id,
    ...(predictions && {
      predictions: predictions.map(({ index, label, probability }) => ({
        ...{ index, label, probability: shortestDecimal(probability) },
      })),
    }),
    ...(numbers && { embedding: numbers }),
    ...(error && { error: { code: error.code, message: error.message } }),
  };
  return encoder.encode(`${JSON.stringify(row)}\n`);
}

/** Bytes before the numbers: the magic, the version, a length, and a text that is filled up. A shape always fits. */
export const npyHeaderBytes = 128;

/** The beginning of a .npy file of float32, version 1.0 of NumPy's format. */
export function npyHeader(shape: readonly [number, number]): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const start = [0x93, ...encoder.encode("NUMPY"), 1, 0];
  const length = npyHeaderBytes - start.length - 2;
  const header = new Uint8Array(npyHeaderBytes);
  header.set([...start, length & 255, length >> 8]);
  header.set(encoder.encode(`${text.padEnd(length - 1)}\n`), start.length + 2);
  return header;
}

/** Its own bytes: what is written waits, and the numbers are the network's. */
function littleEndian(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.slice().buffer);
}
