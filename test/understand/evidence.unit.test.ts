/** @slow: it takes 4 seconds. */

/**
 * Take one piece of evidence away, and the decision that rested on it is inferred or assumed, or the file is refused by
 * name: never stated in silence.
 */

import { describe, expect, it } from "vitest";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import type { Layer } from "../fixtures/keras-models.ts";
import { folded, type Sample, sample } from "../fixtures/sample-networks.ts";
import { frozenGraph, tfjsGraphModel } from "../writers/as-graph-def.ts";
import { kerasArchive, kerasLayers, kerasWeightsH5, kerasWholeH5, tfjsLayers } from "../writers/as-keras.ts";
import { onnxFile } from "../writers/as-onnx.ts";
import { type FamilyName, namedTensors, safetensors } from "../writers/as-tensors.ts";
import { tfliteFile } from "../writers/as-tflite.ts";
import { flatbuffer, withZip } from "../writers/tflite.ts";

const tiny = { alpha: 0.1, resolution: 32, classes: 3 } as const;
const plain = sample("plain", tiny, 1);
const symmetric = sample("symmetric", { ...tiny, padding: "symmetric" }, 2);
const odd = sample("odd", { ...tiny, resolution: 37, padding: "keras" }, 3);

/** Of each decision its basis and value: "stated 0.001". */
async function decisions(source: ModelSource, given: LoadOptions = {}): Promise<Readonly<Record<string, string>>> {
  const { decisions: all } = describeModel(await loadModel(source, given));
  return Object.fromEntries(all.map(({ name, basis, value }) => [name, `${basis} ${JSON.stringify(value)}`]));
}

async function refusal(source: ModelSource, given: LoadOptions = {}): Promise<string> {
  const error: unknown = await loadModel(source, given).then(
    () => new Error("it was read"),
    (cause: unknown) => cause,
  );
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return `${code} ${message}`;
}

const understoodBy = async (source: ModelSource) => describeModel(await loadModel(source)).understoodBy;

const text = (value: string) => new TextEncoder().encode(value);
const file = (name: string, content: Uint8Array | object) =>
  new File([content instanceof Uint8Array ? (content as Uint8Array<ArrayBuffer>) : JSON.stringify(content)], name);

/** The layers with another setting in some of them; undefined takes a setting away. */
const withConfig = (layers: readonly Layer[], className: string, config: Record<string, unknown>) =>
  layers.map((one) => (one.className === className ? { ...one, config: { ...one.config, ...config } } : one));

describe("the size of the input", () => {
  const closed: Readonly<Record<string, () => ModelSource | Promise<ModelSource>>> = {
    "Keras HDF5": () => kerasWholeH5(kerasLayers(plain)),
    ".keras": () => kerasArchive(kerasLayers(plain)),
    "TensorFlow.js layers": () => tfjsLayers(kerasLayers(plain)),
    "TensorFlow.js graph": () => tfjsGraphModel(plain),
    "frozen graph": () => frozenGraph(plain),
    ONNX: () => onnxFile(plain),
    TFLite: () => tfliteFile(folded(plain), "float32"),
  };
  const open: typeof closed = {
    "Keras HDF5": () => kerasWholeH5(kerasLayers(plain, { isOpen: true })),
    ".keras": () => kerasArchive(kerasLayers(plain, { isOpen: true })),
    "TensorFlow.js layers": () => tfjsLayers(kerasLayers(plain, { isOpen: true })),
    "TensorFlow.js graph": () => tfjsGraphModel(plain, { isOpen: true }),
    "frozen graph": () => frozenGraph(plain, { isOpen: true }),
    ONNX: () => onnxFile(plain, { isOpen: true }),
    TFLite: () => tfliteFile(folded(plain), "float32", { isOpen: true }),
  };

  it.each(Object.keys(closed))("is stated by the input's shape in %s, and assumed without it", async (format) => {
    expect(await decisions(await closed[format]!())).toMatchObject({ inputSize: "stated [32,32]" });
    const found = await decisions(await open[format]!());
    expect(found).toMatchObject({ resolution: "assumed 224" });
    expect(found).not.toHaveProperty("inputSize");
  });

  it("is inferred from the window of the last pool, by the strides before it", async () => {
    const usual = sample("usual", { ...tiny, resolution: 64 }, 1);
    const pooled = await decisions(onnxFile(usual, { isOpen: true, poolWindow: usual.map }));
    expect(pooled).toMatchObject({ inputSize: "inferred [64,64]" });
    const blocks = mobileNetV1(tiny).info.options!["blocks"] as NonNullable<MobileNetV1Options["blocks"]>;
    const halved = blocks.map(({ filters }, i) => ({ filters, stride: i < 4 ? 1 : i % 5 === 0 ? 2 : 1 }));
    const own = sample("own", { ...tiny, resolution: 32, blocks: halved }, 1);
    const found = await decisions(onnxFile(own, { isOpen: true, poolWindow: own.map }));
    expect(found).toMatchObject({ inputSize: "inferred [32,32]" });
  });
});

describe("a pool before the classifier", () => {
  const larger = sample("larger", { ...tiny, resolution: 96 }, 1);

  it("of the whole map is the network's average", async () => {
    expect(larger.map).toEqual([3, 3]);
    expect(await decisions(frozenGraph(larger, { poolWindow: [3, 3] }))).toMatchObject({ classes: "inferred 3" });
    expect(await decisions(onnxFile(larger, { poolWindow: [3, 3] }))).toMatchObject({ classes: "inferred 3" });
  });

  it("of a part of it is refused: there would be several answers", async () => {
    const why = "It is no MobileNet V1 either \\(.* pools 2 × 2 of 3 × 3 features, not all\\)";
    expect(await refusal(frozenGraph(larger, { poolWindow: [2, 2] }))).toMatch(
      new RegExp(`ARCHITECTURE_UNKNOWN .*"net/squeeze" lays 2 × 2 × 3 numbers out anew. ${why}`),
    );
    expect(await refusal(onnxFile(larger, { poolWindow: [2, 2], head: "Conv" }))).toMatch(
      new RegExp(`ARCHITECTURE_UNKNOWN .* 12 numbers that were flattened channel by channel. ${why}`),
    );
  });
});

describe("padding", () => {
  it("is stated where the file says it in so many words", async () => {
    for (const [one, padding] of [
      [plain, "same"],
      [symmetric, "symmetric"],
      [odd, "keras"],
    ] as const) {
      const sources = [onnxFile(one), frozenGraph(one), tfliteFile(folded(one), "float32"), tfjsGraphModel(one)];
      for (const source of [...sources, await kerasWholeH5(kerasLayers(one)), tfjsLayers(kerasLayers(one))]) {
        expect(await decisions(source)).toMatchObject({ padding: `stated "${padding}"` });
      }
    }
  });

  it("is inferred where only its pixels are there", async () => {
    const { decisions: found } = describeModel(await loadModel(onnxFile(plain, { pads: "pixels" })));
    expect(found.find(({ name }) => name === "padding")).toMatchObject({
      value: "same",
      basis: "inferred",
      from: 'pads of every layer at 32 × 32; "keras" would be the same there',
    });
    expect(await decisions(onnxFile(plain, { pads: "pixels", isOpen: true }))).toMatchObject({
      padding: 'inferred "same"',
    });
  });

  it("that is left out means none by the format's rules, which no MobileNet has", async () => {
    // Layer by layer it runs as far as there is something left of the picture.
    expect(await refusal(onnxFile(plain, { pads: "none" }))).toMatch(
      /NETWORK_VANISHES .*pad in no known style \("Conv_1": \[\[0,0\]/,
    );
    const layers = withConfig(kerasLayers(plain), "Conv2D", { padding: undefined });
    expect(await understoodBy(await kerasWholeH5(layers))).toMatch(/no MobileNet V1: .*"conv2d"/);
    const wild = withConfig(kerasLayers(plain), "DepthwiseConv2D", { padding: "reflect" });
    expect(await refusal(await kerasWholeH5(wild))).toMatch(/padding of layer "depthwise_conv2d".*"reflect"/);
  });

  it("and its layers' strides are checked layer by layer", async () => {
    const rows = plain.rows.map((row, i) => (i === 5 ? { ...row, pads: ONE_BEFORE, padding: ONE_BEFORE } : row));
    expect(await understoodBy(onnxFile({ ...plain, rows }))).toMatch(/no MobileNet V1: .*pad in no known style/);
  });
});

const ONE_BEFORE = [
  [1, 0],
  [1, 0],
] as const;

describe("the activation", () => {
  const bytes = folded(plain);
  const relu = folded(sample("relu", { ...tiny, activation: "relu" }, 4));

  it("is stated by an operation, inferred from a range of bytes", async () => {
    expect(await decisions(tfliteFile(bytes, "uint8"))).toMatchObject({ activation: 'stated "relu6"' });
    for (const kind of ["uint8", "int8"] as const) {
      const byRange = (one: Sample) => decisions(tfliteFile(one, kind, { activation: "range" }));
      expect(await byRange(bytes)).toMatchObject({ activation: 'inferred "relu6"' });
      expect(await byRange(relu)).toMatchObject({ activation: 'inferred "relu"' });
    }
  });

  it("makes it no MobileNet V1 where one layer has another: it is run as the file says", async () => {
    const rows = plain.rows.map((row, i) => (i === 7 ? { ...row, activation: "relu" as const } : row));
    const without = plain.rows.map((row, i) => (i === 7 ? { ...row, activation: "linear" as const } : row));
    const reason = (other: string) => new RegExp(`no MobileNet V1: .* ends in ${other} where others end in relu6`);
    for (const write of [onnxFile, frozenGraph, tfjsGraphModel]) {
      expect(await understoodBy(write({ ...plain, rows }))).toMatch(reason("relu"));
      expect(await understoodBy(write({ ...plain, rows: without }))).toMatch(reason("linear"));
    }
    expect(await understoodBy(await kerasWholeH5(kerasLayers({ ...plain, rows })))).toMatch(reason("relu"));
    const tflite = bytes.rows.map((row, i) => (i === 7 ? { ...row, activation: "linear" as const } : row));
    const source = tfliteFile({ ...bytes, rows: tflite }, "float32");
    expect(await understoodBy(source)).toMatch(/"layer_7" ends in linear/);
    const { layers } = await loadModel(source);
    expect(layers.filter(({ type }) => type === "activation")).toHaveLength(bytes.rows.length - 2);
  });

  it("that no layer has is inferred from there being none", async () => {
    const linear = sample("linear", { ...tiny, activation: "linear" }, 8);
    for (const source of [onnxFile(linear), frozenGraph(linear), tfliteFile(folded(linear), "int8")]) {
      expect(await decisions(source)).toMatchObject({ activation: 'inferred "linear"' });
    }
  });

  it("with bounds that no MobileNet has is refused by name", async () => {
    expect(await refusal(onnxFile(plain, { top: 5 }))).toMatch(/ARCHITECTURE_UNKNOWN .*"Clip_\d+" is a Clip/);
    const layers = withConfig(kerasLayers(plain), "ReLU", { max_value: 5 });
    expect(await refusal(await kerasWholeH5(layers))).toMatch(/"re_lu" is a ReLU with bounds of its own/);
  });
});

describe("epsilon", () => {
  const fine = sample("fine", { ...tiny, epsilon: 1e-5 }, 5);

  it("is stated with batch norm, and no question without it", async () => {
    const { rows } = fine;
    const sources = [onnxFile(fine), frozenGraph(fine), frozenGraph(fine, { normalization: "written out" })];
    for (const source of [...sources, tfjsLayers(kerasLayers(fine)), await kerasArchive(kerasLayers(fine))]) {
      expect(await decisions(source)).toMatchObject({ epsilon: "stated 0.00001", batchNorm: "inferred true" });
    }
    for (const source of [onnxFile(folded(fine)), tfliteFile(folded(fine), "float32")]) {
      const found = await decisions(source);
      expect(found).not.toHaveProperty("epsilon");
      expect(found).toMatchObject({ batchNorm: "inferred false" });
    }
    expect(rows.length).toBe(28);
  });

  it("that differs between layers leaves nothing but to fold it", async () => {
    const layers = kerasLayers(fine).map((one) =>
      one.name === "batch_normalization_3" ? { ...one, config: { ...one.config, epsilon: 1e-2 } } : one,
    );
    expect(await decisions(await kerasWholeH5(layers))).toMatchObject({ batchNorm: "inferred false" });
  });
});

describe("tensors by name", () => {
  const UNSAID = ["padding", "epsilon", "activation", "resolution"] as const;
  const families: readonly FamilyName[] = [
    ...(["Keras in HDF5's spelling", "Hugging Face", "timm", "PyTorch conv_bn and conv_dw", "TF-slim"] as const),
    ...(["numbers in PyTorch's layout", "numbers in Keras' layout", "features as in torchvision"] as const),
  ];

  it.each(families)("of %s say nothing of padding, epsilon, activation, range and size", async (family) => {
    const source = safetensors(namedTensors(plain, family));
    const model = describeModel(await loadModel(source));
    const bases = new Map(model.decisions.map(({ name, basis }) => [name, basis]));
    for (const name of UNSAID) expect([name, bases.get(name)]).toEqual([name, "assumed"]);
    expect([bases.get("range") ?? "assumed", bases.get("mean") ?? "assumed"]).toEqual(["assumed", "assumed"]);
    const doubted = model.doubts.map((doubt) => doubt.split(" ")[0]);
    for (const name of UNSAID) expect(doubted).toContain(name);
    expect(await decisions(source, { padding: "keras", epsilon: 0.01 })).toMatchObject({
      padding: 'given "keras"',
      epsilon: "given 0.01",
      activation: expect.stringMatching(/^assumed/),
    });
  });

  it("in HDF5 say as little", async () => {
    const found = await decisions(await kerasWeightsH5(kerasLayers(plain)));
    for (const name of UNSAID) expect(found[name]).toMatch(/^assumed/);
  });
});

describe("metadata of ours", () => {
  const model = plain.model;
  const entries = { alpha: "0.1", resolution: "32", padding: "same", activation: "relu6", epsilon: "0.001" };
  const write = (metadata: Record<string, string>) =>
    safetensors(namedTensors(plain, "Keras in HDF5's spelling"), { metadata });

  it.each(Object.keys(entries) as (keyof typeof entries)[])("without %s leaves it to the tensors", async (name) => {
    expect((await decisions(write(entries)))[name]).toMatch(/^stated/);
    const { [name]: _, ...others } = entries;
    expect((await decisions(write(others)))[name]).toMatch(name === "alpha" ? /^inferred/ : /^assumed/);
  });

  it("in TensorFlow.js is not needed to read the layers", async () => {
    const files = [...encodeTfjs(model)].map(([name, bytes]) => file(name, bytes));
    expect(await decisions(files)).toMatchObject({ alpha: "stated 0.1", padding: 'stated "same"' });
    const json = JSON.parse(await files.find(({ name }) => name === "model.json")!.text()) as Record<string, unknown>;
    const { userDefinedMetadata: _, ...foreign } = json;
    const others = files.filter(({ name }) => name !== "model.json");
    const found = await decisions([...others, file("model.json", foreign)]);
    expect(found).toMatchObject({ alpha: "inferred 0.1", padding: 'stated "same"', range: "assumed [-1,1]" });
    const bare = await decisions([...others, file("model.json", { ...foreign, modelTopology: null })]);
    expect(bare).toMatchObject({ padding: 'assumed "same"', resolution: "assumed 224" });
  });

  it("keeps what was only assumed an assumption", async () => {
    const loaded = await loadModel(safetensors(namedTensors(plain, "timm")), { resolution: 32 });
    const again = await decisions(encodeModel(loaded));
    expect(again).toMatchObject({ padding: 'assumed "symmetric"', resolution: "given 32" });
  });
});

describe("files beside those of Hugging Face", () => {
  const weights = file("model.safetensors", safetensors(namedTensors(plain, "Hugging Face")));
  const config = {
    depth_multiplier: 0.1,
    min_depth: 1,
    image_size: 32,
    tf_padding: false,
    hidden_act: "relu",
    layer_norm_eps: 1e-5,
    id2label: { 0: "cat", 1: "dog", 2: "owl" },
  };
  const preprocessor = { image_mean: [0.4, 0.5, 0.6], image_std: [0.2, 0.2, 0.2] };
  const given = { channelRounding: "truncate" } as const;
  const load = (json: object, ...others: readonly File[]) =>
    decisions([weights, file("config.json", json), ...others], given);
  const FROM = {
    alpha: ["depth_multiplier", /^inferred 0.1$/],
    resolution: ["image_size", /^assumed 224$/],
    padding: ["tf_padding", /^assumed "same"$/],
    activation: ["hidden_act", /^assumed "relu6"$/],
    epsilon: ["layer_norm_eps", /^assumed 0.001$/],
    labels: ["id2label", /^nothing$/],
  } as const;

  it.each(Object.keys(FROM) as (keyof typeof FROM)[])("state %s, each in an entry of its own", async (name) => {
    const [key, otherwise] = FROM[name];
    expect((await load(config))[name]).toMatch(/^stated/);
    const { [key]: _, ...others } = config;
    expect((await load(others))[name] ?? "nothing").toMatch(otherwise);
  });

  it("state the range, or it is assumed", async () => {
    const said = await load(config, file("preprocessor_config.json", preprocessor));
    expect(said).toMatchObject({ mean: "stated [0.4,0.5,0.6]" });
    expect(await load(config)).toMatchObject({ range: "assumed [-1,1]" });
  });

  it("may be missing altogether", async () => {
    const found = await decisions([weights, file("readme.md", text("nothing"))], given);
    for (const name of ["padding", "epsilon", "activation", "resolution", "range"])
      expect(found[name]).toMatch(/^assumed/);
    expect(found["alpha"]).toBe("inferred 0.1");
  });

  it("with labels for other classes are refused", async () => {
    const few = { ...config, id2label: { 0: "cat", 1: "dog" } };
    expect(await refusal([weights, file("config.json", few)], given)).toMatch(/CLASSES_MISMATCH .*labels/);
  });
});

describe("what TFLite says of its input and its classes", () => {
  const one = folded(plain);
  const normalization = (mean: number, deviation: number) =>
    flatbuffer({ 3: ["tables", [{ 2: ["tables", [{ 4: ["tables", [options(mean, deviation)]] }]] }]] }, "M001");
  const options = (mean: number, deviation: number) =>
    ({ 0: ["int8", 1], 1: ["table", { 0: ["float32s", [mean]], 1: ["float32s", [deviation]] }] }) as const;
  const range = async (settings: Parameters<typeof tfliteFile>[2], kind: "float32" | "uint8" = "float32") =>
    (await decisions(tfliteFile(one, kind, settings)))["range"];

  it("is the range: by NormalizationOptions, by the scale of bytes, else assumed", async () => {
    expect(await range({})).toBe("assumed [-1,1]");
    expect(await range({ metadata: { TFLITE_METADATA: normalization(0, 255) } })).toBe("stated [0,1]");
    expect(await range({}, "uint8")).toBe("stated [-1,0.9921875]");
    expect(await range({ input: { type: "float32" } }, "uint8")).toBe("assumed [-1,1]");
  });

  it("holds for what the graph then does to it", async () => {
    expect(await range({ hasFront: true })).toBe("inferred [-1,1]");
    const metadata = { TFLITE_METADATA: normalization(0, 255) };
    expect(await range({ hasFront: true, metadata })).toBe("stated [-1,1]");
    const input = { type: "uint8", scale: [1 / 255], zeroPoint: [0] } as const;
    expect(await range({ hasFront: true, input })).toBe("stated [-1,1]");
    expect((await decisions(frozenGraph(plain, { hasFront: true })))["range"]).toBe("inferred [-1,1]");
    expect((await decisions(tfjsGraphModel(plain, { hasFront: true })))["range"]).toBe("inferred [-1,1]");
    expect((await decisions(frozenGraph(plain)))["range"]).toBe("assumed [-1,1]");
  });

  it("is the labels, if they are inside and as many as the classes", async () => {
    const bytes = tfliteFile(one, "float32");
    const labels = async (lines: string) => (await decisions(withZip(bytes, { "labels.txt": text(lines) })))["labels"];
    expect(await labels("cat\ndog\nowl\n")).toBe('stated ["cat","dog","owl"]');
    expect(await labels("cat\ndog\n")).toBeUndefined();
    expect((await decisions(bytes))["labels"]).toBeUndefined();
  });
});

describe("the order of pixels", () => {
  const grey = sample("grey", { ...tiny, inputChannels: 1 }, 6);

  it("may change from channels last to channels first", async () => {
    expect(await decisions(onnxFile(grey, { isChannelsLast: true }))).toMatchObject({ inputSize: "stated [32,32]" });
  });

  it("with height and width swapped is another picture", async () => {
    const swapped = onnxFile(plain, { isChannelsLast: true, perm: [0, 3, 2, 1] });
    expect(await refusal(swapped)).toMatch(/ARCHITECTURE_UNKNOWN .*"Transpose_\d+" is a Transpose/);
  });
});
