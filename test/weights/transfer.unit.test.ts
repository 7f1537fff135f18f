import { describe, expect, it } from "vitest";
import * as layer from "../../src/layers/index.ts";
import { type Network, network, sequential, withInfo } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { addClasses, embeddingModel, replaceHead } from "../../src/weights/transfer.ts";

const SMALL = { alpha: 0.1, resolution: 32, classes: 4 } as const;
const v1 = mobileNetV1(SMALL);
const labelled = mobileNetV1({ ...SMALL, labels: ["a", "b", "c", "d"], background: true });
const features = mobileNetV1({ ...SMALL, includeTop: false });

/** A small network of one's own: a dense classifier, its logits an output or not. */
const own = sequential({ inputShape: [4, 4, 3], name: "own" }, [
  layer.pointwise({ filters: 5 }),
  layer.globalAveragePool(),
  layer.dense({ filters: 3, bias: false }),
  layer.softmax(),
]);
const headless = sequential({ inputShape: [4, 4, 3], name: "headless" }, [
  layer.pointwise({ filters: 5 }),
  layer.globalAveragePool(),
]);

describe("replaceHead", () => {
  it("gives a MobileNet V1 without a top one, whatever its pooling was", () => {
    const model = replaceHead(features, { labels: ["cat", "dog"], dropout: 0.5 });
    expect(Object.keys(model.outputs)).toEqual(["logits", "probabilities", "embedding"]);
    expect(model.info.options).toMatchObject({ classes: 2, includeTop: true, pooling: null, dropout: 0.5 });
    expect(model.info.labels).toEqual(["cat", "dog"]);
    expect(model.layers.find(({ name }) => name === "dropout")!.attributes).toEqual({ rate: 0.5 });
    expect(model.parameters.get("conv1/kernel")).toBe(features.parameters.get("conv1/kernel"));
    expect([...model.parameters.keys()]).toEqual([...model.parameterInfo.keys()]);
  });

  it("initialises the classifier as the library does: uniform around 0, bias 0", () => {
    const { parameters } = replaceHead(v1, { classes: 50 });
    const kernel = parameters.get("conv_preds/kernel")!;
    const bound = Math.sqrt(6 / 102);
    expect(kernel.shape).toEqual([1, 1, 102, 50]);
    expect(Math.max(...kernel.data)).toBeLessThan(bound);
    expect(Math.max(...kernel.data)).toBeGreaterThan(0.99 * bound);
    expect(Math.min(...kernel.data)).toBeLessThan(-0.99 * bound);
    expect(parameters.get("conv_preds/bias")!.data.every((value) => value === 0)).toBe(true);
  });

  it("forgets labels and background unless it is given new ones", () => {
    expect(replaceHead(labelled, { classes: 4 }).info).toMatchObject({ background: false });
    expect(replaceHead(labelled, { classes: 4 }).info).not.toHaveProperty("labels");
    expect(replaceHead(labelled, { classes: 9, background: true }).info.background).toBe(true);
  });

  it("replaces the dense layer of a network of one's own, and only that", () => {
    const model = replaceHead(own, { classes: 7 });
    expect(model.layers.map(({ name }) => name)).toEqual(own.layers.map(({ name }) => name));
    expect(model.shapes.get("softmax")).toEqual([7]);
    expect(model.parameters.get("dense/kernel")!.shape).toEqual([5, 7]);
    expect(model.parameters.get("pointwiseConv2d/kernel")).toBe(own.parameters.get("pointwiseConv2d/kernel"));
  });

  it("changes the network it is given in nothing", () => {
    const before = [...labelled.parameters];
    replaceHead(labelled, { classes: 9 });
    addClasses(labelled, { labels: ["e"] });
    embeddingModel(labelled);
    expect([...labelled.parameters]).toEqual(before);
    expect(labelled.info).toMatchObject({ labels: ["a", "b", "c", "d"], background: true });
  });
});

describe("addClasses", () => {
  it("puts new columns behind the old ones, and keeps background where it is", () => {
    const model = addClasses(labelled, { labels: ["e", "f"], seed: 5 });
    expect(model.info).toMatchObject({ labels: ["a", "b", "c", "d", "e", "f"], background: true });
    expect(model.info.options).toMatchObject({ classes: 6 });
    const [old, wide] = [labelled, model].map(({ parameters }) => parameters.get("conv_preds/kernel")!.data);
    for (let row = 0; row < 102; row++) {
      expect(wide!.subarray(6 * row, 6 * row + 4)).toEqual(old!.subarray(4 * row, 4 * row + 4));
      expect(wide!.subarray(6 * row + 4, 6 * row + 6).every((value) => value !== 0)).toBe(true);
    }
  });

  it("widens a dense layer without a bias", () => {
    const model = addClasses(own, { classes: 2 });
    expect(model.parameters.get("dense/kernel")!.shape).toEqual([5, 5]);
    expect(model.parameters.has("dense/bias")).toBe(false);
  });
});

describe("embeddingModel", () => {
  it("of a network that gives an embedding alone is that network", () => {
    const alone = embeddingModel(v1);
    expect(embeddingModel(alone)).toBe(alone);
  });

  it("averages the features of a MobileNet V1 that does not", () => {
    const model = embeddingModel(features);
    expect(model.shapes.get(model.outputs.embedding)).toEqual([102]);
    expect(model.info.options).toMatchObject({ includeTop: false, pooling: "avg" });
  });

  it("leaves out what the output does not need, of a network that branches", () => {
    const model = network({
      inputShape: [4, 4, 3],
      layers: [
        { name: "stem", type: "pointwiseConv2d", attributes: { filters: 5 } },
        { name: "aside", type: "pointwiseConv2d", inputs: ["stem"], attributes: { filters: 2 } },
        { name: "more", type: "activation", inputs: ["stem"], attributes: { function: "leakyRelu", slope: 0.2 } },
        { name: "sum", type: "add", inputs: ["stem", "more"] },
        { name: "pool", type: "globalAveragePool", inputs: ["sum"] },
        { name: "preds", type: "dense", inputs: ["pool"], attributes: { filters: 3 } },
      ],
      outputs: { logits: "preds", embedding: "pool", aside: "aside" },
      aliases: { first: "stem", second: "aside" },
    });
    const alone = embeddingModel(model);
    expect(alone.layers).toEqual(model.layers.filter(({ name }) => name !== "aside" && name !== "preds"));
    expect(alone.aliases).toEqual({ first: "stem" });
    expect([...alone.parameters.keys()]).toEqual(["stem/kernel", "stem/bias"]);
  });
});

describe("where a model came from", () => {
  const fact = (value: unknown) => ({ value, basis: "stated", from: "the file" });
  const provenance = {
    format: "TFLite",
    file: "a.tflite",
    understoodBy: "operations of the graph",
    decisions: { alpha: fact(0.1), classes: fact(4), labels: fact(["a", "b", "c", "d"]), background: fact(true) },
    remarks: { version: 3 },
    quantization: { conv1: { input: 1 }, conv_preds: { input: 2 }, result: 3 },
  };
  const loaded = withInfo(labelled, { provenance });
  const decided = (model: Network) => {
    const { decisions, ...rest } = describeModel(model);
    const known = decisions.filter(({ name }) => ["alpha", "classes", "labels", "background"].includes(name));
    return { ...rest, decisions: Object.fromEntries(known.map(({ name, value, basis }) => [name, [value, basis]])) };
  };
  const quantizedLayers = (model: Network) =>
    Object.keys((model.info.provenance as { readonly quantization: object }).quantization);

  it("is kept, and what was decided since is said to be given", () => {
    const replaced = replaceHead(loaded, { classes: 9 });
    expect(decided(replaced)).toMatchObject({ format: "TFLite", file: "a.tflite", remarks: { version: 3 } });
    expect(decided(replaced).decisions).toEqual({
      alpha: [0.1, "stated"],
      classes: [9, "given"],
      background: [false, "given"],
    });
    const more = decided(addClasses(loaded, { labels: ["e"] })).decisions;
    expect(more).toMatchObject({ classes: [5, "given"], labels: [["a", "b", "c", "d", "e"], "given"] });
    expect(more["background"]).toEqual([true, "stated"]);
    expect(decided(embeddingModel(loaded)).decisions).toEqual({ alpha: [0.1, "stated"] });
  });

  it("has scales for those layers alone that are still what they were", () => {
    for (const model of [replaceHead(loaded, { classes: 9 }), addClasses(loaded, { labels: ["e"] })])
      expect(quantizedLayers(model)).toEqual(["conv1"]);
    expect(quantizedLayers(embeddingModel(loaded))).toEqual(["conv1"]);
  });
});

describe("what is refused", () => {
  const nets = [undefined, null, {}, Promise.resolve(v1)] as never[];
  it.each<[string, () => unknown, string, string]>([
    ...nets.flatMap((value): [string, () => unknown, string, string][] => [
      ["replaceHead of no network", () => replaceHead(value, { classes: 2 }), "NETWORK_INVALID", "replaceHead"],
      ["addClasses of no network", () => addClasses(value, { classes: 2 }), "NETWORK_INVALID", "addClasses"],
      ["embeddingModel of no network", () => embeddingModel(value), "NETWORK_INVALID", "embeddingModel"],
    ]),
    ["options null", () => replaceHead(v1, null as never), "OPTION_INVALID", "options"],
    ["an unknown option", () => replaceHead(v1, { clases: 2 } as never), "OPTION_INVALID", 'Did you mean "classes"'],
    ["no classes", () => replaceHead(v1, {}), "OPTION_INVALID", "classes"],
    ["0 classes", () => replaceHead(v1, { classes: 0 }), "OPTION_INVALID", "positive integer"],
    ["1.5 classes", () => addClasses(v1, { classes: 1.5 }), "OPTION_INVALID", "positive integer"],
    ["no labels at all", () => addClasses(labelled, { labels: [] }), "OPTION_INVALID", "positive integer"],
    ["labels that are no strings", () => replaceHead(v1, { labels: [1] as never }), "OPTION_INVALID", "labels"],
    ["too few labels", () => replaceHead(v1, { classes: 3, labels: ["a"] }), "CLASSES_MISMATCH", "3 labels"],
    ["too many labels", () => addClasses(labelled, { classes: 1, labels: ["a", "b"] }), "CLASSES_MISMATCH", "found 2"],
    ["no labels for new ones", () => addClasses(labelled, { classes: 1 }), "LABELS_MISSING", "each new class"],
    ["labels for new ones alone", () => addClasses(v1, { labels: ["e"] }), "LABELS_MISSING", "withInfo"],
    ["a seed of text", () => replaceHead(v1, { classes: 2, seed: "1" as never }), "OPTION_INVALID", "seed"],
    ["a background of text", () => replaceHead(v1, { classes: 2, background: 1 as never }), "OPTION_INVALID", "true"],
    ["a dropout of 1", () => replaceHead(v1, { classes: 2, dropout: 1 }), "OPTION_INVALID", "dropout"],
    ["a dropout elsewhere", () => replaceHead(own, { classes: 2, dropout: 0.1 }), "OPTION_INVALID", "no MobileNet V1"],
    ["a network without a classifier", () => replaceHead(headless, { classes: 2 }), "NETWORK_INVALID", "classifier"],
    ["more classes without a classifier", () => addClasses(features, { classes: 2 }), "NETWORK_INVALID", "replaceHead"],
    ["a network without an embedding", () => embeddingModel(own), "NETWORK_INVALID", '"embedding"'],
  ])("%s", (_what, call, code, text) => {
    let caught: unknown;
    try {
      call();
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code });
    expect((caught as Error).message).toContain(text);
  });
});
