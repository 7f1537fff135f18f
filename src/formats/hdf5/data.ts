/**
 * The elements of a data set: in one piece, inside the header, or in chunks that may be compressed.
 *
 * Source: HDF5 File Format Specification, III.A.1 (trees of chunks), IV.A.2.i (layout) and IV.A.2.l (filters).
 */

import { damaged } from "../../core/file-error.ts";
import { elementCount, type Shape, shapeText } from "../../core/tensor.ts";
import { DTYPE_BYTES, type StoredDType } from "../stored-tensor.ts";
import { type Chunk, swapped, unpackChunks } from "./chunks.ts";
import { readDataSpace, readDataType } from "./datatype.ts";
import { readFilters } from "./filters.ts";
import { type HeaderMessage, MESSAGE, messageOf } from "./object-header.ts";
import { HDF5_COST, MOST_PARTS, type Reader, type Source, unsupported } from "./source.ts";

export interface DataSet {
  readonly dtype: StoredDType;
  readonly shape: Shape;
  readonly isBigEndian: boolean;
}

/** What a data set is, or `undefined` if its elements are no numbers. */
export function readDataSet(source: Source, messages: readonly HeaderMessage[]): DataSet | undefined {
  const space = messageOf(source, messages, MESSAGE.dataspace, "the shape of a data set");
  const typeMessage = messageOf(source, messages, MESSAGE.datatype, "the type of a data set");
  if (space === undefined || typeMessage === undefined)
    throw damaged(source.name, "a data set without a shape or type");
  const shape = readDataSpace(source, space);
  const type = readDataType(typeMessage);
  return type.type === "number" ? { dtype: type.dtype, shape, isBigEndian: type.isBigEndian } : undefined;
}

/**
 * The bytes of a data set, little-endian: a view of the file where they stand there so, otherwise a copy.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`, `FORMAT_UNKNOWN` for a layout or
 *         filter that is not read
 */
export async function readElements(
  source: Source,
  messages: readonly HeaderMessage[],
  set: DataSet,
  what: string,
): Promise<Uint8Array> {
  const elementBytes = DTYPE_BYTES[set.dtype];
  const byteCount = elementCount(set.shape) * elementBytes;
  const layout = messageOf(source, messages, MESSAGE.layout, `${what}: the layout`);
  if (layout === undefined) throw damaged(source.name, `${what} has no layout`);
  const version = layout.u8();
  if (version < 3 || version > 5) throw unsupported(source.name, `${what}: a layout of version ${version}`);
  const kind = layout.u8();
  let bytes: Uint8Array;
  if (kind === 0) {
    const stored = layout.u16();
    if (stored !== byteCount)
      throw damaged(source.name, `${what}: ${stored} bytes for ${shapeText(set.shape)} of ${set.dtype}`);
    bytes = layout.take(stored);
  } else if (kind === 1) {
    bytes = contiguous(source, layout, byteCount, what);
  } else if (kind === 2) {
    const filters = readFilters(source, messages, what);
    const chunks =
      version === 3
        ? treeChunks(source, layout, set, what)
        : singleChunk(source, layout, set, filters.length > 0, what);
    return unpackChunks(source, {
      chunks,
      filters,
      shape: set.shape,
      elementBytes,
      isBigEndian: set.isBigEndian,
      what,
    });
  } else {
    throw unsupported(source.name, `${what}: a layout of kind ${kind}`);
  }
  if (!set.isBigEndian || elementBytes === 1) return bytes;
  source.unpack(bytes.length, what);
  return swapped(bytes, elementBytes);
}

function contiguous(source: Source, layout: Reader, byteCount: number, what: string): Uint8Array {
  const at = layout.offset();
  const stored = layout.length();
  if (byteCount === 0) return new Uint8Array(0);
  if (at === undefined) throw damaged(source.name, `${what} was never written`);
  if (stored < byteCount) throw damaged(source.name, `${what} needs ${byteCount} bytes and has ${stored}`);
  return source.range(at, byteCount, what).take(byteCount);
}

/** Chunks that a version 1 tree lists. The last of the sides is the size of an element. */
function treeChunks(source: Source, layout: Reader, { shape }: DataSet, what: string): readonly Chunk[] {
  const rank = layout.u8() - 1;
  const tree = layout.offset();
  if (rank !== shape.length) throw damaged(source.name, `${what}: chunks of ${rank} sides for ${shapeText(shape)}`);
  const sides = Array.from({ length: rank }, () => layout.u32());
  if (tree === undefined) return [];
  const chunks: Chunk[] = [];
  const keyBytes = 8 + 8 * (rank + 1);
  const nodes: { readonly at: number; readonly level: number | undefined }[] = [{ at: tree, level: undefined }];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const headBytes = 8 + 2 * source.offsetBytes;
    const head = source.range(node.at, headBytes, what);
    head.signature("TREE");
    const type = head.u8();
    const level = head.u8();
    const count = head.u16();
    if (type !== 1 || (node.level !== undefined && level !== node.level))
      throw damaged(source.name, `${what}: a tree of chunks that does not fit`);
    const entries = source.range(node.at + headBytes, count * (keyBytes + source.offsetBytes), what);
    source.keep(count, HDF5_COST.chunk, what);
    for (let i = 0; i < count; i++) {
      const storedBytes = entries.u32();
      const skippedFilters = entries.u32();
      const origin = Array.from({ length: rank }, () => entries.uint(8));
      entries.skip(8);
      const at = entries.offset();
      if (at === undefined) continue;
      if (chunks.length >= MOST_PARTS) throw unsupported(source.name, `${what} in more than ${MOST_PARTS} chunks`);
      if (level > 0) nodes.push({ at, level: level - 1 });
      else chunks.push({ at, storedBytes, skippedFilters, origin, sides });
    }
  }
  return chunks;
}

/** Newer files: one chunk alone has no tree. Trees of many chunks are of another kind there, which is not read. */
function singleChunk(
  source: Source,
  layout: Reader,
  { shape, dtype }: DataSet,
  isFiltered: boolean,
  what: string,
): readonly Chunk[] {
  const flags = layout.u8();
  const rank = layout.u8() - 1;
  const sideBytes = layout.u8();
  if (rank !== shape.length) throw damaged(source.name, `${what}: chunks of ${rank} sides for ${shapeText(shape)}`);
  const sides = Array.from({ length: rank }, () => layout.uint(sideBytes));
  layout.skip(sideBytes);
  if (layout.u8() !== 1) throw unsupported(source.name, `${what}: chunks in the newer kinds of index`);
  const hasSize = isFiltered && (flags & 2) !== 0;
  const storedBytes = hasSize ? layout.length() : elementCount(sides) * DTYPE_BYTES[dtype];
  const skippedFilters = hasSize ? layout.u32() : 0;
  const at = layout.offset();
  return at === undefined ? [] : [{ at, storedBytes, skippedFilters, origin: shape.map(() => 0), sides }];
}
