/** Damaged copies of a protobuf file, half of them damaged where it hurts: tags, lengths, numbers, dimensions. */

import { expect } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { mulberry32 } from "../../src/core/random.ts";
import { elementCount } from "../../src/core/tensor.ts";
import type { FormatReader } from "../../src/weights/model-file.ts";
import { opened } from "./protobuf-fixtures.ts";

const MAX_BYTES = 1_000_000;

/** Reads the file and all its constants; anything but a whole answer or a typed error fails the test. */
export async function attempt(
  read: FormatReader,
  bytes: Uint8Array,
  beside: Readonly<Record<string, Uint8Array>> = {},
): Promise<"read" | "refused"> {
  try {
    const { content } = await read(opened(bytes, beside), { maxBytes: MAX_BYTES });
    if (content.kind !== "graph") throw new Error("no graph");
    const made = new Set([...content.inputs.map(({ name }) => name), ...content.constants.keys(), ""]);
    let total = 0;
    for (const constant of content.constants.values()) {
      const values = constant.read();
      expect(values.length).toBe(elementCount(constant.shape));
      total += 4 * values.length;
    }
    expect(total).toBeLessThanOrEqual(MAX_BYTES);
    for (const node of content.nodes) {
      for (const value of node.inputs) expect(made, `${value} of ${node.name}`).toContain(value);
      for (const value of node.outputs) made.add(value);
    }
    return "read";
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return "refused";
  }
}

export function* mutations(good: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  const random = mulberry32(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const structure = structuralBytes(good);
  for (let i = 0; i < count; i++) {
    const bytes = good.slice();
    const changes = 1 + below(3);
    for (let change = 0; change < changes; change++) {
      const at = i % 2 === 0 ? (structure[below(structure.length)] ?? 0) : below(bytes.length);
      const ways = [below(256), bytes[at] === undefined ? 0 : bytes[at] ^ (1 << below(8)), 0xff, 0x80, 0];
      bytes[at] = ways[below(ways.length)] ?? 0;
    }
    const cut = below(8);
    yield cut === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
  }
}

/** Offsets of tags, lengths and varints; what parses as a message is entered. */
export function structuralBytes(bytes: Uint8Array): readonly number[] {
  return walk(bytes, 0, bytes.length) ?? [];
}

function walk(bytes: Uint8Array, start: number, end: number): readonly number[] | undefined {
  const found: number[] = [];
  let at = start;
  const varint = (): number | undefined => {
    let value = 0;
    for (let i = 0; i < 10 && at < end; i++) {
      const byte = bytes[at] ?? 0;
      found.push(at++);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < end) {
    const tag = varint();
    if (tag === undefined || tag >>> 3 === 0 || tag >>> 3 > 200) return undefined;
    const wireType = tag & 7;
    if (wireType === 0) {
      if (varint() === undefined) return undefined;
    } else if (wireType === 5) at += 4;
    else if (wireType === 1) at += 8;
    else if (wireType === 2) {
      const length = varint();
      if (length === undefined || at + length > end) return undefined;
      found.push(...(walk(bytes, at, at + length) ?? []));
      at += length;
    } else return undefined;
    if (at > end) return undefined;
  }
  return found;
}
