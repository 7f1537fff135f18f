/**
 * Attributes: small values beside a group or data set. Only texts are read, alone or in a list; Keras needs no others.
 *
 * Source: HDF5 File Format Specification, III.E (global heaps) and IV.A.2.m (attributes).
 */

import { damaged, quoted } from "../../core/file-error.ts";
import { elementCount } from "../../core/tensor.ts";
import { type DataType, readDataSpace, readDataType } from "./datatype.ts";
import { readDense } from "./dense.ts";
import { decodeText } from "./links.ts";
import { type HeaderMessage, MESSAGE, messageOf } from "./object-header.ts";
import { HDF5_COST, type HeapPlace, MOST_PARTS, type Reader, type Source } from "./source.ts";

/** Texts by name; a value that is a single text is a list of one. */
export function readAttributes(
  source: Source,
  messages: readonly HeaderMessage[],
): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, readonly string[]>();
  for (const { type, isShared, at, length } of messages) {
    if (type === MESSAGE.attribute && !isShared)
      readAttribute(source, source.range(at, length, "an attribute"), attributes);
  }
  const info = messageOf(source, messages, MESSAGE.attributeInfo, "attributes");
  if (info === undefined) return attributes;
  info.skip(1);
  if (info.u8() & 1) info.skip(2);
  const heap = info.offset();
  const tree = info.offset();
  if (heap !== undefined && tree !== undefined) {
    for (const reader of readDense(source, heap, tree, { hashBytes: 0, idBytes: 8 }))
      readAttribute(source, reader, attributes);
  }
  return attributes;
}

function readAttribute(source: Source, reader: Reader, attributes: Map<string, readonly string[]>): void {
  const version = reader.u8();
  if (version < 1 || version > 3) throw damaged(source.name, `an attribute of version ${version}`);
  const isTypeShared = (reader.u8() & 1) !== 0 && version > 1;
  const [nameBytes, typeBytes, spaceBytes] = [reader.u16(), reader.u16(), reader.u16()];
  if (version === 3) reader.skip(1);
  /** The parts of version 1 are filled up to multiples of eight bytes. */
  const part = (byteCount: number) => {
    const inner = source.range(reader.at, byteCount, "an attribute");
    reader.skip(byteCount);
    if (version === 1) reader.skip(Math.min(reader.left, (8 - (byteCount % 8)) % 8));
    return inner;
  };
  const name = textBeforeZero(part(nameBytes).take(nameBytes));
  const typeReader = part(typeBytes);
  const type: DataType = isTypeShared ? { type: "other", byteCount: 0 } : readDataType(typeReader);
  const count = elementCount(readDataSpace(source, part(spaceBytes)));
  if (type.type !== "text" && type.type !== "far text") return;
  if (type.byteCount === 0 || count > MOST_PARTS || count * type.byteCount > reader.left) {
    throw damaged(source.name, `attribute ${quoted(name)} claims ${count} texts, more than it has room for`);
  }
  source.keep(count, HDF5_COST.text + 2 * (type.type === "text" ? type.byteCount : 0), `attribute ${quoted(name)}`);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    texts.push(
      type.type === "text" ? textBeforeZero(reader.take(type.byteCount)) : farText(source, reader, type.byteCount),
    );
  }
  attributes.set(name, texts);
}

function farText(source: Source, reader: Reader, byteCount: number): string {
  const element = source.range(reader.at, byteCount, "a text");
  reader.skip(byteCount);
  const length = element.u32();
  const heap = element.offset();
  const index = element.u32();
  if (heap === undefined || heap === 0 || length === 0) return "";
  return textBeforeZero(heapObject(source, heap, index, length));
}

/** An object of a global heap: objects of varying length stand one after the other, each with its number. */
function heapObject(source: Source, at: number, index: number, length: number): Uint8Array {
  let places = source.heaps.get(at);
  if (places === undefined) {
    places = heapPlaces(source, at);
    source.heaps.set(at, places);
  }
  const place = places.get(index);
  if (place === undefined) throw damaged(source.name, `${HEAP} without the text that is asked for`);
  if (length > place.length)
    throw damaged(source.name, `${HEAP}: a text of ${length} bytes in a place of ${place.length}`);
  source.keep(length, 2, HEAP);
  return source.range(place.at, length, HEAP).take(length);
}

const HEAP = "a heap of texts";

function heapPlaces(source: Source, start: number): ReadonlyMap<number, HeapPlace> {
  const headBytes = 8 + source.lengthBytes;
  const head = source.range(start, headBytes, HEAP);
  head.signature("GCOL");
  head.skip(4);
  const end = start + head.length();
  const places = new Map<number, HeapPlace>();
  for (let at = start + headBytes; at + headBytes <= end; ) {
    const object = source.range(at, headBytes, HEAP);
    const index = object.u16();
    object.skip(6);
    const length = object.length();
    // The space that is left over has the number 0 and comes last.
    if (index === 0) break;
    source.keep(1, HDF5_COST.text, HEAP);
    places.set(index, { at: at + headBytes, length });
    at += headBytes + Math.ceil(length / 8) * 8;
  }
  return places;
}

function textBeforeZero(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeText(end === -1 ? bytes : bytes.subarray(0, end));
}
