/** Pictures that look alike to a network: exact cosines of embeddings, of which a piece is held at a time. */

import { optionError, positiveInteger, signalOption } from "../core/options.ts";
import { isFloat32Array } from "../core/realms.ts";
import { asFloat, type FloatTensor } from "../core/tensor.ts";
import { probeFeatures } from "../kernels/wasm/features.ts";
import { makeSimilarities, SIMILARITY_BYTES } from "../kernels/wasm/similarity.ts";
import { checkFeatures, type MatrixFile } from "./matrix.ts";
import { matrixFiles, namesOfRows, openMatrix } from "./matrix-files.ts";

export interface Neighbour {
  /** The row: of a directory of parts that of the picture in the whole list. */
  readonly index: number;
  /** What the picture is called, where the rows have names: in a directory of parts, and in a table with a column `id`. */
  readonly id?: string;
  /** The cosine, −1 to 1. */
  readonly similarity: number;
}

/** Bytes of rows that are held and multiplied at once: they stay in a second-level cache. */
const PIECE = 1 << 19;

/**
 * The rows whose direction is nearest to a query's, best first; exact, by looking at each. Rows without a direction (zeros,
 * or NaN of a picture that could not be read) are none of them.
 *
 * It finds pictures that look alike to the network that made the embeddings; it understands nothing.
 *
 * @param embeddings `[rows, features]`; or a `.npy` file of float32, a `.parquet` file with a column `embedding` of lists
 *                   of float32, or a directory of parts of either, which are read piece by piece
 * @param query      `features` numbers
 * @param k          how many, at least 1
 * @throws {DepthwiseError} `OPTION_INVALID`, `SHAPE_MISMATCH` if the query has another number of features; `FILE_NOT_FOUND`
 *         (also for a run with parts missing), `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`, `FORMAT_UNKNOWN`;
 *         `signal.reason`
 */
export async function nearest(
  embeddings: FloatTensor | string,
  query: Float32Array,
  k: number,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly Neighbour[]> {
  const signal = signalOption("nearest", options.signal);
  const count = positiveInteger("nearest", "k", k);
  if (!isFloat32Array(query)) throw optionError("nearest", "query", "a Float32Array", query);
  signal?.throwIfAborted();
  const found = new Best(count);
  const rows = makeRows(query);
  if (typeof embeddings !== "string") {
    const { data, shape } = asFloat(embeddings, "nearest: embeddings");
    const [total = 0, features = 0] = shape;
    checkFeatures("embeddings", features, query.length, shape.length);
    for (let from = 0; from < total; from += rows.most) {
      signal?.throwIfAborted();
      const piece = Math.min(rows.most, total - from);
      rows.bytes(piece).set(bytesOfFloats(data.subarray(from * features, (from + piece) * features)));
      rows.rank(piece, from, found);
    }
    return found.all;
  }
  const files = await matrixFiles(embeddings, signal);
  let first = 0;
  const counts: number[] = [];
  for (const { path } of files) {
    const file = await openMatrix(path, query.length, signal);
    try {
      checkFeatures(path, file.shape[1], query.length);
      await rankFile(file, first, rows, found, signal);
      counts.push(file.shape[0]);
      first += file.shape[0];
    } finally {
      await file.close();
    }
  }
  const wanted = new Set(found.all.map(({ index }) => index));
  const names = await namesOfRows(files, counts, wanted, query.length, signal);
  return found.all.map(({ index, similarity }) => {
    const id = names.get(index);
    return id === undefined ? { index, similarity } : { index, id, similarity };
  });
}

async function rankFile(
  file: MatrixFile,
  first: number,
  rows: ReturnType<typeof makeRows>,
  found: Best,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [total] = file.shape;
  for (let from = 0; from < total; from += rows.most) {
    signal?.throwIfAborted();
    const piece = Math.min(rows.most, total - from);
    await file.read(from, rows.bytes(piece));
    rows.rank(piece, first + from, found);
  }
}

function bytesOfFloats(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Squares of numbers of which the sum is smaller may be less than float32 holds. */
const LEAST_SQUARE = 2 ** -80;

/** Of the same direction, by a power of two, which changes no digit; its length is 1 to 2, where it has one. */
function middling(query: Float32Array): readonly [Float32Array, number] {
  const norm = Math.sqrt(query.reduce((sum, value) => sum + value * value, 0));
  if (!(norm > 0 && norm < Infinity)) return [query, norm];
  const scale = 2 ** -Math.floor(Math.log2(norm));
  return [query.map((value) => value * scale), norm * scale];
}

/** A place for a piece of rows, and what ranks them: by WebAssembly, where it runs. */
function makeRows(query: Float32Array) {
  const features = query.length;
  const [scaled, norm] = middling(query);
  const most = Math.max(1, Math.floor(PIECE / Math.max(4, 4 * features)));
  const [rowsAt, queryAt] = [0, 4 * most * features];
  const outAt = 16 * Math.ceil((queryAt + 4 * features) / 16);
  const isFast = probeFeatures().wasm && probeFeatures().simd;
  const made = isFast ? makeSimilarities(outAt + SIMILARITY_BYTES * most) : undefined;
  const buffer = made?.memory.buffer ?? new ArrayBuffer(outAt + SIMILARITY_BYTES * most);
  const held = new Float32Array(buffer);
  held.set(scaled, queryAt / 4);
  /** Of one row, in doubles, which hold the square of any float32. */
  const sums = (row: number): readonly [dot: number, square: number] => {
    let [dot, square] = [0, 0];
    for (let i = 0; i < features; i++) {
      const value = held[row * features + i] as number;
      dot += value * (scaled[i] as number);
      square += value * value;
    }
    return [dot, square];
  };
  const cosine = (dot: number, square: number) => dot / (norm * Math.sqrt(square));
  /** Where there is no WebAssembly. */
  const summed = (count: number): void => {
    for (let row = 0; row < count; row++) {
      const [dot, square] = sums(row);
      held.set([dot, 0, 0, 0, square, 0, 0, 0], outAt / 4 + 8 * row);
    }
  };
  return {
    most,
    bytes: (count: number) => new Uint8Array(buffer, rowsAt, 4 * count * features),
    rank(count: number, first: number, found: Best): void {
      if (made === undefined) summed(count);
      else made.similarities(rowsAt, queryAt, outAt, count, features);
      for (let row = 0; row < count; row++) {
        const at = outAt / 4 + 8 * row;
        const four = (from: number) =>
          (held[from] as number) + (held[from + 1] as number) + (held[from + 2] as number) + (held[from + 3] as number);
        const square = four(at + 4);
        const isExact = Number.isNaN(square) || (square >= LEAST_SQUARE && square < Infinity);
        const similarity = isExact ? cosine(four(at), square) : cosine(...sums(row));
        if (!Number.isNaN(similarity)) found.add(first + row, similarity);
      }
    },
  };
}

/** The largest so far; of equal ones the smaller index first. */
class Best {
  readonly #most: number;
  readonly #all: Neighbour[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(index: number, similarity: number): void {
    const all = this.#all;
    if (all.length === this.#most && !(similarity > (all[all.length - 1] as Neighbour).similarity)) return;
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (similarity > (all[middle] as Neighbour).similarity) high = middle;
      else low = middle + 1;
    }
    all.splice(low, 0, { index, similarity: Math.max(-1, Math.min(1, similarity)) });
    if (all.length > this.#most) all.pop();
  }

  get all(): readonly Neighbour[] {
    return this.#all;
  }
}
