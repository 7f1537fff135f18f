/**
 * Dense storage, where newer files keep the links of large groups and many attributes: a version 2 tree of records,
 * each of which names a place in a fractal heap.
 *
 * Source: HDF5 File Format Specification, III.A.2 (version 2 trees) and III.G (fractal heaps).
 */

import { damaged } from "../../core/file-error.ts";
import { type Reader, type Source, unsupported } from "./source.ts";

/** How a record is laid out: bytes before the place in the heap, and bytes of that place. */
interface RecordLayout {
  readonly hashBytes: number;
  readonly idBytes: number;
}

/** The objects that the tree's records name, in the order of the tree, one at a time: there may be very many. */
export function* readDense(source: Source, heapAt: number, treeAt: number, layout: RecordLayout): Generator<Reader> {
  const heap = openHeap(source, heapAt);
  for (const id of readRecords(source, treeAt, layout)) yield heap(id);
}

interface Node {
  readonly at: number;
  readonly level: number;
  readonly count: number;
}

function* readRecords(source: Source, at: number, { hashBytes, idBytes }: RecordLayout): Generator<Reader> {
  const what = "a tree of records";
  const head = source.range(at, 18 + source.offsetBytes + source.lengthBytes, what);
  head.signature("BTHD");
  head.skip(2);
  const nodeBytes = head.u32();
  const recordBytes = head.u16();
  const depth = head.u16();
  head.skip(2);
  const root = head.offset();
  const rootCount = head.u16();
  if (root === undefined) return;
  if (recordBytes < hashBytes + idBytes || depth > MAX_DEPTH)
    throw damaged(source.name, `${what} of records that do not fit`);
  const childBytes = childSizes(source, nodeBytes, recordBytes, depth);

  const nodes: Node[] = [{ at: root, level: depth, count: rootCount }];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const { count, level } = node;
    const child = childBytes[level] ?? { countBytes: 0, totalBytes: 0 };
    const childrenBytes = level === 0 ? 0 : (count + 1) * (source.offsetBytes + child.countBytes + child.totalBytes);
    const reader = source.range(node.at, 6 + count * recordBytes + childrenBytes, what);
    reader.signature(level === 0 ? "BTLF" : "BTIN");
    reader.skip(2);
    for (let i = 0; i < count; i++) {
      yield source.range(reader.at + hashBytes, idBytes, what);
      reader.skip(recordBytes);
    }
    for (let i = 0; level > 0 && i <= count; i++) {
      const next = reader.offset();
      const nextCount = reader.uint(child.countBytes);
      reader.skip(child.totalBytes);
      if (next !== undefined) nodes.push({ at: next, level: level - 1, count: nextCount });
    }
  }
}

/** A tree of this depth would hold more records than there are bytes in memory. */
const MAX_DEPTH = 16;

/** How many bytes the counts beside a child's address take, by the level of the node they stand in. */
function childSizes(
  source: Source,
  nodeBytes: number,
  recordBytes: number,
  depth: number,
): readonly { countBytes: number; totalBytes: number }[] {
  const leaf = Math.floor((nodeBytes - 10) / recordBytes);
  const countBytes = bytesFor(leaf);
  const sizes = [{ countBytes: 0, totalBytes: 0 }];
  let total = leaf;
  for (let level = 1; level <= depth; level++) {
    const totalBytes = level > 1 ? bytesFor(total) : 0;
    sizes.push({ countBytes, totalBytes });
    const pointerBytes = source.offsetBytes + countBytes + totalBytes;
    const most = Math.floor((nodeBytes - 10 - pointerBytes) / (recordBytes + pointerBytes));
    total = (most + 1) * total + most;
  }
  return sizes;
}

/** Bytes that hold every number up to `most`. */
function bytesFor(most: number): number {
  return most >= 1 ? Math.min(8, Math.floor(Math.log2(most) / 8) + 1) : 1;
}

/** Opens a fractal heap; the result finds an object by its id. */
function openHeap(source: Source, at: number): (id: Reader) => Reader {
  const what = "a heap of records";
  const head = source.range(at, 22 + 12 * source.lengthBytes + 3 * source.offsetBytes, what);
  head.signature("FRHP");
  head.skip(3);
  if (head.u16() > 0) throw unsupported(source.name, `${what} that is compressed`);
  head.skip(1);
  const maxObjectBytes = head.u32();
  head.skip(source.lengthBytes + source.offsetBytes);
  head.skip(source.lengthBytes + source.offsetBytes);
  head.skip(8 * source.lengthBytes);
  const width = head.u16();
  const startBytes = head.length();
  const maxDirectBytes = head.length();
  const offsetBits = head.u16();
  head.skip(2);
  const root = head.offset();
  const rows = head.u16();
  const isPowers = [width, startBytes, maxDirectBytes].every(
    (value) => value >= 1 && Number.isInteger(Math.log2(value)),
  );
  if (root === undefined || !isPowers || offsetBits > 64) throw damaged(source.name, `${what} of impossible sizes`);

  const table: Table = { root, rows, width, startBytes, maxDirectBytes, offsetBytes: Math.ceil(offsetBits / 8) };
  const lengthBytes = Math.min(Math.ceil(Math.log2(maxDirectBytes) / 8), bytesFor(maxObjectBytes));
  return (id) => {
    const kind = (id.u8() >> 4) & 3;
    if (kind !== 0) throw unsupported(source.name, `${what} with an object too large for it`);
    const place = id.uint(table.offsetBytes);
    const length = id.uint(lengthBytes);
    return source.range(findInHeap(source, table, place), length, what);
  };
}

interface Table {
  readonly root: number;
  readonly rows: number;
  readonly width: number;
  readonly startBytes: number;
  readonly maxDirectBytes: number;
  readonly offsetBytes: number;
}

/**
 * Where byte `place` of the heap's own space lies in the file. Blocks stand in rows of `width`; those of rows 0 and 1
 * hold `startBytes`, those of each further row twice as many; above `maxDirectBytes` a block is a table of blocks.
 */
function findInHeap(
  source: Source,
  { root, rows, width, startBytes, maxDirectBytes, offsetBytes }: Table,
  place: number,
): number {
  let address = root;
  let left = place;
  if (rows === 0) return address + left;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const row = left < startBytes * width ? 0 : Math.floor(Math.log2(left / (startBytes * width))) + 1;
    const blockBytes = startBytes * 2 ** Math.max(0, row - 1);
    left -= row === 0 ? 0 : startBytes * width * 2 ** (row - 1);
    const column = Math.floor(left / blockBytes);
    left -= column * blockBytes;
    const entry = address + 5 + source.offsetBytes + offsetBytes + (row * width + column) * source.offsetBytes;
    source.range(address, 4, "a heap of records").signature("FHIB");
    const next = source.range(entry, source.offsetBytes, "a heap of records").offset();
    if (next === undefined) break;
    address = next;
    if (blockBytes <= maxDirectBytes) return address + left;
  }
  throw damaged(source.name, "a heap of records without the block that is asked for");
}
