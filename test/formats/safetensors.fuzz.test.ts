/** Every byte of a small good file changed, cut at every length, and thousands of random mutations: a typed error or a right answer. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { mulberry32 } from "../../src/core/random.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { rounds, seeded } from "../fuzz.ts";

const good = writeSafetensors(
  [
    { name: "conv1/kernel", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: "b", shape: [2], data: Float32Array.of(0.5, -0.5), dtype: "F16" },
  ],
  { alpha: "0.25", note: "é" },
);

/** Reads; anything but a typed error or tensors within the file is a failure. */
function attempt(bytes: Uint8Array): "read" | "refused" {
  try {
    const { tensors } = readSafetensors(bytes);
    let total = 0;
    for (const stored of tensors.values()) {
      total += stored.bytes.byteLength;
      try {
        expect(toFloat32(stored).length).toBe(stored.shape.reduce((a, b) => a * b, 1));
      } catch (error) {
        if (!isDepthwiseError(error)) throw error;
      }
    }
    expect(total).toBeLessThanOrEqual(bytes.length);
    return "read";
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return "refused";
  }
}

describe("a damaged safetensors file", () => {
  it("of each byte changed to sixteen others is read or refused", () => {
    let cases = 0;
    for (let at = 0; at < good.length; at++) {
      for (let bit = 0; bit < 16; bit++) {
        const bytes = good.slice();
        bytes[at] = bit < 8 ? (bytes[at] ?? 0) ^ (1 << bit) : [0, 255, 0x22, 0x7b, 0x7d, 0x2c, 0x30, 0x39][bit - 8]!;
        attempt(bytes);
        cases++;
      }
    }
    expect(cases).toBe(16 * good.length);
  });

  it("cut off anywhere is refused", () => {
    for (let length = 0; length < good.length; length++) expect(attempt(good.subarray(0, length))).toBe("refused");
    expect(attempt(good)).toBe("read");
  });

  it("of random mutations, half of them in the header, is read or refused", () => {
    const random = seeded(20170417);
    for (let i = 0; i < rounds(10_000); i++) {
      const bytes = good.slice(0, random() < 0.2 ? Math.floor(random() * good.length) : good.length);
      const edits = 1 + Math.floor(random() * 6);
      for (let edit = 0; edit < edits; edit++) {
        const limit = random() < 0.5 ? Math.min(16, bytes.length) : bytes.length;
        bytes[Math.floor(random() * limit)] = Math.floor(random() * 256);
      }
      attempt(bytes);
    }
  });

  it("of any text as a header is read or refused", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat({ max: 64 }), (json, extra) => {
        const text = new TextEncoder().encode(json);
        const bytes = new Uint8Array(8 + text.length + extra);
        new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
        bytes.set(text, 8);
        attempt(bytes);
      }),
      { numRuns: rounds(2000) },
    );
  });

  it("as a model: only typed errors come out of loadModel", async () => {
    const model = encodeModel(mobileNetV1({ alpha: 0.01, resolution: 32, classes: 2 }));
    const headerEnd = 8 + Number(new DataView(model.buffer).getBigUint64(0, true));
    const random = seeded(7);
    let refused = 0;
    for (let i = 0; i < rounds(1500); i++) {
      const bytes = model.slice();
      const limit = i % 3 === 0 ? bytes.length : Math.min(headerEnd, i % 3 === 1 ? headerEnd : 1600);
      bytes[8 + Math.floor(random() * (limit - 8))] = Math.floor(random() * 256);
      const outcome = await loadModel(bytes).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        if (!isDepthwiseError(outcome)) throw outcome;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

it("what is written is read back identical", () => {
  const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
  const entry = fc.tuple(fc.string(), shape, fc.integer());
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: ([name]) => name, maxLength: 8 }),
      fc.dictionary(fc.string(), fc.string()),
      (entries, metadata) => {
        const tensors = entries
          .filter(([name]) => name !== "__metadata__")
          .map(([name, sides, seed]) => {
            const random = mulberry32(seed);
            return {
              name,
              shape: sides,
              data: Float32Array.from({ length: sides.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
            };
          });
        const read = readSafetensors(writeSafetensors(tensors, metadata));
        expect([...read.tensors.keys()]).toEqual(tensors.map(({ name }) => name));
        for (const { name, shape: sides, data } of tensors) {
          const stored = read.tensors.get(name)!;
          expect(stored.shape).toEqual(sides);
          expect(toFloat32(stored)).toEqual(data);
        }
        expect({ ...read.metadata }).toEqual({ ...metadata });
      },
    ),
    { numRuns: rounds(300) },
  );
});
