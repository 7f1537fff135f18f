/** What a user does with a network that a file's graph spells out: classify, write for TensorFlow.js, tell errors apart. */

import "@tensorflow/tfjs-backend-cpu";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { createClassifier } from "../../src/classify/index.ts";
import type { Network } from "../../src/layers/network.ts";
import { compile } from "../../src/session/compile.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { encodeTfjs } from "../../src/weights/write-tfjs.ts";
import { largestDifference } from "../golden/vectors.ts";
import { attr, floats, onnxModel, onnxNode } from "../writers/onnx.ts";

type Weights = readonly (readonly [name: string, shape: readonly number[]])[];

/** A TensorFlow.js layers model, as the files that a page has of it. */
function tfjs(layers: readonly unknown[], weights: Weights): File[] {
  const count = weights.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b), 0);
  const json = {
    format: "layers-model",
    modelTopology: { class_name: "Sequential", config: { name: "s", layers } },
    weightsManifest: [
      { paths: ["w.bin"], weights: weights.map(([name, shape]) => ({ name, shape, dtype: "float32" })) },
    ],
  };
  return [
    new File([JSON.stringify(json)], "model.json"),
    new File([Float32Array.from({ length: count }, (_, i) => Math.sin(i))], "w.bin"),
  ];
}

const layer = (class_name: string, name: string, config: Readonly<Record<string, unknown>> = {}) => ({
  class_name,
  config: { name, ...config },
});
const conv = (name: string, filters: number, kernel: number, activation: string, more = {}) => {
  const window = { kernel_size: [kernel, kernel], strides: [1, 1], padding: "same" };
  return layer("Conv2D", name, { filters, ...window, activation, use_bias: true, ...more });
};
const first = (channels = 3) => conv("c", 3, 3, "relu", { batch_input_shape: [null, 8, 8, channels] });
const firstWeights = (channels = 3): Weights => [
  ["c/kernel", [3, 3, channels, 3]],
  ["c/bias", [3]],
];
/** Features, and a dense layer over them. */
const dense = (units: number, activation: string, channels = 3) =>
  tfjs(
    [
      first(channels),
      layer("GlobalAveragePooling2D", "pool"),
      layer("Dense", "end", { units, activation, use_bias: true }),
    ],
    [...firstWeights(channels), ["end/kernel", [3, units]], ["end/bias", [units]]],
  );
const perPixel = () =>
  tfjs([first(), conv("map", 2, 1, "softmax")], [...firstWeights(), ["map/kernel", [1, 1, 3, 2]], ["map/bias", [2]]]);

const picture = { width: 8, height: 8, data: Uint8ClampedArray.from({ length: 256 }, (_, i) => (37 * i) % 256) };
const input = Float32Array.from({ length: 192 }, (_, i) => Math.cos(i));

async function runWithTensorFlow(model: Network): Promise<readonly Float32Array[]> {
  const files = encodeTfjs(model);
  const json = JSON.parse(new TextDecoder().decode(files.get("model.json")));
  const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => [
    manifest.flatMap(({ weights }) => weights),
    tf.io.concatenateArrayBuffers(
      manifest.flatMap(({ paths }) => paths.map((path) => files.get(path)?.slice().buffer ?? new ArrayBuffer())),
    ),
  ]);
  const read = await loadLayersModel(tf.io.fromMemory(artifacts));
  const results = read.predict(tf.tensor(input, [1, ...model.inputShape])) as tf.Tensor | tf.Tensor[];
  return Promise.all([results].flat().map(async (each) => Float32Array.from(await each.data())));
}

async function run(model: Network): Promise<Readonly<Record<string, { readonly data: Float32Array }>>> {
  const session = await compile(model, { backend: "reference" });
  const results = await session.run(input);
  session.close();
  return results as never;
}

describe("a network that ends without a softmax", () => {
  it.each([1, 4])("gives what the file gives, written for TensorFlow.js as well: %i units", async (units) => {
    const model = await loadModel(dense(units, "linear"));
    expect(model.layers.map(({ type }) => type)).not.toContain("softmax");
    const { output } = await run(model);
    for (const each of [model, await loadModel(encodeModel(model))]) {
      const [found, another] = await runWithTensorFlow(each);
      expect(another).toBeUndefined();
      expect(largestDifference(found!, output!.data)).toBeLessThan(1e-6);
    }
  });

  it("that measures one thing has no classes, but features", async () => {
    const model = await loadModel(dense(1, "linear"));
    expect(model.outputs).toEqual({ output: "end", embedding: "pool" });
    expect(describeModel(model).outputs).toEqual(["output", "embedding"]);
    const classifier = await createClassifier(model);
    expect((await classifier.embed(picture)).shape).toEqual([3]);
    await expect(classifier.classify(picture)).rejects.toMatchObject({ code: "NETWORK_INVALID" });
    classifier.close();
  });

  it("is classified by the softmax of its logits, as one is that has the softmax", async () => {
    const labels = ["a", "b", "c", "d"];
    const [without, withIt] = [await loadModel(dense(4, "linear")), await loadModel(dense(4, "softmax"))];
    expect(without.outputs).toEqual({ output: "end", logits: "end", embedding: "pool" });
    const answers = [];
    for (const model of [without, withIt]) {
      const classifier = await createClassifier(model, { labels });
      const [one] = await classifier.classify([picture]);
      for await (const { predictions } of classifier.classifyAll([picture])) expect(predictions).toEqual(one);
      answers.push(one!);
      classifier.close();
    }
    const [found, expected] = answers;
    expect(found!.map(({ label }) => label)).toEqual(expected!.map(({ label }) => label));
    for (const [i, { probability }] of found!.entries())
      expect(Math.abs(probability - expected![i]!.probability)).toBeLessThan(1e-6);
  });

  it("of which a convolution makes the logits gives TensorFlow.js these alone, not its features as well", async () => {
    const nodes = [
      onnxNode("Conv", ["x", "w"], ["a"]),
      onnxNode("GlobalAveragePool", ["a"], ["p"]),
      onnxNode("Conv", ["p", "v"], ["m"]),
      onnxNode("Flatten", ["m"], ["y"]),
    ];
    const initializers = [floats("w", [4, 3, 1, 1], Array(12).fill(0.3)), floats("v", [2, 4, 1, 1], Array(8).fill(1))];
    const model = await loadModel(onnxModel({ nodes, initializers, inputs: { x: [1, 3, 8, 8] } }));
    expect(Object.keys(model.outputs)).toEqual(["output", "logits", "embedding"]);
    const results = await runWithTensorFlow(model);
    expect(results).toHaveLength(1);
    expect(largestDifference(results[0]!, (await run(model))["output"]!.data)).toBeLessThan(1e-6);
  });
});

describe("a network that answers for each pixel", () => {
  it("is no classifier, and its shape says why", async () => {
    const model = await loadModel(perPixel());
    await expect(createClassifier(model, { labels: ["cat", "dog"] })).rejects.toMatchObject({
      code: "NETWORK_INVALID",
      message: expect.stringContaining("[8, 8, 2]"),
    });
  });
});

describe("names of layers", () => {
  it("of files that TensorFlow.js would not take are made such that it does", async () => {
    const names = ["/Conv_5", "_Conv_5", "Conv_5", "é/Relu", "層", `${"long ".repeat(50)}`];
    const nodes = names.map((name, i) =>
      onnxNode("Relu", [i === 0 ? "x" : `v${i - 1}`], [i === names.length - 1 ? "y" : `v${i}`], {}, { name }),
    );
    const model = await loadModel(onnxModel({ nodes, inputs: { x: [1, 3, 8, 8] } }));
    const made = model.layers.map(({ name }) => name);
    expect(made.slice(0, 5)).toEqual(["Conv_5", "Conv_5_1", "Conv_5_2", "Relu", "layer"]);
    expect(await runWithTensorFlow(model)).toHaveLength(1);
  });

  it("of a Keras layer that is applied twice are two", async () => {
    const node = (class_name: string, name: string, config: object, ...inputs: readonly string[]) => ({
      ...layer(class_name, name, { ...config }),
      name,
      inbound_nodes: inputs.map((read) =>
        read.split(" ").map((each) => [each.split(":")[0], Number(each.split(":")[1]), 0, {}]),
      ),
    });
    const window = { filters: 3, kernel_size: [1, 1], strides: [1, 1], padding: "same", activation: "linear" };
    const layers = [
      node("InputLayer", "in", { batch_input_shape: [null, 8, 8, 3] }),
      node("Conv2D", "twice", { ...window, use_bias: false }, "in:0", "twice:0"),
      node("Add", "sum", {}, "twice:0 twice:1"),
    ];
    const files = tfjs([], [["twice/kernel", [1, 1, 3, 3]]]);
    const json = JSON.parse(await files[0]!.text());
    const config = { name: "m", layers, input_layers: [["in", 0, 0]], output_layers: [["sum", 0, 0]] };
    json.modelTopology = { class_name: "Model", config };
    const model = await loadModel([new File([JSON.stringify(json)], "model.json"), files[1]!]);
    const { output } = await run(model);
    const [found] = await runWithTensorFlow(model);
    expect(largestDifference(found!, output!.data)).toBeLessThan(1e-5);
  });
});

describe("a network of its own is called after its file", () => {
  const nodes = [onnxNode("Relu", ["x"], ["y"])];
  const file = new Uint8Array(onnxModel({ nodes, inputs: { x: [1, 3, 8, 8] } }));
  const nameOf = async (name: string) => (await loadModel(new File([file], name))).name;

  it("without its ending, cut and made safe; where there is no name, custom", async () => {
    expect(await nameOf("eyes_v1.5.onnx")).toBe("eyes_v1.5");
    expect(await nameOf("größe (2)\u001b[31m.onnx")).toBe("größe_2_31m");
    expect((await nameOf(`${"x".repeat(500)}.onnx`)).length).toBeLessThanOrEqual(100);
    expect(await nameOf(".onnx")).toBe("onnx");
    expect(await nameOf("()")).toBe("custom");
    expect((await loadModel(file)).name).toBe("custom");
    expect((await loadModel(new Blob([file]))).name).toBe("custom");
  });

  it("by its folder if it is only called a model, and still when it was saved and loaded", async () => {
    const folder = mkdtempSync(join(tmpdir(), "depthwise-age-"));
    try {
      mkdirSync(join(folder, "age"));
      for (const each of dense(1, "linear"))
        writeFileSync(join(folder, "age", each.name), new Uint8Array(await each.arrayBuffer()));
      const model = await loadModel(join(folder, "age"));
      expect(model.name).toBe("age");
      for (const again of [encodeModel(model), [...encodeTfjs(model)].map(([name, bytes]) => new File([bytes], name))])
        expect((await loadModel(again)).name).toBe("age");
      const classifier = await createClassifier(model);
      await expect(classifier.classify(picture)).rejects.toThrow(/^age: /);
      classifier.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("options for a network of its own", () => {
  it("that are none are unknown, with the nearest one and those that there are", async () => {
    for (const file of [dense(2, "softmax"), encodeModel(await loadModel(dense(2, "softmax")))]) {
      const refused = loadModel(file, { labls: ["a", "b"] } as LoadOptions);
      await expect(refused).rejects.toMatchObject({ code: "OPTION_INVALID" });
      await expect(refused).rejects.toThrow(
        /unknown option "labls"\. Did you mean "labels"\? .*preprocessing, labels, background/,
      );
      await expect(loadModel(file, { nonsense: 1 } as LoadOptions)).rejects.toThrow(/unknown option "nonsense"\. [^D]/);
      await expect(loadModel(file, { alpha: 1 })).rejects.toThrow(
        /alpha: expected none, found 1\..*network of its own/,
      );
    }
  });

  it("are as many labels as there are classes, at once and not when it classifies", async () => {
    for (const end of ["softmax", "linear"]) {
      const file = dense(3, end);
      for (const source of [file, encodeModel(await loadModel(file))]) {
        await expect(loadModel(source, { labels: ["a", "b"] })).rejects.toMatchObject({
          code: "CLASSES_MISMATCH",
          fields: { classes: 3, labels: 2 },
        });
        expect((await loadModel(source, { labels: ["a", "b", "c"] })).info.labels).toEqual(["a", "b", "c"]);
      }
    }
    // Of pixels, and of one number, nobody knows how many there should be.
    for (const file of [perPixel(), dense(1, "linear")])
      expect((await loadModel(file, { labels: ["a"] })).info.labels).toEqual(["a"]);
  });
});

describe("what a network looks like", () => {
  const inputs = { x: [1, 3, 8, 8] };
  const kernel = floats("w", [4, 3, 1, 1], Array(12).fill(0.3));
  const looks = async (...nodes: Parameters<typeof onnxModel>[0]["nodes"] & object) =>
    describeModel(
      await loadModel(onnxModel({ nodes, initializers: [kernel, floats("b", [4, 1, 1], [1, 2, 3, 4])], inputs })),
    ).understoodBy;

  it("is half of one only where there is nothing else but a convolution, its bias, activation and shape", async () => {
    const conv = onnxNode("Conv", ["x", "w"], ["a"]);
    const half = await looks(
      ...[conv, onnxNode("Add", ["a", "b"], ["s"]), onnxNode("Relu", ["s"], ["r"]), onnxNode("Flatten", ["r"], ["f"])],
      onnxNode("Softmax", ["f"], ["y"]),
    ).catch(() => looks(conv, onnxNode("Add", ["a", "b"], ["s"]), onnxNode("Relu", ["s"], ["y"])));
    expect(half).toContain("a single convolution, such as the classifier of a network cut in two");
    const whole = await looks(conv, onnxNode("GlobalAveragePool", ["a"], ["y"]));
    expect(whole).toContain("a network with one convolution");
    expect(whole).not.toContain("cut in two");
    expect(describeModel(await loadModel(dense(2, "linear"))).understoodBy).not.toContain("cut in two");
  });
});

describe("what does not run here is refused", () => {
  const refused = (op: string, attributes: Parameters<typeof onnxNode>[3], kernels: readonly string[] = []) => {
    const nodes = [onnxNode(op, ["x", ...kernels], ["y"], attributes, { name: "n" })];
    const initializers = [floats("w", [4, 3], Array(12).fill(0.3)), floats("b", [3], [1, 2, 3])];
    const isRow = op === "Gemm";
    return expect(loadModel(onnxModel({ nodes, initializers, inputs: { x: isRow ? [1, 4] : [1, 3, 8, 8] } }))).rejects;
  };
  const window = { kernel_shape: attr.ints(3, 3), strides: attr.ints(2, 2) };

  it("by the attribute, where the operation would run with another", async () => {
    await refused("MaxPool", { ...window, ceil_mode: attr.i(1) }).toThrow('"n" is a MaxPool with ceil_mode=1');
    await refused("MaxPool", { ...window, dilations: attr.ints(2, 2) }).toThrow('"n" is a MaxPool with dilations=2,2');
    const padded = { ...window, pads: attr.ints(1, 1, 1, 1), count_include_pad: attr.i(1) };
    await refused("AveragePool", padded).toThrow('"n" is an AveragePool with count_include_pad=1');
    await refused("Gemm", { alpha: attr.f(0.5) }, ["w", "b"]).toThrow('"n" is a Gemm with alpha=0.5');
    await refused("Gemm", { beta: attr.f(2) }, ["w", "b"]).toThrow('"n" is a Gemm with beta=2');
    await refused("Gemm", { transA: attr.i(1) }, ["w", "b"]).toThrow('"n" is a Gemm with transA=1');
    await refused("ReduceMean", { axes: attr.ints(1) }).toThrow('"n" is a ReduceMean with axes=1');
    await refused("HardSigmoid", { alpha: attr.f(0.2) }).toThrow('"n" is a HardSigmoid with alpha=0.2');
    await refused("Clip", { min: attr.f(0), max: attr.f(1) }).toThrow('"n" is a Clip with min=0 and max=1');
    await refused("Pad", { mode: attr.s("reflect"), pads: attr.ints(0, 0, 1, 1, 0, 0, 1, 1) }).toThrow(
      '"n" is a Pad with mode=reflect',
    );
    await refused("Flatten", { axis: attr.i(2) }).toThrow('"n" is a Flatten with axis=2');
  });

  it("with an article that fits", async () => {
    await refused("Elu", {}).toThrow('"n" is an Elu');
    await refused("Tanh", {}).toThrow('"n" is a Tanh');
  });
});
