/** Chunks put together. They lie on a grid over the array; those at the far edges reach beyond it. */

import { damaged } from "../../core/file-error.ts";
import { elementCount, type Shape } from "../../core/tensor.ts";
import { type Filters, loadUndo } from "./filters.ts";
import type { Source } from "./source.ts";

export interface Chunk {
  readonly at: number;
  readonly storedBytes: number;
  /** Bit i: filter i was not applied to this chunk. */
  readonly skippedFilters: number;
  /** Index of its first element. */
  readonly origin: readonly number[];
  readonly sides: Shape;
}

interface Chunked {
  readonly chunks: readonly Chunk[];
  readonly filters: Filters;
  readonly shape: Shape;
  readonly elementBytes: number;
  readonly isBigEndian: boolean;
  /** For messages. */
  readonly what: string;
}

/** Deflate makes a byte of at most this many. */
const MAX_RATIO = 1032;

/** @returns the elements, little-endian */
export async function unpackChunks(
  source: Source,
  { chunks, filters, shape, elementBytes, isBigEndian, what }: Chunked,
): Promise<Uint8Array> {
  const byteCount = elementCount(shape) * elementBytes;
  if (byteCount === 0) return new Uint8Array(0);
  const [{ sides } = { sides: [] }] = chunks;
  const chunkBytes = elementCount(sides) * elementBytes;
  const grid = shape.map((side, axis) => Math.ceil(side / (sides[axis] ?? 0)));
  if (chunks.length === 0 || elementCount(grid) !== chunks.length) {
    throw damaged(source.name, `${what} has ${chunks.length} chunks, which do not cover it once`);
  }
  // Everything is measured before anything is allocated: the chunks' own bytes must be able to hold so much.
  const stored = chunks.reduce((sum, chunk) => sum + chunk.storedBytes, 0);
  const most = filters.includes("deflate") ? stored * MAX_RATIO : stored;
  if (!(chunkBytes * chunks.length <= most) || stored > source.bytes.length) {
    throw damaged(source.name, `${what} claims more than its ${stored} stored bytes can hold`);
  }
  source.unpack(byteCount + chunkBytes, what);
  const undo = await loadUndo(source, filters, what);
  const result = new Uint8Array(byteCount);
  const seen = new Uint8Array(chunks.length);
  for (const chunk of chunks) {
    const isOnGrid = chunk.origin.every(
      (start, axis) => start % (sides[axis] ?? 1) === 0 && start < (shape[axis] ?? 0),
    );
    const number = chunk.origin.reduce((sum, start, axis) => sum * (grid[axis] ?? 1) + start / (sides[axis] ?? 1), 0);
    if (!isOnGrid || seen[number] === 1) throw damaged(source.name, `${what}: chunks that do not cover it once`);
    seen[number] = 1;
    let bytes = source.range(chunk.at, chunk.storedBytes, what).take(chunk.storedBytes);
    for (let i = filters.length - 1; i >= 0; i--) {
      const filter = filters[i];
      if (filter !== undefined && ((chunk.skippedFilters >> i) & 1) === 0)
        bytes = undo[filter](bytes, chunkBytes, elementBytes);
    }
    if (bytes.length !== chunkBytes)
      throw damaged(source.name, `${what}: a chunk of ${bytes.length} bytes instead of ${chunkBytes}`);
    place(result, bytes, chunk, shape, elementBytes);
  }
  return isBigEndian ? swapped(result, elementBytes) : result;
}

/** Copies the rows of a chunk that lie inside the array. */
function place(
  result: Uint8Array,
  bytes: Uint8Array,
  { origin, sides }: Chunk,
  shape: Shape,
  elementBytes: number,
): void {
  const rank = shape.length;
  const inside = sides.map((side, axis) => Math.min(side, (shape[axis] ?? 0) - (origin[axis] ?? 0)));
  const rowBytes = (inside[rank - 1] ?? 1) * elementBytes;
  const index = inside.map(() => 0);
  const rows = elementCount(inside.slice(0, -1));
  for (let row = 0; row < rows; row++) {
    let from = 0;
    let to = 0;
    for (let axis = 0; axis < rank; axis++) {
      from = from * (sides[axis] ?? 1) + (index[axis] ?? 0);
      to = to * (shape[axis] ?? 1) + (origin[axis] ?? 0) + (index[axis] ?? 0);
    }
    result.set(bytes.subarray(from * elementBytes, from * elementBytes + rowBytes), to * elementBytes);
    for (let axis = rank - 2; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (inside[axis] ?? 1)) break;
      index[axis] = 0;
    }
  }
}

/** The bytes of each element in the opposite order. */
export function swapped(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += elementBytes) {
    for (let j = 0; j < elementBytes; j++) result[i + j] = bytes[i + elementBytes - 1 - j] ?? 0;
  }
  return result;
}
