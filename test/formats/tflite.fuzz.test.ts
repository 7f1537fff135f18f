/**
 * A small TFLite file changed, cut and aimed at: a typed error or a graph, whatever is in it, also when all constants
 * are read.
 */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { read } from "../../src/formats/tflite/read.ts";
import { rounds, seeded } from "../fuzz.ts";
import { bytes, flatbuffer, floats, type ModelSpec, type Table, tflite, withZip } from "../writers/tflite.ts";

const MAX_BYTES = 1 << 20;
const options: Table = { 0: ["int8", 0], 1: ["int32", 1], 2: ["int32", 1], 3: ["int8", 3] };

/** Every part the reader knows: quantization of both kinds, fused and inferred activations, metadata, labels. */
function network(outside: boolean): Uint8Array {
  const unit: Table = { 0: ["int8", 1], 1: ["table", { 0: ["float32s", [127.5]], 1: ["float32s", [127.5]] }] };
  const labels: Table = { 0: ["text", "labels.txt"], 2: ["int8", 2] };
  const described: Table = { 2: ["tables", [{ 4: ["tables", [unit]] }]], 3: ["tables", [{ 6: ["tables", [labels]] }]] };
  const spec: ModelSpec = {
    tensors: [
      { name: "image", shape: [1, 2, 2, 3], type: "uint8", scale: [1 / 128], zeroPoint: [128] },
      {
        name: "k1",
        shape: [1, 1, 1, 3],
        type: "int8",
        data: bytes(1, 2, 3),
        scale: [1, 2, 3],
        zeroPoint: [0],
        axis: 3,
      },
      { name: "features", shape: [1, 2, 2, 3], type: "uint8", scale: [6 / 255], zeroPoint: [0] },
      { name: "k2", shape: [2, 1, 1, 3], data: floats(1, 2, 3, 4, 5, 6) },
      { name: "half", shape: [2], type: "float16", data: bytes(0, 60, 0, 64) },
      { name: "maps", shape: [1, 2, 2, 2] },
      { name: "axes", shape: [2], type: "int32", data: bytes(1, 0, 0, 0, 2, 0, 0, 0) },
      { name: "result", shape: [1, 2] },
    ],
    operators: [
      { code: 4, inputs: [0, 1], outputs: [2], options: { 1: ["int32", 1], 2: ["int32", 1] } },
      { code: 3, inputs: [2, 3, 4], outputs: [5], options },
      { code: 40, inputs: [5, 6], outputs: [7] },
    ],
    metadata: { TFLITE_METADATA: flatbuffer({ 3: ["tables", [described]] }, "M001") },
    outside,
  };
  return withZip(tflite(spec), { "labels.txt": new TextEncoder().encode("cat\ndog\n") });
}

/** Reads all there is; anything but a typed error, or numbers as many as shapes say, is a failure. */
async function attempt(file: Uint8Array): Promise<"read" | "refused"> {
  try {
    const { content } = await read(
      { name: "fuzz", bytes: file, sibling: async () => bytes() },
      { maxBytes: MAX_BYTES },
    );
    if (content.kind !== "graph") throw new Error("not a graph");
    let total = 0;
    for (const constant of content.constants.values()) {
      try {
        const numbers = constant.read();
        total += numbers.byteLength;
        if (numbers.length !== constant.shape.reduce((a, b) => a * b, 1))
          throw new Error("not as many as the shape says");
      } catch (error) {
        if (!isDepthwiseError(error)) throw error;
      }
    }
    expect(total).toBeLessThanOrEqual(MAX_BYTES);
    return "read";
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return "refused";
  }
}

const inside = network(false);
const files = [inside, network(true)];
const HOSTILE = [0, 1, 2, 3, 4, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Where offsets stand: words that lead to another place in the file, vtables among them. */
function offsetsOf(file: Uint8Array): number[] {
  const view = new DataView(file.buffer);
  const places: number[] = [];
  for (let at = 0; at + 4 <= file.length; at += 4) {
    const value = view.getInt32(at, true);
    if (value !== 0 && Math.abs(value) < file.length) places.push(at);
  }
  return places;
}

describe("a damaged TFLite file", () => {
  it("as it is, is read", async () => {
    for (const file of files) expect(await attempt(file)).toBe("read");
  });

  it("of each byte changed to five others is read or refused", async () => {
    const outcomes = { read: 0, refused: 0 };
    for (let at = 0; at < inside.length; at++) {
      for (const change of [0x01, 0x04, 0x80, 0xff, 0x55]) {
        const file = inside.slice();
        file[at] = (file[at] ?? 0) ^ change;
        outcomes[await attempt(file)]++;
      }
    }
    expect(outcomes.read + outcomes.refused).toBe(5 * inside.length);
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(500);
  });

  it("cut off anywhere is read or refused, and refused in its tables", async () => {
    for (let length = 0; length < inside.length; length++) await attempt(inside.slice(0, length));
    for (let length = 0; length < 200; length++) expect(await attempt(inside.slice(0, length))).toBe("refused");
  });

  it("with hostile numbers in its offsets, lengths and layouts is read or refused", async () => {
    const random = seeded(7);
    const outcomes = { read: 0, refused: 0 };
    for (const source of files) {
      const places = offsetsOf(source);
      for (let i = 0; i < rounds(3000); i++) {
        const file = source.slice();
        const view = new DataView(file.buffer);
        for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
          const at = places[Math.floor(random() * places.length)] ?? 0;
          const hostile = HOSTILE[Math.floor(random() * HOSTILE.length)] ?? 0;
          const nearby = view.getUint32(at, true) + Math.floor(random() * 64) - 32;
          if (random() < 0.3) view.setUint16(at + 2 * Math.floor(random() * 2), hostile & 0xffff, true);
          else view.setUint32(at, (random() < 0.5 ? hostile : nearby) >>> 0, true);
        }
        outcomes[await attempt(file)]++;
      }
    }
    expect(outcomes.read + outcomes.refused).toBe(rounds(6000));
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(100);
  });

  it("with random bytes anywhere, and parts of it moved, is read or refused", async () => {
    const random = seeded(11);
    for (const source of files) {
      for (let i = 0; i < rounds(1500); i++) {
        const file = source.slice();
        const whole = () => Math.floor(random() * file.length);
        if (random() < 0.3) file.copyWithin(whole(), whole(), whole());
        for (let changes = Math.floor(random() * 8); changes > 0; changes--) file[whole()] = Math.floor(random() * 256);
        await attempt(file);
      }
    }
  });
});
