/** model.json files made here: what is read, what is refused, and in which words. */

import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { mulberry32 } from "../../src/core/random.ts";
import { encodeFloat16 } from "../../src/formats/float16.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { read } from "../../src/formats/tfjs/read.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { withStatements } from "../../src/understand/metadata.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import { type Files, floatBytes, openFile, readFiles, readJson, refusal } from "../fixtures/tfjs-files.ts";
import { MOBILE_NETS, mobileNet } from "../fixtures/tfjs-networks.ts";

const weight = (name: string, shape: readonly number[], more: object = {}) => ({
  name,
  shape,
  dtype: "float32",
  ...more,
});
const group = (paths: readonly string[], ...weights: readonly object[]) => ({ paths, weights });
const alone = (...groups: readonly object[]) => ({ modelTopology: null, weightsManifest: groups });

/** Values of the tensors of a manifest without a topology, by name. */
async function valuesOf(json: unknown, files: Files): Promise<Readonly<Record<string, readonly number[]>>> {
  const { content } = await readJson(json, files);
  if (content.kind !== "tensors") throw new Error("Not tensors.");
  return Object.fromEntries([...content.tensors].map(([name, stored]) => [name, [...toFloat32(stored)]]));
}

const conv = (name: string, from: string, more: object = {}) => ({
  class_name: "Conv2D",
  name,
  config: {
    name,
    filters: 1,
    kernel_size: [1, 1],
    strides: [1, 1],
    padding: "same",
    data_format: "channels_last",
    dilation_rate: [1, 1],
    activation: "linear",
    use_bias: false,
    ...more,
  },
  inbound_nodes: [[[from, 0, 0, {}]]],
});

const layersConfig = (names: readonly string[]) => ({
  class_name: "Model",
  config: {
    name: "test",
    layers: [
      {
        class_name: "InputLayer",
        name: "in",
        config: { name: "in", batch_input_shape: [null, 4, 4, 1], dtype: "float32" },
        inbound_nodes: [],
      },
      ...names.map((name, index) => conv(name, names[index - 1] ?? "in")),
    ],
    input_layers: [["in", 0, 0]],
    output_layers: [[names.at(-1), 0, 0]],
  },
});

describe("JSON that is no model.json", () => {
  it.each<[string, unknown, RegExp]>([
    ["a package.json", { name: "x", version: "1.0.0", dependencies: {} }, /package\.json/],
    [
      "a Keras configuration",
      { class_name: "Functional", config: {} },
      /configuration of a Keras model, without weights/,
    ],
    [
      "a Hugging Face config.json",
      { architectures: ["MobileNetV1"], model_type: "mobilenet_v1" },
      /Hugging Face config/,
    ],
    ["an index of safetensors", { metadata: {}, weight_map: {} }, /index of safetensors/],
    ["a topology without weights", { modelTopology: {} }, /names no weights/],
    ["anything else", { a: 1, b: 2 }, /JSON with "a", "b"/],
    ["an empty object", {}, /an empty JSON object/],
    ["an array", [1], /a JSON array/],
    ["null", null, /JSON that is null/],
    ["a topology of another kind", { modelTopology: { x: 1 }, weightsManifest: [] }, /an object with "x"/],
  ])("%s is FORMAT_UNKNOWN", async (_what, json, message) => {
    const error = await refusal(readJson(json));
    expect(error.code).toBe("FORMAT_UNKNOWN");
    expect(error.message).toMatch(message);
  });

  it.each<[string, string, RegExp]>([
    ["cut off", '{"modelTopology": {', /JSON/],
    ["nested deep", `{"a": ${"[".repeat(200_000)}`, /levels/],
    ["saying one thing twice", '{"weightsManifest": [], "weightsManifest": []}', /"weightsManifest" twice/],
    ["a topology that is a number", '{"modelTopology": 1, "weightsManifest": []}', /modelTopology/],
    ["a manifest that is an object", '{"modelTopology": null, "weightsManifest": {}}', /array of groups/],
  ])("%s is FILE_CORRUPT", async (_what, text, message) => {
    const error = await refusal(readJson(new TextEncoder().encode(text)));
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toMatch(message);
  });

  it("of bytes that are no text is FILE_CORRUPT, too long is FILE_TOO_LARGE, a byte order mark is nothing", async () => {
    expect((await refusal(readJson(Uint8Array.of(0x7b, 0xff)))).code).toBe("FILE_CORRUPT");
    expect((await refusal(readJson({ weightsManifest: [] }, new Map(), 5))).code).toBe("FILE_TOO_LARGE");
    const text = new TextEncoder().encode(`\ufeff${JSON.stringify(alone(group(["s"], weight("a/kernel", [1]))))}`);
    expect(await valuesOf(text, new Map([["s", floatBytes(2)]]))).toEqual({ "a/kernel": [2] });
  });
});

describe("a manifest", () => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setInt32(0, -7, true);

  it("is cut into weights of every type, names without :0", async () => {
    const json = alone(
      group(
        ["s"],
        weight("a/kernel:0", [1], { dtype: "int32" }),
        weight("b/bias", [3], { dtype: "bool" }),
        weight("c/bias", [], { dtype: "uint8" }),
        weight("d/bias", [2], { dtype: "float16" }),
        weight("e/bias", [0, 3]),
      ),
    );
    const data = bytes.slice(0, 12);
    data.set([0, 1, 2, 200], 4);
    data.set(encodeFloat16(Float32Array.of(0.5, -2)), 8);
    expect(await valuesOf(json, new Map([["s", data]]))).toEqual({
      "a/kernel": [-7],
      "b/bias": [0, 1, 1],
      "c/bias": [200],
      "d/bias": [0.5, -2],
      "e/bias": [],
    });
  });

  it("is read the same however its shards are split", async () => {
    const values = Array.from({ length: 7 }, (_, i) => i - 2.5);
    const whole = floatBytes(...values);
    const random = mulberry32(5);
    for (let i = 0; i < 200; i++) {
      const cuts = Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * 29)).sort(
        (a, b) => a - b,
      );
      const ends = [...cuts, whole.length];
      const shards = ends.map((end, index) => [`s${index}`, whole.slice(cuts[index - 1] ?? 0, end)] as const);
      const json = alone(
        group(
          shards.map(([name]) => name),
          weight("a/kernel", [3]),
          weight("a/bias", [4]),
        ),
      );
      expect(await valuesOf(json, new Map(shards))).toEqual({
        "a/kernel": values.slice(0, 3),
        "a/bias": values.slice(3),
      });
    }
  });

  it("unpacks quantized weights: value = q · scale + min, rounded for int32", async () => {
    const affine = (dtype: string, scale: number, min: number) => ({ quantization: { dtype, scale, min } });
    const json = alone(
      group(
        ["s"],
        weight("a/kernel", [3], affine("uint8", 0.1, -1)),
        weight("b/kernel", [2], affine("uint16", 0.001, -30)),
        weight("c/kernel", [2], { dtype: "int32", ...affine("uint8", 1.3, -4) }),
        weight("d/kernel", [2], { quantization: { dtype: "float16" } }),
        weight("e/kernel", [1], affine("uint8", 0, 3.25)),
      ),
    );
    const data = Uint8Array.of(0, 7, 255, 1, 0, 255, 255, 1, 3, 0, 0x3c, 0, 0xc0, 0);
    const { remarks } = await readJson(json, new Map([["s", data]]));
    expect(remarks).toEqual({ quantizedWeights: { uint8: 3, uint16: 1, float16: 1 } });
    expect(await valuesOf(json, new Map([["s", data]]))).toEqual({
      "a/kernel": [-1, 7 * 0.1 - 1, 255 * 0.1 - 1].map(Math.fround),
      "b/kernel": [0.001 - 30, 65535 * 0.001 - 30].map(Math.fround),
      "c/kernel": [-3, 0],
      "d/kernel": [1, -2],
      "e/kernel": [3.25],
    });
  });

  it.each<[string, object, string, RegExp]>([
    [
      "a weight twice",
      alone(group(["s"], weight("a/kernel", [1]), weight("a/kernel:0", [1]))),
      "FILE_CORRUPT",
      /"a\/kernel" stands twice/,
    ],
    ["a shard twice", alone(group(["s"], weight("a/kernel", [1])), group(["s"])), "FILE_CORRUPT", /"s" stands twice/],
    ["text", alone(group(["s"], weight("a", [1], { dtype: "string" }))), "DTYPE_MISMATCH", /"a".*string/],
    ["an unknown type", alone(group(["s"], weight("a", [1], { dtype: "toString" }))), "FILE_CORRUPT", /"a": dtype/],
    ["a side below 0", alone(group(["s"], weight("a", [-1]))), "FILE_CORRUPT", /"a": shape/],
    [
      "a product past all numbers",
      alone(group(["s"], weight("a", [2 ** 30, 2 ** 30, 0]))),
      "FILE_CORRUPT",
      /"a": shape/,
    ],
    ["more than maxBytes", alone(group(["s"], weight("a/kernel", [2 ** 25]))), "FILE_TOO_LARGE", /134,217,728/],
    [
      "more than maxBytes once unpacked",
      alone(group(["s"], weight("a/kernel", [2 ** 25], { quantization: { dtype: "uint8", scale: 1, min: 0 } }))),
      "FILE_TOO_LARGE",
      /134,217,728/,
    ],
    [
      "a scale that is text",
      alone(group(["s"], weight("a", [1], { quantization: { dtype: "uint8", scale: "1", min: 0 } }))),
      "FILE_CORRUPT",
      /scale "1"/,
    ],
    [
      "float16 of int32",
      alone(group(["s"], weight("a", [1], { dtype: "int32", quantization: { dtype: "float16" } }))),
      "FILE_CORRUPT",
      /float16" for int32/,
    ],
    ["a group without weights", alone({ paths: ["s"] }), "FILE_CORRUPT", /group 1/],
    ["names that say nothing", alone(group(["s"], weight("0", [1]))), "ARCHITECTURE_UNKNOWN", /modelTopology is null/],
  ])("with %s is refused before a shard is asked for", async (_what, json, code, message) => {
    const file = openFile(json);
    const sibling = () => Promise.reject(new Error("A shard was asked for."));
    const error = await refusal(read({ ...file, sibling }, { maxBytes: 2 ** 26 }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it.each([
    "",
    "../s",
    "a/../../s",
    "/s",
    "//host/s",
    "\\s",
    "http://host/s",
    "file:s",
    "C:s",
    "a/%2e%2E/s",
    "a/.%2e/s",
    ".\t./s",
    " /s",
    "s\u0000",
  ])("with the path %j is refused", async (path) => {
    const error = await refusal(
      readJson(alone(group([path], weight("a/kernel", [1]))), new Map([[path, floatBytes(1)]])),
    );
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toContain("below the folder of the model");
  });

  it.each(["s", "a/b.bin", "group1-shard1of2", "..s", "a b", "é", "./s"])("with the path %j is read", async (path) => {
    expect(await valuesOf(alone(group([path], weight("a/kernel", [1]))), new Map([[path, floatBytes(1)]]))).toEqual({
      "a/kernel": [1],
    });
  });
});

/** Lets everything that is about to happen happen. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe("shards", () => {
  const json = alone(group(["s1", "s2", "s3"], weight("a/kernel", [5])));
  const shards = (...lengths: number[]): Files =>
    new Map(lengths.map((length, index) => [`s${index + 1}`, new Uint8Array(length)]));

  it.each<[string, Files, string, RegExp]>([
    ["the last too short", shards(8, 8, 3), "FILE_TRUNCATED", /"s3" is too short.*20 bytes.*found 19/],
    ["one in the middle too short", shards(8, 7, 4), "FILE_TRUNCATED", /"s2" is too short/],
    ["one too long", shards(8, 8, 5), "FILE_CORRUPT", /too long.*20 bytes/],
    ["one missing", new Map([...shards(8, 8)]), "FILE_NOT_FOUND", /s3/],
    [
      "a page in place of one",
      new Map([...shards(8, 8, 8), ["s3", new TextEncoder().encode("<!DOCTYPE html><html>")]]),
      "FILE_CORRUPT",
      /an HTML page/,
    ],
  ])("%s: refused by its name", async (_what, files, code, message) => {
    const error = await refusal(readJson(json, files));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it("a group without shards needs to need none", async () => {
    expect((await refusal(readJson(alone(group([], weight("a/kernel", [1])))))).code).toBe("FILE_TRUNCATED");
    expect(await valuesOf(alone(group([], weight("a/kernel", [0]))), new Map())).toEqual({ "a/kernel": [] });
  });

  it("are asked for four at a time, and no more once one failed or the load was aborted", async () => {
    const paths = Array.from({ length: 20 }, (_, i) => `s${i}`);
    const many = openFile(alone(group(paths, weight("a/kernel", [20]))));
    let asked = 0;
    let waiting = 0;
    let most = 0;
    const ask = async (answer: (count: number) => Uint8Array) => {
      const count = ++asked;
      most = Math.max(most, ++waiting);
      await new Promise((resolve) => setImmediate(resolve));
      waiting--;
      return answer(count);
    };
    await read({ ...many, sibling: () => ask(() => floatBytes(1)) }, { maxBytes: 2 ** 20 });
    expect([asked, most]).toEqual([20, 4]);

    asked = 0;
    const failing = (count: number) => {
      if (count === 2) throw new Error("disk");
      return floatBytes(1);
    };
    const error = await refusal(read({ ...many, sibling: () => ask(failing) }, { maxBytes: 2 ** 20 }));
    expect(error).toMatchObject({ code: "FILE_UNREADABLE", cause: { cause: new Error("disk") } });
    await turns(10);
    expect(asked).toBeLessThan(9);

    asked = 0;
    const controller = new AbortController();
    const reason = new Error("stop");
    const aborting = (count: number) => {
      if (count === 3) controller.abort(reason);
      return floatBytes(1);
    };
    const context = { maxBytes: 2 ** 20, signal: controller.signal };
    await expect(read({ ...many, sibling: () => ask(aborting) }, context)).rejects.toBe(reason);
    await turns(10);
    expect(asked).toBeLessThan(9);
  });
});

describe("a layers model", () => {
  const manifest = (...names: readonly string[]) => [group(["s"], ...names.map((name) => weight(name, [1, 1, 1, 1])))];
  const files = (count: number): Files =>
    new Map([["s", floatBytes(...Array.from({ length: count }, (_, i) => i + 1))]]);
  const kernels = async (json: unknown, count: number) => {
    const { content, format } = await readJson(json, files(count));
    if (content.kind !== "graph") throw new Error("Not a graph.");
    expect(format).toBe("TensorFlow.js layers model");
    return Object.fromEntries([...content.constants].map(([name, constant]) => [name, constant.read()[0]]));
  };

  it("is read whether its configuration is wrapped or not, and says who wrote it", async () => {
    const config = layersConfig(["a", "b"]);
    const wrapped = {
      format: "layers-model",
      generatedBy: "keras v2.15.0",
      convertedBy: "TensorFlow.js Converter v4.22.0",
      modelTopology: { keras_version: "2.15.0", backend: "tensorflow", model_config: config },
      weightsManifest: manifest("b/kernel", "a/kernel"),
      userDefinedMetadata: { note: "mine" },
    };
    expect(await kernels(wrapped, 2)).toEqual({ "a/kernel": 2, "b/kernel": 1 });
    expect(await kernels({ modelTopology: config, weightsManifest: manifest("a/kernel", "b/kernel") }, 2)).toEqual({
      "a/kernel": 1,
      "b/kernel": 2,
    });
    expect((await readJson(wrapped, files(2))).remarks).toEqual({
      format: "layers-model",
      generatedBy: "keras v2.15.0",
      convertedBy: "TensorFlow.js Converter v4.22.0",
      kerasVersion: "2.15.0",
      userDefinedMetadata: { note: "mine" },
    });
  });

  it("finds weights under the models around them, and refuses two that fit", async () => {
    const modelTopology = layersConfig(["a", "b"]);
    expect(await kernels({ modelTopology, weightsManifest: manifest("net/a/kernel", "x/y/b/kernel:0") }, 2)).toEqual({
      "a/kernel": 1,
      "b/kernel": 2,
    });
    expect(
      await kernels({ modelTopology, weightsManifest: manifest("net/a/kernel", "a/kernel", "b/kernel") }, 3),
    ).toEqual({
      "a/kernel": 2,
      "b/kernel": 3,
    });
    const error = await refusal(
      readJson({ modelTopology, weightsManifest: manifest("x/a/kernel", "y/a/kernel", "b/kernel") }, files(3)),
    );
    expect(error.code).toBe("ARCHITECTURE_UNKNOWN");
    expect(error.message).toMatch(/"a".*"x\/a", "y\/a"/);
  });
});

describe("a graph model", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const nodes = (padding: unknown, strides: readonly unknown[] = ["1", "2", "2", "1"]) => [
    {
      name: "x",
      op: "Placeholder",
      attr: {
        dtype: { type: "DT_FLOAT" },
        shape: { shape: { dim: [{ size: "-1" }, { size: "8" }, { size: 6 }, { size: "1" }] } },
      },
    },
    {
      name: "w",
      op: "Const",
      attr: { dtype: { type: "DT_FLOAT" }, value: { tensor: { dtype: "DT_FLOAT", tensorShape: {} } } },
    },
    {
      name: "y",
      op: "Conv2D",
      input: ["x", "w"],
      attr: {
        T: { type: "DT_FLOAT" },
        strides: { list: { i: strides } },
        dilations: { list: { i: ["1", "1", "1", "1"] } },
        padding: { s: padding },
        data_format: { s: base64("NHWC") },
        explicit_paddings: { list: {} },
        use_cudnn_on_gpu: { b: true },
      },
    },
    { name: "z", op: "Relu6", input: ["y"], attr: {} },
  ];
  const json = (node: unknown, more: object = {}) => ({
    format: "graph-model",
    modelTopology: { node, library: {}, versions: {} },
    weightsManifest: [group(["s"], weight("w", [1, 1, 1, 1]))],
    ...more,
  });
  const files: Files = new Map([["s", floatBytes(3)]]);

  it.each([base64("SAME"), [83, 65, 77, 69], "U0FNRQ"])("is read, with strings as %j", async (padding) => {
    const { content, format } = await readJson(json(nodes(padding)), files);
    if (content.kind !== "graph") throw new Error("Not a graph.");
    expect(format).toBe("TensorFlow.js graph model");
    expect(content.inputs).toEqual([{ name: "x", shape: [8, 6, 1] }]);
    expect(content.nodes[0]?.operation).toMatchObject({ type: "convolution", padding: "same", strides: [2, 2] });
    expect(content.outputs).toEqual(["z"]);
    expect([...(content.constants.get("w")?.read() ?? [])]).toEqual([3]);
  });

  it("takes results and the size of the input from the signature", async () => {
    const signature = {
      inputs: {
        x: {
          name: "x:0",
          dtype: "DT_FLOAT",
          tensorShape: { dim: [{ size: "-1" }, { size: "8" }, { size: "6" }, { size: "1" }] },
        },
      },
      outputs: { y: { name: "y:0" }, gone: { name: "gone:0" } },
    };
    for (const more of [{ signature }, { userDefinedMetadata: { signature } }]) {
      const { content, facts, remarks } = await readJson(json(nodes(base64("SAME")), more), files);
      if (content.kind !== "graph") throw new Error("Not a graph.");
      expect(content.outputs).toEqual(["y"]);
      expect(facts).toEqual({ inputSize: { value: [8, 6], basis: "stated", from: "signature" } });
      expect(remarks).toEqual({ format: "graph-model" });
    }
    const broken = { signature: { inputs: { x: { tensorShape: { dim: [{ size: "many" }] } } }, outputs: 3 } };
    expect((await readJson(json(nodes(base64("SAME")), broken), files)).facts).toEqual({});
  });

  it.each<[string, unknown, RegExp]>([
    ["a node without a name", [{ op: "Const" }], /node 1/],
    ["inputs that are no names", [{ name: "a", op: "Add", input: [1] }], /"a": input/],
    ["strings that are no base64", nodes("%"), /"y": attribute "padding"/],
    ["integers that are none", nodes(base64("SAME"), ["1", "2.5", "2", "1"]), /"y": attribute "strides"/],
    ["attributes that are no object", [{ name: "a", op: "Add", attr: { T: 3 } }], /"a": attribute "T"/],
  ])("of %s is FILE_CORRUPT, naming it", async (_what, node, message) => {
    const error = await refusal(readJson(json(node), files));
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toMatch(message);
  });
});

describe("a file of our own", () => {
  const files = () => encodeTfjs(mobileNet(MOBILE_NETS["output stride 8"] ?? {}));
  const edited = (change: (json: { userDefinedMetadata: Record<string, unknown> }) => void): Files => {
    const all = new Map(files());
    const json = JSON.parse(new TextDecoder().decode(all.get("model.json")));
    change(json);
    return all.set("model.json", new TextEncoder().encode(JSON.stringify(json)));
  };

  it("states what its metadata states", async () => {
    const { facts, remarks } = withStatements(await readFiles(files()), "test", decodedBudget(), ["mobilenet_v1"]);
    expect(facts.alpha).toEqual({ value: 0.05, basis: "stated", from: "metadata" });
    expect(facts.outputStride).toMatchObject({ value: 8, basis: "stated" });
    expect(remarks["userDefinedMetadata"]).toBeUndefined();
  });

  it.each<[string, (user: Record<string, unknown>) => void, RegExp]>([
    [
      "metadata that is no text",
      (user) => Object.assign(user["depthwise"] as object, { alpha: 1 }),
      /object of strings/,
    ],
    ["a dilation that is no pair", (user) => Object.assign(user, { dilations: { conv_dw_7: 2 } }), /dilations/],
    ["a dilation of 0", (user) => Object.assign(user, { dilations: { conv_dw_7: [0, 1] } }), /dilations/],
    [
      "a dilation that does not fit",
      (user) => Object.assign(user, { dilations: { conv_dw_7: [3, 3] } }),
      /conv_dw_7\/depthwise_kernel.*fit/,
    ],
    [
      "a dilation of numbers that are no zeros",
      (user) => Object.assign(user, { dilations: { conv_dw_1: [2, 2] } }),
      /conv_dw_1.*zeros/,
    ],
  ])("with %s is FILE_CORRUPT", async (_what, change, message) => {
    const error = await refusal(readFiles(edited(({ userDefinedMetadata }) => change(userDefinedMetadata))));
    expect(error).toBeInstanceOf(DepthwiseError);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toMatch(message);
  });
});
