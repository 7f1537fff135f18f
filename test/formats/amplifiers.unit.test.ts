/** @slow: it takes 10 seconds. */

/** Small files that stand for much: refused by the budget of the load before the memory is taken. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { readSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { placeholder, tfNode } from "../writers/graph-def.ts";
import { writeHdf5, writeTexts } from "../writers/hdf5.ts";
import { attr, floats, onnxModel, onnxNode } from "../writers/onnx.ts";
import { encode, type Field } from "../writers/protobuf.ts";
import { code, u16, u32, u64, zip } from "../writers/torch.ts";

const MIB = 2 ** 20;

async function refusal(source: ModelSource, options: LoadOptions = {}) {
  const error = await loadModel(source, options).then(
    () => new Error("It was loaded."),
    (thrown: unknown) => thrown,
  );
  if (isDepthwiseError(error)) return error;
  throw error;
}

/** A pattern as often as it fits. */
function repeated(pattern: string | readonly number[], byteCount: number): Uint8Array {
  const unit = code(pattern);
  return new Uint8Array(Buffer.alloc(Math.floor(byteCount / unit.length) * unit.length, unit));
}

const count = <Thing>(length: number, thing: (index: number) => Thing) => Array.from({ length }, (_, i) => thing(i));
const image = { inputs: { input: [1, 3, 8, 8] }, outputs: ["n0"] };
/** A graph whose edges are the square of its nodes. */
const sums = (op: string, node: (name: string, op: string, inputs: readonly string[]) => Field) =>
  count(900, (i) => node(`n${i}`, op, ["input", ...count(i, (before) => `n${before}`)]));
const ir = encode([[1, { int: 7 }]]);
const onnx = (graph: Uint8Array) => code(ir, encode([[7, { bytes: graph }]]));
const keras = (config: Uint8Array) =>
  zip([
    ["config.json", config, "deflated"],
    ["model.weights.h5", code("x")],
  ]);
const json = (pattern: string, byteCount: number) => code('{"a":[', repeated(`${pattern},`, byteCount), "0]}");
const modelJson = (pattern: string) =>
  code('{"modelTopology":null,"weightsManifest":[', repeated(`${pattern},`, 9.5e6), "0]}");
const safetensors = (header: string) => code(u64(header.length), header);
const pickle = (opcodes: Uint8Array) => code(0x80, 2, opcodes, ".");
const many = (count: number, entry: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => entry(i)).join();

describe("without a limit of the caller's, a file is refused", () => {
  it.each([
    ["a GraphDef of empty nodes", () => repeated([0x0a, 0], 8 * MIB), /GraphDef\.node/],
    ["an ONNX model of empty nodes", () => onnx(repeated([0x0a, 0], 8 * MIB)), /graph\.node/],
    ["of nodes with an empty attribute", () => onnx(repeated([0x0a, 2, 0x2a, 0], 8 * MIB)), /graph\.node/],
    ["of nodes with an empty input", () => onnx(repeated([0x0a, 2, 0x0a, 0], 8 * MIB)), /graph\.node/],
    ["of empty initializers", () => onnx(repeated([0x2a, 0], 8 * MIB)), /initializer/],
    [
      "of one attribute of numbers",
      () => onnx(encode([[1, { message: [[5, { message: [[8, { bytes: new Uint8Array(8 * MIB) }]] }]] }]])),
      /ints/,
    ],
    [
      "a GraphDef of sums of all before them",
      () => encode([placeholder(1, 8, 8, 3), ...sums("AddN", tfNode)]),
      /nodes/,
    ],
    [
      "an ONNX model of such sums",
      () => onnxModel({ nodes: sums("Sum", (name, op, inputs) => onnxNode(op, inputs, [name])), ...image }),
      /nodes/,
    ],
    [
      "of 60,000 initializers of one number",
      () => onnxModel({ nodes: [], initializers: count(60_000, (i) => floats(`t${i}`, [], [1])), ...image }),
      /TensorProto|tensor/,
    ],
    [
      "of 36,000, which come to as much as a load may",
      () => onnxModel({ nodes: [], initializers: count(36_000, (i) => floats(`t${i}`, [], [1])), ...image }),
      /TensorProto|tensor/,
    ],
    [
      "of 20,000 constants of one number",
      () => onnxModel({ nodes: count(20_000, (i) => onnxNode("Constant", [], [`t${i}`], { value_float: attr.f(1) })) }),
      /tensor|nodes/,
    ],
    [
      "a zip archive of zeros",
      () => zip([["archive/data.pkl", new Uint8Array(200 * MIB), "deflated"]]),
      /data\.pkl" unpacked/,
    ],
    ["a Keras archive whose JSON unpacks to 100 MB", () => keras(json("1", 1e8)), /config\.json" unpacked/],
    ["one whose JSON is empty arrays", () => keras(json("[]", 2e7)), /config\.json, together/],
    ["one whose JSON is objects", () => keras(json('{"":0}', 2e7)), /config\.json, together/],
    ["one whose JSON is numbers", () => keras(json("1.5", 2e7)), /config\.json, together/],
    ["a model.json of arrays", () => modelJson("[]"), /JSON text/],
    ["a model.json of texts", () => modelJson('"ab"'), /JSON text/],
    [
      "a model.json of keys",
      () => code(`{"modelTopology":{${many(700_000, (i) => `"k${i}":0`)}},"weightsManifest":[]}`),
      /JSON text/,
    ],
    [
      "a model.json of weights without numbers",
      () =>
        code(
          `{"modelTopology":null,"weightsManifest":[{"paths":["s"],"weights":[${many(120_000, (i) => `{"name":"${i}/kernel","shape":[0],"dtype":"bool"}`)}]}]}`,
        ),
      /JSON text|weightsManifest/,
    ],
    [
      "safetensors of tensors without numbers",
      () => safetensors(`{${many(150_000, (i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)}}`),
      /header/,
    ],
    ["safetensors of remarks", () => safetensors(`{"__metadata__":{${many(700_000, (i) => `"${i}":""`)}}}`), /header/],
    [
      "safetensors of one endless shape",
      () => safetensors(`{"a":{"dtype":"U8","shape":[${"0,".repeat(4.5e6)}0],"data_offsets":[0,0]}}`),
      /header/,
    ],
    [
      "safetensors with a network of arrays",
      () => safetensors(`{"__metadata__":{"network":"{\\"a\\":[${"[],".repeat(3e6)}0]}"}}`),
      /metadata/,
    ],
    ["a pickle of dicts", () => pickle(repeated("}", 9 * MIB)), /the pickle builds/],
    ["a pickle of empty bytes", () => pickle(repeated("C\0", 9 * MIB)), /the pickle builds/],
    ["a pickle of short texts", () => pickle(repeated([0x8c, 2, 97, 98], 9 * MIB)), /the pickle builds/],
    ["a pickle that remembers everything", () => pickle(code("N", repeated([0x94], 9 * MIB))), /the pickle builds/],
  ] as const)("%s", async (_, make, what) => {
    const error = await refusal(make());
    expect([error.code, error.message]).toEqual(["FILE_TOO_LARGE", expect.stringMatching(what)]);
    expect(error.message).toContain("Pass a larger maxDecodedBytes");
  });

  it("HDF5 of zeros in chunks, and of JSON in an attribute", async () => {
    const weights = (root: Parameters<Parameters<typeof writeHdf5>[0]>[0]) => {
      writeTexts(root, "layer_names", ["a"]);
      const group = root.create_group("a");
      writeTexts(group, "weight_names", ["w:0"]);
      return group;
    };
    const size = 25 * MIB;
    const zeros = await writeHdf5((root) => {
      const rest = { shape: [size], chunks: [size], compression: 1, compression_opts: [9] };
      weights(root).create_dataset({ name: "w:0", data: new Float32Array(size), ...rest });
    });
    expect(await refusal(zeros)).toMatchObject({ code: "FILE_TOO_LARGE", message: expect.stringContaining("/a/w:0") });
    const config = await writeHdf5((root) => {
      const group = weights(root);
      group.create_dataset({ name: "w:0", data: new Float32Array(1), shape: [1] });
      root.create_attribute("model_config", `{"a":[${"[],".repeat(3e6)}0]}`, [1], "S");
    });
    expect(await refusal(config)).toMatchObject({
      code: "FILE_TOO_LARGE",
      message: expect.stringContaining("model_config"),
    });
  });
});

describe("a limit of the caller's", () => {
  const small = () => code(u64(2), "{}");

  it("is a whole number above 0", async () => {
    for (const maxDecodedBytes of [0, -1, 1.5, Number.NaN, "1" as unknown as number]) {
      expect((await refusal(small(), { maxDecodedBytes })).code).toBe("OPTION_INVALID");
      expect(() => readSafetensors(small(), { maxDecodedBytes })).toThrow(/maxDecodedBytes/);
    }
  });

  it("takes the place of the one by size, and is named in the refusal", async () => {
    const bomb = keras(json("1", 4e6));
    expect((await refusal(bomb)).code).toBe("FILE_TOO_LARGE");
    expect((await refusal(bomb, { maxDecodedBytes: 2 ** 30 })).code).toBe("FILE_TRUNCATED");
    const error = await refusal(bomb, { maxDecodedBytes: 1e6 });
    expect(error.message).toMatch(/expected at most 1,000,000 bytes, found 4,\d\d\d,\d\d\d/);
    expect(error.fields).toMatchObject({ maxDecodedBytes: 1e6 });
  });
});

describe("entries of a zip archive that lie one over the other", () => {
  it("are refused: each would be summed or unpacked again", async () => {
    const one = zip([["a/data.pkl", new Uint8Array(100_000)]]);
    const start = Buffer.from(one).lastIndexOf(Buffer.from(u32(0x02014b50)));
    const record = one.subarray(start, one.length - 22);
    const records = Array.from({ length: 20 }, (_, i) => {
      const copy = record.slice();
      copy[46] = 97 + i;
      return copy;
    });
    const length = 20 * record.length;
    const end = code(u32(0x06054b50), u16(0), u16(0), u16(20), u16(20), u32(length), u32(start), u16(0));
    const error = await refusal(code(one.subarray(0, start), ...records, end));
    expect([error.code, error.message]).toEqual(["FILE_CORRUPT", expect.stringContaining("one over the other")]);
  });
});

describe("one shard under many names", () => {
  it("is held once: `./a` is `a`", async () => {
    const group = (path: string, name: string) => ({
      paths: [path],
      weights: [{ name: `${name}/kernel`, shape: [4], dtype: "uint8" }],
    });
    const manifest = { modelTopology: null, weightsManifest: [group("s", "a"), group("./s", "b")] };
    const files = [new File([JSON.stringify(manifest)], "model.json"), new File([new Uint8Array(4)], "s")];
    const error = await refusal(files);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toContain('the shard "./s" stands twice');
  });
});

describeShared("real files", () => {
  it.each([
    "weights/mobilenet_v1_0.25_128_quant.tflite",
    "weights/mobilenet_v1_0.5_160_quant.tflite",
    "weights/mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
    "weights/mobilenet_v1_0.25_128_frozen_graph.pb",
    "weights/vww_96.h5",
    "derived/mobilenet_v1_1.0_224_f16.safetensors",
    "derived/mobilenet_v1_0.25_224_first100.onnx",
  ])("%s needs no more than four bytes a byte, and a quarter of what it may", async (path) => {
    const bytes = new Uint8Array(readFileSync(join(sharedRoot ?? "", path)));
    await loadModel(bytes, { maxDecodedBytes: Math.min(4 * bytes.length, (4 * bytes.length + 48 * MIB) / 4) });
  });
});
