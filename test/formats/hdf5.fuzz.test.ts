/** Damaged HDF5 files and configurations: a typed error or an answer, never a hang, never more memory than is allowed. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { read } from "../../src/formats/keras/read-hdf5.ts";
import { graphFromKeras } from "../../src/formats/keras/topology.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { functional, functional3, SMALL, weightsOf } from "../fixtures/keras-models.ts";
import { opened } from "../fixtures/opened-files.ts";
import { rounds, seeded, seedOf } from "../fuzz.ts";
import {
  VERSIONS,
  type Writer,
  weight,
  writeHdf5,
  writeNamedWeights,
  writeNumberedWeights,
  writeTexts,
} from "../writers/hdf5.ts";

const MAX_BYTES = 4_000_000;

/** Reads everything in a file; anything but a typed error or tensors of a fitting size is a failure. */
async function attempt(bytes: Uint8Array): Promise<"read" | "refused"> {
  try {
    const { content } = await read(opened(bytes, {}, "damaged.h5"), { maxBytes: MAX_BYTES });
    const tensors = content.kind === "graph" ? [...content.constants.values()] : [...content.tensors.values()];
    let total = 0;
    for (const tensor of tensors) {
      const values = "read" in tensor ? tensor.read() : toFloat32(tensor);
      expect(values.length).toBe(tensor.shape.reduce((a, b) => a * b, 1));
      total += values.byteLength;
    }
    // What stands in the file is at most read a few times over; what is unpacked is under the limit.
    expect(total).toBeLessThanOrEqual(4 * 2 * bytes.length + 2 * MAX_BYTES);
    return "read";
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return "refused";
  }
}

function wholeModel(root: Writer): void {
  root.create_attribute("model_config", JSON.stringify(functional(SMALL)));
  writeNamedWeights(root.create_group("model_weights"), weightsOf(SMALL));
}

function manyGroups(root: Writer): void {
  writeTexts(
    root,
    "layer_names",
    Array.from({ length: 60 }, (_, i) => `layer_${i}`),
    true,
  );
  for (let i = 0; i < 60; i++) {
    const group = root.create_group(`layer_${i}`);
    writeTexts(group, "weight_names", ["kernel:0"]);
    const { shape, values } = weight("", [2, 8], i);
    const packed = i % 3 === 0 ? { chunks: [2, 4], compression: 1, compression_opts: [6] } : {};
    group.create_dataset({ name: "kernel:0", data: Float32Array.from(values), shape: [...shape], ...packed });
  }
}

function numbered(root: Writer): void {
  writeNumberedWeights(
    root,
    new Map([
      ["conv2d", [weight("", [3, 3, 2, 2]), weight("", [2])]],
      ["dense", [weight("", [2, 2])]],
    ]),
  );
}

/** Where the structures of a file begin: signatures, and object headers of version 1. */
function structures(bytes: Uint8Array): readonly number[] {
  const text = Buffer.from(bytes).toString("latin1");
  const found = [0];
  for (const match of text.matchAll(/TREE|HEAP|SNOD|GCOL|OHDR|OCHK|FRHP|FHDB|FHIB|BTHD|BTLF|BTIN/g))
    found.push(match.index);
  for (let at = 0; at + 16 < bytes.length; at += 8) {
    if (bytes[at] === 1 && bytes[at + 1] === 0 && bytes[at + 3] === 0 && bytes[at + 4] === 1) found.push(at);
  }
  return found;
}

type Random = (below: number) => number;

/** One to four changes, half of them in the first bytes of a structure: lengths, counts, addresses, versions. */
function mutate(good: Uint8Array, places: readonly number[], random: Random): Uint8Array {
  const bytes = good.slice();
  const view = new DataView(bytes.buffer);
  for (let change = random(4); change >= 0; change--) {
    const near = (places[random(places.length)] ?? 0) + random(72);
    const at = Math.min(random(2) === 0 ? near : random(bytes.length), bytes.length - 8);
    const kinds: readonly (() => void)[] = [
      () => view.setUint8(at, random(256)),
      () => view.setUint8(at, view.getUint8(at) ^ (1 << random(8))),
      () => view.setUint8(at, 255),
      () => view.setUint8(at, random(8)),
      () => view.setUint16(at & ~1, random(3) === 0 ? 0xffff : random(1024), true),
      () => view.setUint32(at & ~3, random(3) === 0 ? 0xffffffff : random(2 * bytes.length), true),
      // Another structure's address, or one that makes sums overflow.
      () => view.setBigUint64(at & ~7, BigInt(places[random(places.length)] ?? 0), true),
      () => view.setBigUint64(at & ~7, 2n ** BigInt(random(64)) - 1n, true),
      () => bytes.copyWithin(at, near, near + random(64)),
    ];
    kinds[random(kinds.length)]?.();
  }
  return random(16) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

const FILES = { wholeModel, manyGroups, numbered };
const EACH = rounds(500);

describe.each(VERSIONS)("a damaged HDF5 file of version %s", (version) => {
  it.each(Object.keys(FILES) as (keyof typeof FILES)[])("(%s) is read or refused", async (name) => {
    // Newer files keep many chunks in an index that is refused as a whole.
    const isWritable = name !== "manyGroups" || version === "earliest" || version === "v108";
    const good = await writeHdf5(FILES[name], version);
    expect(await attempt(good)).toBe(isWritable ? "read" : "refused");
    const places = structures(good);
    const uniform = seeded(version.length * 7919 + name.length);
    const random: Random = (below) => Math.floor(uniform() * below);
    const results = { read: 0, refused: 0 };
    for (let i = 0; i < EACH; i++) results[await attempt(mutate(good, places, random))]++;
    expect(results.read + results.refused).toBe(EACH);
    expect(results.refused).toBeGreaterThan(EACH / 20);
    if (isWritable) expect(results.read).toBeGreaterThan(EACH / 20);
  });
});

describe("a damaged HDF5 file", () => {
  it("cut off anywhere is refused", async () => {
    const good = await writeHdf5(numbered);
    for (let length = 1; length < good.length; length += 7)
      expect(await attempt(good.subarray(0, length))).toBe("refused");
  });

  it("of each byte of a small one set to 255, to 0 and to one more is read or refused", async () => {
    const good = await writeHdf5((root) => numbered(root), "v108");
    let cases = 0;
    for (let at = 0; at < good.length; at++) {
      for (const value of [255, 0, (good[at] ?? 0) + 1]) {
        const bytes = good.slice();
        bytes[at] = value;
        await attempt(bytes);
        cases++;
      }
    }
    expect(cases).toBe(3 * good.length);
  });
});

describe("a damaged configuration", () => {
  const constants = (layer: string) =>
    (weightsOf(SMALL).get(layer) ?? []).map(({ name, shape, values }) => ({
      name: name.replace(/^.*\//, "").replace(":0", ""),
      shape,
      read: () => Float32Array.from(values),
    }));

  const translate = (config: unknown): "read" | "refused" => {
    try {
      const { graph } = graphFromKeras(config, constants, { name: "damaged" });
      for (const constant of graph.constants.values()) constant.read();
      return "read";
    } catch (error) {
      if (!isDepthwiseError(error)) throw error;
      return "refused";
    }
  };

  it("with any value put in the place of any other is translated or refused", () => {
    for (const good of [functional(SMALL), functional3(SMALL)]) {
      const text = JSON.stringify(good);
      const results = { read: 0, refused: 0 };
      const paths = pathsOf(good);
      const junk = fc.oneof(
        fc.jsonValue(),
        fc.constantFrom("input_1", "dense", "Sequential", "__proto__", "Functional", 0, -1, 1e9, [], {}),
      );
      const property = fc.property(fc.constantFrom(...paths), junk, (path, value) => {
        results[translate(replaced(JSON.parse(text), path, value))]++;
      });
      fc.assert(property, { numRuns: rounds(2000), seed: seedOf(10) });
      expect(results.read).toBeGreaterThan(100);
      expect(results.refused).toBeGreaterThan(100);
    }
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaced(root: unknown, path: Path, value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  let inner = root as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) inner = inner[key] as Record<string | number, unknown>;
  inner[last] = value;
  return root;
}
