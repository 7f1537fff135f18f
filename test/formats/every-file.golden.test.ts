/**
 * Every file beside the project, as others published it: read, run on the reference's bytes, compared with the
 * logits that PyTorch computed in float64 from the same numbers (or with those of the file's own runtime).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { withParameters } from "../../src/layers/network.ts";
import { compile } from "../../src/session/compile.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadedModel, loadModel } from "../../src/weights/load-model.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const root = sharedRoot ?? "";
const floats = (...path: string[]): Float32Array => {
  const bytes = readFileSync(join(root, ...path));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

interface Index {
  readonly networks: Record<string, { readonly logits: string; readonly float32_against_float64: number }>;
}
const index = (): Index => JSON.parse(readFileSync(join(root, "reference", "index.json"), "utf8"));

type Feed = (byte: number, channel: number) => number;
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];
const FEEDS = {
  signed: (byte) => byte / 127.5 - 1,
  unit: (byte) => byte / 255,
  imagenet: (byte, c) => (byte / 255 - MEAN[c]!) / DEVIATION[c]!,
} satisfies Record<string, Feed>;

interface Case {
  /** In `weights/`, or `../derived/…`; two are joined. */
  readonly files: readonly string[];
  readonly size: 96 | 128 | 160 | 224;
  readonly feed: keyof typeof FEEDS;
  /** A network of the reference's index: its weights are these, or these rounded to float16. */
  readonly network: string;
  readonly rounded?: string;
  /** Logits of the file's own runtime in place of the network's. */
  readonly original?: string;
  /** Only the first so many outputs of the reference. */
  readonly outputs?: number;
  readonly alpha: number;
  readonly classes: number;
}

const TENSORFLOW = { feed: "signed", classes: 1001 } as const;
const CASES: readonly Case[] = [
  { files: ["mobilenet_v1_0.25_128_quant.tflite"], size: 128, network: "v1-0.25-128", alpha: 0.25, ...TENSORFLOW },
  { files: ["mobilenet_v1_0.5_160_quant.tflite"], size: 160, network: "v1-0.5-160", alpha: 0.5, ...TENSORFLOW },
  {
    files: ["mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", "mobilenet_quant_v1_224_head_layers.tflite"],
    size: 224,
    network: "v1-1.0-224",
    rounded: "../derived/mobilenet_v1_1.0_224_f16.safetensors",
    alpha: 1,
    ...TENSORFLOW,
  },
  {
    files: ["mobilenet_v1_0.25_224_1_default_1.tflite"],
    size: 224,
    network: "v1-0.25-224",
    rounded: "../derived/mobilenet_v1_0.25_224_f16.safetensors",
    alpha: 0.25,
    ...TENSORFLOW,
  },
  {
    files: ["mobilenet_v1_0.25_128_frozen_graph.pb"],
    size: 128,
    network: "v1-0.25-128-frozen",
    alpha: 0.25,
    ...TENSORFLOW,
  },
  {
    files: ["tfjs_layers_0.25_224/model.json"],
    size: 224,
    feed: "signed",
    network: "v1-0.25-224-unfolded",
    alpha: 0.25,
    classes: 1000,
  },
  {
    files: ["tfjs_graph_0.25_224/model.json"],
    size: 224,
    network: "v1-0.25-224",
    original: "tfjs_graph_0.25_224.logits.f32",
    alpha: 0.25,
    ...TENSORFLOW,
  },
  {
    files: ["mobilenetV1X0.25_pretrain.tar"],
    size: 224,
    feed: "imagenet",
    network: "v1-0.25-224-torch",
    alpha: 0.25,
    classes: 1000,
  },
  { files: ["vww_96.h5"], size: 96, feed: "unit", network: "vww-0.25-96", alpha: 0.25, classes: 2 },
  { files: ["vww_96_float.tflite"], size: 96, feed: "unit", network: "vww-0.25-96", alpha: 0.25, classes: 2 },
  {
    files: ["../derived/mobilenet_v1_0.25_128.safetensors"],
    size: 128,
    network: "v1-0.25-128",
    alpha: 0.25,
    ...TENSORFLOW,
  },
  {
    files: ["../derived/mobilenet_v1_0.25_224_f16.safetensors"],
    size: 224,
    network: "v1-0.25-224",
    alpha: 0.25,
    ...TENSORFLOW,
  },
  {
    files: ["../derived/mobilenet_v1_0.25_224_unfolded.safetensors"],
    size: 224,
    feed: "signed",
    network: "v1-0.25-224-unfolded",
    alpha: 0.25,
    classes: 1000,
  },
  {
    files: ["../derived/mobilenet_v1_1.0_224_f16.safetensors"],
    size: 224,
    network: "v1-1.0-224",
    alpha: 1,
    ...TENSORFLOW,
  },
  {
    files: ["../derived/mobilenet_v1_0.25_224_first100.onnx"],
    size: 224,
    feed: "signed",
    network: "v1-0.25-224-unfolded",
    outputs: 100,
    alpha: 0.25,
    classes: 100,
  },
];

const path = (file: string) => join(root, "weights", file);

function load(files: readonly string[]): Promise<LoadedModel> {
  const [first = "", second] = files.map(path);
  return loadModel(second === undefined ? first : [first, second]);
}

/** The same network with the reference's rounded kernels, after a look that they are ours but for that rounding. */
async function rounded(model: LoadedModel, file: string): Promise<LoadedModel> {
  const { parameters } = await loadModel(path(file));
  for (const [name, { data }] of model.parameters) {
    const reference = parameters.get(name)!.data;
    const half = name.endsWith("kernel") ? 2 ** -11 : 0;
    const apart = data.findIndex(
      (value, i) => Math.abs(value - reference[i]!) > half * Math.abs(value) * 1.001 + half * 2 ** -14,
    );
    expect([name, apart]).toEqual([name, -1]);
  }
  return withParameters(model, parameters);
}

/** Logits (or another output) of all pictures, one row each. */
async function run(
  model: LoadedModel,
  { size, feed }: Pick<Case, "size" | "feed">,
  output: "logits" | "embedding" = "logits",
) {
  const bytes = readFileSync(join(root, "reference", `inputs-${size}.bin`));
  const pictures = bytes.length / (size * size * 3);
  const session = await compile(model, { backend: "wasm", threads: 1 });
  const toInput: Feed = FEEDS[feed];
  const rows: Float32Array[] = [];
  for (let p = 0; p < pictures; p++) {
    const picture = bytes.subarray(p * size * size * 3, (p + 1) * size * size * 3);
    rows.push((await session.run(Float32Array.from(picture, (byte, i) => toInput(byte, i % 3))))[output]!.data);
  }
  session.close();
  return rows;
}

function compare(rows: readonly Float32Array[], expected: Float32Array, outputs?: number) {
  const width = expected.length / rows.length;
  let difference = 0;
  let agreeing = 0;
  rows.forEach((row, p) => {
    const reference = expected.subarray(p * width, p * width + (outputs ?? width));
    expect(row.length).toBe(reference.length);
    row.forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - reference[i]!));
    });
    if (row.indexOf(Math.max(...row)) === reference.indexOf(Math.max(...reference))) agreeing++;
  });
  return { difference, agreeing };
}

describeShared("every file beside the project", () => {
  const table: string[] = [];

  it.each(CASES.map((row) => [row.files.join(" + "), row] as const))(
    "%s gives the logits of its weights",
    async (name, row) => {
      const loaded = await load(row.files);
      const { format, decisions, doubts } = describeModel(loaded);
      expect(loaded.info.options).toMatchObject({ alpha: row.alpha, classes: row.classes });
      const model = row.rounded === undefined ? loaded : await rounded(loaded, row.rounded);
      const { logits, float32_against_float64: noise } = index().networks[row.network]!;
      const expected =
        row.original === undefined
          ? floats("reference", logits)
          : floats("reference", "outputs", "originals", row.original);
      const rows = await run(model, row);
      const { difference, agreeing } = compare(rows, expected, row.outputs);
      const said = decisions.filter((d) => ["padding", "activation", "epsilon", "range", "mean"].includes(d.name));
      table.push(
        `| ${name} | ${format} | α ${row.alpha}, ${model.inputShape.join("×")}, ${row.classes} | ${said.map((d) => `${d.name} ${JSON.stringify(d.value)} ${d.basis}`).join("; ")} | ${difference.toExponential(1)} (${(difference / noise).toFixed(1)} × noise) | ${agreeing} of ${rows.length} | ${doubts.length} |`,
      );
      expect(difference).toBeLessThanOrEqual(8 * noise);
      expect(agreeing).toBe(rows.length);
    },
  );

  it("weights without a classifier give the features of the same network with one, bit for bit", async () => {
    const [whole, bare] = [
      await load(["tfjs_layers_0.25_224/model.json"]),
      await load(["mobilenet_2_5_224_tf_no_top.h5"]),
    ];
    expect(bare.parameters.size).toBe(135);
    for (const [name, { data }] of bare.parameters) expect(whole.parameters.get(name)?.data, name).toEqual(data);
    const options = { size: 224, feed: "signed" } as const;
    expect(await run(bare, options, "embedding")).toEqual(await run(whole, options, "embedding"));
    expect(describeModel(bare).doubts.join(" ")).toMatch(/padding "same" is assumed.*range/s);
  });

  it("three forms of one network give the same logits, the quantized one within its rounding", async () => {
    const options = { size: 96, feed: "unit" } as const;
    const [h5, float, int8] = await Promise.all(
      ["vww_96.h5", "vww_96_float.tflite", "vww_96_int8.tflite"].map(async (file) => run(await load([file]), options)),
    );
    const apart = (a: Float32Array[], b: Float32Array[]) =>
      Math.max(...a.flatMap((row, p) => Array.from(row, (value, i) => Math.abs(value - b[p]![i]!))));
    expect(apart(h5!, float!)).toBeLessThan(1e-5);
    // 0.149 is what TensorFlow Lite's integers give against the same logits.
    expect(apart(h5!, int8!)).toBeLessThan(0.15);
    for (const [p, row] of h5!.entries()) expect(row[1]! > row[0]!, `${p}`).toBe(int8![p]![1]! > int8![p]![0]!);
  });

  it.each([
    ["person_detect.tflite", /first layer is a depthwise convolution/],
    ["mobilenet_v2_1.0_224_quant.tflite", /MobileNet V2/],
    ["kws_ref_model_float32.tflite", /separable network of 4 depthwise layers on 49 × 10 × 1/],
    ["pretrainedResnet_quant.tflite", /ResNet/],
    [
      "mobilenet_quant_v1_224_head_layers.tflite",
      /a single convolution, such as the classifier of a network cut in two/,
    ],
  ])("%s is a network of its own, by what it looks like", async (file, expected) => {
    const model = await loadModel(path(file));
    expect(model.info.architecture).toBe("custom");
    expect(describeModel(model).understoodBy).toMatch(expected);
  });

  it.each([
    ["mobilenetv3sm_Final.pth", /MobileNet V3/],
    ["keras_lstm_mnist_ptq.tflite", /recurrent network \(.*LSTM.* is a UNIDIRECTIONAL_SEQUENCE_LSTM/],
  ])("%s is refused by name", async (file, expected) => {
    const refused = loadModel(path(file));
    await expect(refused).rejects.toBeInstanceOf(DepthwiseError);
    await expect(refused).rejects.toMatchObject({
      code: "ARCHITECTURE_UNKNOWN",
      message: expect.stringMatching(expected),
    });
  });

  it("a manifest without a topology is refused with a clear word", async () => {
    const refused = loadModel(path("tfjs_layers_0.25_224_no_topology/model.json"));
    await expect(refused).rejects.toThrow(/modelTopology is null/);
  });

  it("prints the table of the closing note when asked to", () => {
    expect(table).toHaveLength(CASES.length);
    if (process.env["DEPTHWISE_TABLES"] !== undefined) console.log(table.join("\n"));
  });
});
