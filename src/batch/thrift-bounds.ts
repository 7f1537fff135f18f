/**
 * Whether bytes are a structure of Thrift's compact protocol that can be read in proportion to their number. A reader that
 * is not ours takes lengths for what they are, and would make a list of a thousand million entries of five bytes.
 *
 * Source: Apache Thrift, "Thrift Compact protocol encoding".
 */

/** Nothing of a Parquet file lies deeper than eight structures and lists. */
const MOST_DEEP = 16;

const VARINT_BYTES = 10;
const LENGTH_BYTES = 5;

/** Types of the protocol. Of true and false nothing follows but in a list. */
const [TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12];

/** What becomes an object or an array of its own takes as much memory as so many numbers. */
const OF_ITS_OWN = 8;

/**
 * Where the structure that begins at `from` ends; undefined if it is none, goes on behind the bytes, or has more than
 * `most` values, of which a structure, a list and a text count as eight.
 */
export function endOfThrift(bytes: Uint8Array, from: number, most: number): number | undefined {
  let at = from;
  let left = most;
  /** Each of these is false where something is wrong. */
  const skip = (count: number): boolean => {
    at += count;
    return at <= bytes.length;
  };
  const varint = (longest: number): boolean => {
    for (let i = 0; i < longest; i++) if ((bytes[at++] ?? 128) < 128) return true;
    return false;
  };
  /** A length cannot be more than what is left, of which each thing has a byte at least. */
  const length = (): number | undefined => {
    let value = 0;
    for (let i = 0; i < LENGTH_BYTES; i++) {
      const byte = bytes[at++] ?? 128;
      value += (byte & 127) * 128 ** i;
      if (byte < 128) return value <= bytes.length - at ? value : undefined;
    }
    return undefined;
  };
  const element = (type: number, depth: number): boolean => {
    left -= type >= BINARY ? OF_ITS_OWN : 1;
    if (left < 0) return false;
    if (type === BYTE) return skip(1);
    if (type === I16 || type === I32) return varint(LENGTH_BYTES);
    if (type === I64) return varint(VARINT_BYTES);
    if (type === DOUBLE) return skip(8);
    if (type === BINARY) return skip(length() ?? Number.POSITIVE_INFINITY);
    if (type === LIST) return depth < MOST_DEEP && list(depth + 1);
    return type === STRUCT && depth < MOST_DEEP && struct(depth + 1);
  };
  const list = (depth: number): boolean => {
    const head = bytes[at++];
    if (head === undefined) return false;
    const count = head >> 4 === 15 ? length() : head >> 4;
    if (count === undefined) return false;
    const type = head & 15;
    for (let i = 0; i < count; i++) {
      if (!element(type === TRUE || type === FALSE ? BYTE : type, depth)) return false;
    }
    return true;
  };
  const struct = (depth: number): boolean => {
    for (;;) {
      const head = bytes[at++];
      if (head === undefined || head === 0) return head === 0;
      if (head >> 4 === 0 && !varint(LENGTH_BYTES)) return false;
      const type = head & 15;
      if (type === TRUE || type === FALSE) {
        if (--left < 0) return false;
      } else if (!element(type, depth)) return false;
    }
  };
  return struct(0) ? at : undefined;
}
