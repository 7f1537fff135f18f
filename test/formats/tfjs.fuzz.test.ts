/** Mutated model.json text and shards: a typed error or a right answer, no hang, nothing beyond `maxBytes`. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { elementCount } from "../../src/core/tensor.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import { type Files, readJson } from "../fixtures/tfjs-files.ts";
import { rounds, seeded } from "../fuzz.ts";

const MAX_BYTES = 2 ** 20;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Reads all there is to read; anything but a typed error or values that fit their shapes is a failure. */
async function attempt(text: Uint8Array, files: Files): Promise<"read" | "refused"> {
  try {
    const { content } = await readJson(text, files, MAX_BYTES);
    let bytes = 0;
    const values =
      content.kind === "tensors"
        ? [...content.tensors.values()].map((stored) => [stored.shape, toFloat32(stored)] as const)
        : [...content.constants.values()].map((constant) => [constant.shape, constant.read()] as const);
    for (const [shape, read] of values) {
      expect(read.length).toBe(elementCount(shape));
      bytes += read.byteLength;
    }
    // A graph may hold a constant beside one made of it, as for a kernel in another layout.
    expect(bytes).toBeLessThanOrEqual(2 * MAX_BYTES);
    return "read";
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return "refused";
  }
}

const own = encodeTfjs(mobileNetV1({ alpha: 0.01, resolution: 32, classes: 2, blocks: [{ stride: 2, filters: 100 }] }));
const ownJson = JSON.parse(new TextDecoder().decode(own.get("model.json")));
const { userDefinedMetadata: _own, ...layersJson } = ownJson;

const quantized = {
  modelTopology: null,
  weightsManifest: [
    {
      paths: ["a", "b"],
      weights: [
        {
          name: "conv1/kernel",
          shape: [3, 2],
          dtype: "float32",
          quantization: { dtype: "uint8", scale: 0.5, min: -1 },
        },
        { name: "conv1/bias", shape: [2], dtype: "float32", quantization: { dtype: "float16" } },
        { name: "conv1/gamma", shape: [2], dtype: "int32", quantization: { dtype: "uint16", scale: 1, min: 0 } },
      ],
    },
  ],
};
const quantizedFiles: Files = new Map([
  ["a", new Uint8Array(5)],
  ["b", new Uint8Array(9)],
]);

const dim = (...sides: number[]) => ({ dim: sides.map((size) => ({ size: String(size) })) });
const graph = {
  format: "graph-model",
  signature: { inputs: { x: { name: "x:0", tensorShape: dim(-1, 8, 8, 1) } }, outputs: { y: { name: "z:0" } } },
  modelTopology: {
    node: [
      { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: dim(-1, 8, 8, 1) } } },
      { name: "w", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
      { name: "b", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
      {
        name: "y",
        op: "DepthwiseConv2dNative",
        input: ["x", "w"],
        attr: {
          strides: { list: { i: ["1", "2", "2", "1"] } },
          padding: { s: "U0FNRQ==" },
          data_format: { s: "TkhXQw==" },
          dilations: { list: { i: ["1", "1", "1", "1"] } },
        },
      },
      { name: "m", op: "Mul", input: ["y", "b"] },
      { name: "z", op: "Relu6", input: ["m", "^b"] },
    ],
  },
  weightsManifest: [
    {
      paths: ["s"],
      weights: [
        { name: "w", shape: [3, 3, 1, 1], dtype: "float32" },
        { name: "b", shape: [1], dtype: "float32" },
      ],
    },
  ],
};

const SEEDS: readonly (readonly [string, unknown, Files])[] = [
  ["our own file", ownJson, own],
  ["a layers model", layersJson, own],
  ["a quantized manifest", quantized, quantizedFiles],
  ["a graph model", graph, new Map([["s", new Uint8Array(40)]])],
];

/** What JSON is made of, where one character changes its meaning. */
const SPICE = [...'{}[]",:0123456789-.eE\\ntu/_ ', "\u0000", "ÿ"].map((character) => character.charCodeAt(0));

function mutatedText(good: Uint8Array, random: () => number): Uint8Array {
  const bytes = good.slice(0, random() < 0.1 ? Math.floor(random() * good.length) : good.length);
  const edits = 1 + Math.floor(random() * 3);
  for (let edit = 0; edit < edits; edit++) {
    const at = Math.floor(random() * bytes.length);
    bytes[at] = random() < 0.7 ? (SPICE[Math.floor(random() * SPICE.length)] ?? 0) : Math.floor(random() * 256);
  }
  return bytes;
}

/** Values that a hostile writer would put in place of another. */
const HOSTILE: readonly unknown[] = [
  null,
  0,
  -1,
  1,
  2,
  0.5,
  1e300,
  2 ** 31,
  2 ** 53,
  "",
  "__proto__",
  "constructor",
  "../x",
  "s",
  "input",
  "DT_HALF",
  "99999999999999999999",
  [],
  {},
  [[]],
  [1, 1],
  [2 ** 20, 2 ** 20],
  [0, 2 ** 52],
  true,
  { dim: [{}] },
];

/** The same JSON with one value replaced, removed, or copied over another. */
function mutatedValue(json: unknown, random: () => number): unknown {
  const copy = structuredClone(json);
  const places: { readonly parent: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      places.push({ parent: value as Record<string, unknown>, key });
      walk(inner);
    }
  };
  walk(copy);
  const pick = () => places[Math.floor(random() * places.length)];
  const edits = 1 + Math.floor(random() * 2);
  for (let edit = 0; edit < edits; edit++) {
    const [place, other] = [pick(), pick()];
    if (place === undefined || other === undefined) continue;
    const choice = random();
    if (choice < 0.2) delete place.parent[place.key];
    else if (choice < 0.4) place.parent[place.key] = structuredClone(other.parent[other.key]);
    else place.parent[place.key] = HOSTILE[Math.floor(random() * HOSTILE.length)];
  }
  return copy;
}

describe.each(SEEDS)("%s", (_name, json, files) => {
  it("is read as it is", async () => {
    expect(await attempt(encode(json), files)).toBe("read");
  });

  it("with characters changed is read or refused", async () => {
    const random = seeded(20191001);
    const good = encode(json);
    let refused = 0;
    for (let i = 0; i < rounds(1000); i++)
      refused += (await attempt(mutatedText(good, random), files)) === "refused" ? 1 : 0;
    expect(refused).toBeGreaterThan(500);
  });

  it("with values changed is read or refused", async () => {
    const random = seeded(42);
    let refused = 0;
    for (let i = 0; i < rounds(1000); i++)
      refused += (await attempt(encode(mutatedValue(json, random)), files)) === "refused" ? 1 : 0;
    expect(refused).toBeGreaterThan(100);
  });

  it("with shards cut, grown or missing is refused, with bytes changed read or refused", async () => {
    const random = seeded(7);
    const names = [...files.keys()].filter((name) => name !== "model.json");
    for (let i = 0; i < rounds(200); i++) {
      const changed = new Map(files);
      const name = names[Math.floor(random() * names.length)] ?? "";
      const bytes = files.get(name)?.slice() ?? new Uint8Array();
      const kind = i % 4;
      if (kind === 0) changed.set(name, bytes.subarray(0, Math.floor(random() * bytes.length)));
      else if (kind === 1) changed.set(name, new Uint8Array(bytes.length + 1 + Math.floor(random() * 100)));
      else if (kind === 2) changed.delete(name);
      else {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        changed.set(name, bytes);
      }
      const outcome = await attempt(encode(json), changed);
      if (kind < 3) expect(outcome).toBe("refused");
    }
  });
});

it("any JSON at all is refused or read", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), async (topology, manifest, metadata) => {
      await attempt(encode(topology), new Map());
      const json = { modelTopology: topology, weightsManifest: manifest, userDefinedMetadata: metadata };
      await attempt(encode(json), new Map());
    }),
    { numRuns: rounds(500) },
  );
});
