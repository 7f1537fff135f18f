/**
 * Values of a page: numbers of 32 bits, and texts, of which one at a time becomes a string.
 *
 * Source: Apache Parquet, "Encodings".
 */

import { DepthwiseError } from "../core/errors.ts";
import { damagedTable } from "./parquet-file.ts";
import { type ColumnPage, unrolled, viewOf } from "./parquet-pages.ts";

/** The values of a page that are there, as float32. */
export function floatsOf(page: ColumnPage, dictionary: Float32Array | undefined, path: string): Float32Array {
  const { encoding, present, bytes } = page;
  if (isByDictionary(encoding)) {
    const codes = codesOf(page, dictionary?.length, path);
    return Float32Array.from(codes, (code) => dictionary?.[code] as number);
  }
  if (bytes.length < 4 * present) throw short(path);
  if (encoding === "PLAIN") return new Float32Array(bytes.slice(0, 4 * present).buffer);
  if (encoding !== "BYTE_STREAM_SPLIT") throw unknown(encoding, path);
  const joined = new Uint8Array(4 * present);
  for (let i = 0; i < joined.length; i++) joined[i] = bytes[(i % 4) * present + (i >> 2)] as number;
  return new Float32Array(joined.buffer);
}

/** The values of a page that are there, of which one is decoded when it is asked for. */
export type Texts = (place: number) => string;

const decoder = /* @__PURE__ */ new TextDecoder();

export function textsOf(page: ColumnPage, dictionary: Texts | undefined, entries: number, path: string): Texts {
  const { encoding, present, bytes } = page;
  if (isByDictionary(encoding)) {
    const codes = codesOf(page, dictionary === undefined ? undefined : entries, path);
    return (place) => dictionary?.(codes[place] as number) ?? "";
  }
  if (encoding !== "PLAIN") throw unknown(encoding, path);
  // Each has a length in front of it, so that there cannot be more than a quarter of the bytes.
  if (bytes.length < 4 * present) throw short(path);
  const starts = new Uint32Array(present + 1);
  const view = viewOf(bytes);
  let at = 0;
  for (let place = 0; place < present; place++) {
    if (at + 4 > bytes.length) throw short(path);
    at += 4 + view.getUint32(at, true);
    if (at > bytes.length) throw short(path);
    starts[place + 1] = at;
  }
  return (place) => decoder.decode(bytes.subarray((starts[place] as number) + 4, starts[place + 1]));
}

function isByDictionary(encoding: string): boolean {
  return encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY";
}

/** Places in the dictionary; how many bits each has stands in front. */
function codesOf({ present, bytes }: ColumnPage, entries: number | undefined, path: string): Uint32Array {
  if (entries === undefined) throw damagedTable(path, "a page goes by a dictionary that is not there");
  const bits = bytes[0] ?? 0;
  if (bits > 32) throw damagedTable(path, `a page has numbers of ${bits} bits`);
  const codes = unrolled(bytes.subarray(1), bits, new Uint32Array(present), path);
  if (codes.some((code) => code >= entries)) throw damagedTable(path, "a page names what its dictionary has not");
  return codes;
}

function short(path: string): DepthwiseError {
  return damagedTable(path, "a page has fewer bytes than its values need");
}

function unknown(encoding: string, path: string): DepthwiseError {
  return new DepthwiseError("FORMAT_UNKNOWN", {
    what: `${path}: how values are encoded`,
    expected: "PLAIN, a dictionary, or BYTE_STREAM_SPLIT of numbers",
    found: String(encoding),
    advice: "Write it so.",
  });
}
