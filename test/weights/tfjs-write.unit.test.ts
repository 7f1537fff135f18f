/** @slow: it takes 3 seconds. */

/** Written layers models, run by TensorFlow.js itself and read back. */

import "@tensorflow/tfjs-backend-cpu";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import type { Fact } from "../../src/formats/fact.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { activation, averagePool, conv2d, maxPool, type Network, sequential } from "../../src/layers/index.ts";
import { network, networkFromJson } from "../../src/layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { withStatements } from "../../src/understand/metadata.ts";
import { encodeTfjs, saveTfjs } from "../../src/weights/write-tfjs.ts";
import { type Files, readFiles, readJson } from "../fixtures/tfjs-files.ts";
import { MOBILE_NETS, mobileNet, OWN_NETWORKS, randomised } from "../fixtures/tfjs-networks.ts";
import { largestDifference } from "../golden/vectors.ts";

const MODELS: Readonly<Record<string, () => Network>> = {
  ...Object.fromEntries(Object.entries(MOBILE_NETS).map(([name, options]) => [name, () => mobileNet(options)])),
  ...Object.fromEntries(Object.entries(OWN_NETWORKS).map(([name, build]) => [name, () => randomised(build(), 3)])),
};
const NAMES = Object.keys(MODELS);
const built = (name: string): Network => (MODELS[name] as () => Network)();

const jsonOf = (files: Files) => JSON.parse(new TextDecoder().decode(files.get("model.json")));

/** Whatever files there are, by TensorFlow.js' own loader and its own way of joining shards. */
async function loadWithTensorFlow(files: Files) {
  const json = jsonOf(files);
  const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => {
    const specs = manifest.flatMap(({ weights }) => weights);
    const shards = manifest.flatMap(({ paths }) => paths.map((path) => files.get(path) ?? new Uint8Array()));
    return [specs, tf.io.concatenateArrayBuffers(shards.map((shard) => shard.slice().buffer))];
  });
  return loadLayersModel(tf.io.fromMemory(artifacts));
}

async function filesIn(directory: string): Promise<Files> {
  const names = await readdir(directory);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, new Uint8Array(await readFile(join(directory, name)))] as const),
    ),
  );
}

/** The outputs of a model by TensorFlow.js, by the names of its layers. */
async function runWithTensorFlow(files: Files, input: FloatTensor): Promise<ReadonlyMap<string, Float32Array>> {
  const model = await loadWithTensorFlow(files);
  const x = tf.tensor(input.data, [...input.shape]);
  const outputs = [model.predict(x)].flat();
  const values = await Promise.all(outputs.map((output) => output.data()));
  tf.dispose([x, ...outputs]);
  model.dispose();
  return new Map(model.outputNames.map((name, index) => [name, Float32Array.from(values[index] ?? [])]));
}

function randomInput(shape: readonly number[], seed: number): FloatTensor {
  const random = mulberry32(seed);
  const count = shape.reduce((product, side) => product * side, 2);
  return tensor(
    Float32Array.from({ length: count }, () => 2 * random() - 1),
    [2, ...shape],
  );
}

beforeAll(async () => {
  tf.env().set("IS_TEST", true);
  await tf.setBackend("cpu");
});

describe("what encodeTfjs writes", () => {
  it.each(NAMES)("%s: TensorFlow.js gives the same outputs", async (name) => {
    const model = built(name);
    const input = randomInput(model.inputShape, 11);
    const found = await runWithTensorFlow(encodeTfjs(model), input);
    const session = await compile(model, { backend: "reference", batch: 2 });
    const result = (await session.run(input)) as Readonly<Record<string, FloatTensor>>;
    session.close();
    const isRead = new Set(model.layers.flatMap(({ inputs }) => inputs));
    const byLayer = new Map(Object.entries(model.outputs).map(([output, layer]) => [layer, output]));
    const ends = [...byLayer].filter(([layer]) => !isRead.has(layer));
    expect([...found.keys()].sort()).toEqual(ends.map(([layer]) => layer).sort());
    for (const [layer, output] of ends) {
      const expected = result[output]?.data ?? new Float32Array();
      const values = found.get(layer) ?? new Float32Array();
      expect(values.length).toBe(expected.length);
      const scale = Math.max(1, ...expected.map(Math.abs));
      const difference = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (values[i] ?? 0))), 0);
      expect(difference / scale, layer).toBeLessThan(1e-5);
      expect(new Set(values).size, layer).toBeGreaterThan(1);
    }
  });

  it("results with names of their own are results in TensorFlow.js, also where other layers read them", async () => {
    const model = network({
      inputShape: [6, 6, 2],
      layers: [
        { name: "c", type: "conv2d", inputs: ["input"], attributes: { filters: 3, kernel: 3 } },
        { name: "r", type: "activation", inputs: ["c"], attributes: { function: "relu" } },
        { name: "p", type: "pointwiseConv2d", inputs: ["r"], attributes: { filters: 2 } },
      ],
      outputs: { heat: "p", edges: "r", again: "r" },
      seed: 4,
    });
    const input = randomInput(model.inputShape, 2);
    const found = await runWithTensorFlow(encodeTfjs(model), input);
    const session = await compile(model, { backend: "reference", batch: 2 });
    const { heat, edges } = await session.run(input);
    session.close();
    expect([...found.keys()]).toEqual(["p", "r"]);
    for (const [layer, expected] of [
      ["p", heat],
      ["r", edges],
    ] as const)
      expect(largestDifference(found.get(layer) ?? new Float32Array(), expected.data)).toBeLessThan(1e-5);
  });

  it.each(NAMES)("%s: is read back as it was", async (name) => {
    const model = built(name);
    const file = withStatements(await readFiles(encodeTfjs(model)), "test", decodedBudget(), ["mobilenet_v1"]);
    expect(file.remarks).toMatchObject({ format: "layers-model", generatedBy: "depthwise" });
    if (file.content.kind !== "tensors") throw new Error("Not tensors.");
    expect([...file.content.tensors.keys()].sort()).toEqual([...model.parameterInfo.keys()].sort());
    for (const [parameter, { shape, data }] of model.parameters) {
      const stored = file.content.tensors.get(parameter);
      expect(stored?.shape, parameter).toEqual(shape);
      if (stored !== undefined)
        expect(new Uint32Array(toFloat32(stored).slice().buffer)).toEqual(new Uint32Array(data.buffer));
    }
    const facts = Object.entries(file.facts as Readonly<Record<string, Fact<unknown>>>);
    const options = Object.fromEntries(facts.map(([option, { value }]) => [option, value])) as MobileNetV1Options;
    const again = file.network === undefined ? mobileNetV1(options) : networkFromJson(file.network, "test");
    expect(again.layers).toEqual(model.layers);
    expect(again.outputs).toEqual(model.outputs);
    expect(again.inputShape).toEqual(model.inputShape);
    expect(again.info.labels).toEqual(model.info.labels);
  });

  // A network of several results is none that a graph is read for.
  it.each(NAMES.filter((name) => name !== "branches"))(
    "%s: without our metadata it is a graph with the same weights",
    async (name) => {
      const model = built(name);
      const files = encodeTfjs(model);
      const { userDefinedMetadata, ...json } = jsonOf(files);
      const dilated = Object.keys(userDefinedMetadata.dilations ?? {});
      const { content } = await readJson(json, files);
      if (content.kind !== "graph") throw new Error("Not a graph.");
      for (const [parameter, { shape, data }] of model.parameters) {
        if (dilated.includes(parameter.split("/")[0] ?? "")) continue;
        expect(content.constants.get(parameter)?.shape, parameter).toEqual(shape);
        expect(content.constants.get(parameter)?.read(), parameter).toEqual(data);
      }
    },
  );

  it("is the same bytes for the same model", () => {
    const [first, second] = [encodeTfjs(built("same padding")), encodeTfjs(built("same padding"))];
    expect([...first]).toEqual([...second]);
  });

  it("has shards of 4 MiB, named as the converter names them", async () => {
    const model = mobileNetV1();
    const files = encodeTfjs(model);
    const lengths = [...files].filter(([name]) => name !== "model.json").map(([, { length }]) => length);
    expect([...files.keys()]).toEqual([...[1, 2, 3, 4, 5].map((shard) => `group1-shard${shard}of5.bin`), "model.json"]);
    expect(lengths.slice(0, 4)).toEqual([2 ** 22, 2 ** 22, 2 ** 22, 2 ** 22]);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(4 * 4_253_864);
    const { content } = await readFiles(files);
    if (content.kind !== "tensors") throw new Error("Not tensors.");
    for (const [name, { data }] of model.parameters) {
      const stored = content.tensors.get(name);
      expect(stored !== undefined && Buffer.compare(stored.bytes, Buffer.from(data.buffer)) === 0, name).toBe(true);
    }
  });

  it("uses only layers and padding that Keras 2 knows as well", () => {
    const layers = NAMES.flatMap(
      (name) => jsonOf(encodeTfjs(built(name))).modelTopology.model_config.config.layers,
    ) as {
      class_name: string;
      config: Record<string, unknown>;
    }[];
    expect([...new Set(layers.map(({ class_name }) => class_name))].sort()).toEqual([
      "Activation",
      "Add",
      "AveragePooling2D",
      "BatchNormalization",
      "Conv2D",
      "Dense",
      "DepthwiseConv2D",
      "Dropout",
      "GlobalAveragePooling2D",
      "GlobalMaxPooling2D",
      "InputLayer",
      "LeakyReLU",
      "MaxPooling2D",
      "Multiply",
      "ReLU",
      "Reshape",
      "ZeroPadding2D",
    ]);
    const activations = layers.map(({ config }) => config["activation"]).filter((value) => value !== undefined);
    expect([...new Set(activations)].sort()).toEqual(["linear", "relu", "softmax"]);
  });
});

describe("encodeTfjs refuses, naming the layer,", () => {
  const one = (...layers: Parameters<typeof sequential>[1]) => sequential({ inputShape: [8, 8, 2] }, layers);

  it.each<[string, () => Network, RegExp]>([
    ["hard-swish", () => one(activation("hardSwish", { name: "act_3" })), /"act_3".*hardSwish/],
    ["hard-sigmoid", () => mobileNetV1({ alpha: 0.05, activation: "hardSigmoid" }), /"conv1_relu".*hardSigmoid/],
    ["a dilated pool", () => one(maxPool({ kernel: 2, dilation: 2, name: "p" })), /"p".*dilation/],
    [
      "a pool with padding of its own",
      () =>
        one(
          averagePool({
            kernel: 3,
            padding: [
              [2, 0],
              [1, 1],
            ],
            name: "p",
          }),
        ),
      /"p".*padding \[2, 0, 1, 1\]/,
    ],
    ["a name with a space", () => one(conv2d({ filters: 1, kernel: 1, name: "my layer" })), /"my layer".*name/],
  ])("%s", (_what, build, message) => {
    let error: unknown;
    try {
      encodeTfjs(build());
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: "NETWORK_INVALID" });
    expect(String(error)).toMatch(message);
  });

  it("what is no network, and parameters that do not fit", () => {
    expect(() => encodeTfjs({} as Network)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
    const model = mobileNet(MOBILE_NETS["same padding"] as MobileNetV1Options);
    model.parameters.set("conv1/kernel", tensor([1], [1]));
    expect(() => encodeTfjs(model)).toThrow(expect.objectContaining({ code: "PARAMETERS_MISMATCH" }));
  });
});

describe("saveTfjs", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "depthwise-tfjs-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("writes the files of encodeTfjs and nothing else, into a directory it makes; shards by their content", async () => {
    const model = built("same padding");
    const target = join(folder, "a", "b");
    await saveTfjs(model, target);
    await saveTfjs(model, pathToFileURL(target));
    const found = await filesIn(target);
    const paths: string[] = jsonOf(found).weightsManifest[0].paths;
    expect([...found.keys()].sort()).toEqual([...paths, "model.json"].sort());
    const expected = encodeTfjs(model);
    const json = jsonOf(expected);
    const plain: string[] = json.weightsManifest[0].paths;
    expect(jsonOf(found)).toEqual({ ...json, weightsManifest: [{ ...json.weightsManifest[0], paths }] });
    expect(paths).toHaveLength(plain.length);
    for (const [index, path] of paths.entries()) {
      expect(found.get(path)).toEqual(expected.get(plain[index] ?? ""));
      const digest = createHash("sha256")
        .update(found.get(path) ?? "")
        .digest("hex");
      expect(path).toBe(plain[index]?.replace(".bin", `-${digest.slice(0, 16)}.bin`));
    }
  });

  it.each(["same padding", "branches"])("%s: TensorFlow.js reads it and gives the same outputs", async (name) => {
    const model = built(name);
    const target = join(folder, name);
    await saveTfjs(model, target);
    const input = randomInput(model.inputShape, 5);
    const [found, expected] = [await filesIn(target), encodeTfjs(model)];
    expect(await runWithTensorFlow(found, input)).toEqual(await runWithTensorFlow(expected, input));
  });

  it("keeps a flattened embedding that is a result under another name too", () => {
    const layers = [
      { name: "c", type: "conv2d", attributes: { filters: 2, kernel: 3 } },
      { name: "g", type: "globalAveragePool", attributes: { keepDims: true } },
      { name: "f", type: "flatten", inputs: ["g"] },
      { name: "p", type: "pointwiseConv2d", attributes: { filters: 3 }, inputs: ["g"] },
      { name: "y", type: "flatten", inputs: ["p"] },
    ];
    const outputs = { output: "y", embedding: "f", feat: "f" };
    const json = jsonOf(encodeTfjs(network({ name: "n", inputShape: [8, 8, 3], layers, outputs })));
    const { layers: written, output_layers: results } = json.modelTopology.model_config.config;
    const names = written.map(({ name }: { name: string }) => name);
    expect(results.map(([name]: [string]) => name).sort()).toEqual(["f", "y"]);
    expect(names).toEqual(expect.arrayContaining(["f", "y"]));
  });

  it("writes nothing for a network that cannot be expressed", async () => {
    const target = join(folder, "c");
    const model = sequential({ inputShape: [4] }, [activation("hardSwish")]);
    await expect(saveTfjs(model, target)).rejects.toMatchObject({ code: "NETWORK_INVALID" });
    await expect(stat(target)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("leaves nothing behind where it may not write, and names the place", async () => {
    const target = join(folder, "file");
    await writeFile(target, "in the way");
    const error = await saveTfjs(built("features only"), target).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(String(error)).toContain(target);
    await expect(saveTfjs(built("features only"), "")).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});
