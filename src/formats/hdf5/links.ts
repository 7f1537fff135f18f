/**
 * Links: the names in a group and the addresses of what they name. Soft and external links are left out.
 *
 * Source: HDF5 File Format Specification, III.A (trees), III.B and III.D (symbols and their heap), IV.A.2.c and g.
 */

import { damaged } from "../../core/file-error.ts";
import { readDense } from "./dense.ts";
import { type HeaderMessage, MESSAGE, messageOf } from "./object-header.ts";
import { HDF5_COST, type Reader, type Source } from "./source.ts";

/** @returns addresses by name, in the order of the file */
export function readLinks(source: Source, messages: readonly HeaderMessage[]): ReadonlyMap<string, number> {
  const links = new Map<string, number>();
  const symbols = messageOf(source, messages, MESSAGE.symbolTable, "a group");
  if (symbols !== undefined) readSymbols(source, symbols, links);
  for (const { type, at, length } of messages) {
    if (type === MESSAGE.link) readLink(source, source.range(at, length, "a link"), links);
  }
  const info = messageOf(source, messages, MESSAGE.linkInfo, "a group");
  if (info === undefined) return links;
  info.skip(1);
  if (info.u8() & 1) info.skip(8);
  const heap = info.offset();
  const tree = info.offset();
  if (heap !== undefined && tree !== undefined) {
    // A record of the tree of names: a hash, then the place in the heap.
    for (const link of readDense(source, heap, tree, { hashBytes: 4, idBytes: 7 })) readLink(source, link, links);
  }
  return links;
}

function readLink(source: Source, reader: Reader, links: Map<string, number>): void {
  const version = reader.u8();
  if (version !== 1) throw damaged(source.name, `a link of version ${version}`);
  const flags = reader.u8();
  const type = flags & 8 ? reader.u8() : 0;
  if (flags & 4) reader.skip(8);
  if (flags & 16) reader.skip(1);
  const name = decodeText(reader.take(reader.uint(1 << (flags & 3))));
  if (type !== 0) return;
  const address = reader.offset();
  if (address === undefined) return;
  source.keep(1, HDF5_COST.link + 2 * name.length, "the links of a group");
  links.set(name, address);
}

function readSymbols(source: Source, table: Reader, links: Map<string, number>): void {
  const tree = table.offset();
  const heap = table.offset();
  if (tree === undefined || heap === undefined) throw damaged(source.name, "a group without its table of names");
  const names = openNames(source, heap);
  const nodes: { readonly at: number; readonly level: number | undefined }[] = [{ at: tree, level: undefined }];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const { level, children } = readNode(source, node.at, node.level);
    // The stack turns the order around.
    for (const child of children.reverse()) {
      if (level > 0) nodes.push({ at: child, level: level - 1 });
    }
    if (level === 0) for (const child of children.reverse()) readSymbolNode(source, child, names, links);
  }
}

/** A node of a tree of groups: keys and children in turn, a key more than children. */
function readNode(
  source: Source,
  at: number,
  expected: number | undefined,
): { readonly level: number; readonly children: number[] } {
  const what = "a tree of names";
  const headBytes = 8 + 2 * source.offsetBytes;
  const head = source.range(at, headBytes, what);
  head.signature("TREE");
  const type = head.u8();
  const level = head.u8();
  const count = head.u16();
  if (type !== 0 || (expected !== undefined && level !== expected))
    throw damaged(source.name, `${what} has nodes that do not fit`);
  const entries = source.range(at + headBytes, count * (source.lengthBytes + source.offsetBytes), what);
  const children: number[] = [];
  for (let i = 0; i < count; i++) {
    entries.length();
    const child = entries.offset();
    if (child !== undefined) children.push(child);
  }
  return { level, children };
}

function readSymbolNode(source: Source, at: number, names: Names, links: Map<string, number>): void {
  const head = source.range(at, 8, "a table of names");
  head.signature("SNOD");
  head.skip(2);
  const count = head.u16();
  const entryBytes = 2 * source.offsetBytes + 24;
  const entries = source.range(at + 8, count * entryBytes, "a table of names");
  for (let i = 0; i < count; i++) {
    const name = entries.uint(source.offsetBytes);
    const address = entries.offset();
    const isSoft = entries.u32() === 2;
    entries.skip(20);
    if (address === undefined || isSoft) continue;
    const text = names(name);
    source.keep(1, HDF5_COST.link + 2 * text.length, "the links of a group");
    links.set(text, address);
  }
}

type Names = (offset: number) => string;

/** Names that end with a zero byte, one after the other. */
function openNames(source: Source, at: number): Names {
  const head = source.range(at, 8 + 2 * source.lengthBytes + source.offsetBytes, "a heap of names");
  head.signature("HEAP");
  head.skip(4);
  const byteCount = head.length();
  head.length();
  const data = head.offset();
  if (data === undefined) throw damaged(source.name, "a heap of names that is nowhere");
  const names = source.range(data, byteCount, "a heap of names").take(byteCount);
  return (offset) => {
    const end = names.indexOf(0, offset);
    if (offset >= names.length || end === -1) throw damaged(source.name, "a name that does not end");
    // Charged once more: many entries may share one long name.
    return decodeText(source.range(data + offset, end - offset, "a name").take(end - offset));
  };
}

export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
