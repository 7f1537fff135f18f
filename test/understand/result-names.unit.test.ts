/** Several results of a graph are called as its file calls them. */

import { describe, expect, it } from "vitest";
import { loadModel } from "../../src/weights/load-model.ts";
import { attr, floats, onnxModel, onnxNode } from "../writers/onnx.ts";

const nodes = [
  { name: "x", op: "Placeholder", attr: { shape: { shape: { dim: [-1, 4, 4, 3].map((size) => ({ size })) } } } },
  { name: "k", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
  {
    name: "net/conv",
    op: "Conv2D",
    input: ["x", "k"],
    attr: { strides: { list: { i: [1, 1, 1, 1] } }, padding: { s: btoa("SAME") }, data_format: { s: btoa("NHWC") } },
  },
  { name: "net/relu", op: "Relu", input: ["net/conv"] },
  { name: "net/relu6", op: "Relu6", input: ["net/conv"] },
  { name: "Identity", op: "Identity", input: ["net/relu"] },
  { name: "Identity_1", op: "Identity", input: ["net/relu6"] },
];

/** A TensorFlow.js graph model of two results, or of whatever the signature names. */
function tfjs(outputs?: Readonly<Record<string, { readonly name: string }>>, more: readonly object[] = []): File[] {
  const json = {
    format: "graph-model",
    ...(outputs === undefined ? {} : { signature: { inputs: { x: { name: "x:0" } }, outputs } }),
    modelTopology: { node: [...nodes, ...more], library: {}, versions: {} },
    weightsManifest: [{ paths: ["w"], weights: [{ name: "k", shape: [1, 1, 3, 2], dtype: "float32" }] }],
  };
  return [
    new File([JSON.stringify(json)], "model.json"),
    new File([Float32Array.from({ length: 6 }, (_, i) => i - 2)], "w"),
  ];
}

const named = async (files: File | File[]) => {
  const { outputs, layers } = await loadModel(files);
  const type = (name: string) => layers.find((layer) => layer.name === name)?.attributes;
  return Object.fromEntries(
    Object.entries(outputs as Readonly<Record<string, string>>).map(([name, node]) => [name, type(node)]),
  );
};

const RELU = { function: "relu" };
const RELU6 = { function: "relu6" };

describe("several results of a TensorFlow.js graph model", () => {
  it("are called as its signature calls them", async () => {
    const outputs = { edges: { name: "Identity:0" }, heat: { name: "Identity_1:0" } };
    expect(await named(tfjs(outputs))).toMatchObject({ edges: RELU, heat: RELU6 });
    expect(Object.keys(await named(tfjs(outputs)))).toEqual(["edges", "heat"]);
  });

  it("are called after their nodes, where there is no signature", async () => {
    expect(await named(tfjs())).toMatchObject({ Identity: RELU, Identity_1: RELU6 });
  });

  it("may be one in the middle, and one that is the other", async () => {
    const outputs = { features: { name: "net/relu:0" }, again: { name: "Identity:0" } };
    const found = await named(tfjs(outputs));
    expect(Object.keys(found)).toEqual(["features", "again"]);
    expect(found).toMatchObject({ features: RELU, again: RELU });
  });

  it("keep their names where a name in the signature is of an order and no value", async () => {
    const outputs = { order: { name: "^net/relu" }, edges: { name: "Identity:0" }, heat: { name: "Identity_1:0" } };
    const found = await named(tfjs(outputs, [{ name: "^net/relu", op: "NoOp" }]));
    expect(found).toMatchObject({ edges: RELU, heat: RELU6 });
  });

  it("have names that a network may have", async () => {
    const outputs = { "a/b": { name: "Identity:0" }, taps: { name: "Identity_1:0" } };
    expect(await named(tfjs(outputs))).toMatchObject({ a_b: RELU, taps_1: RELU6 });
  });
});

it("a signature of one result leaves it the output", async () => {
  expect(Object.keys(await named(tfjs({ heat: { name: "Identity_1:0" } })))).toEqual(["output"]);
});

it("several results of an ONNX file are called as it calls them", async () => {
  const bytes = onnxModel({
    inputs: { x: [1, 3, 4, 4] },
    nodes: [
      onnxNode("Conv", ["x", "k"], ["c"], { kernel_shape: attr.ints(1, 1) }),
      onnxNode("Relu", ["c"], ["edges"], {}, { name: "r" }),
      onnxNode("Relu", ["edges"], ["heat"], {}, { name: "s" }),
    ],
    initializers: [floats("k", [2, 3, 1, 1], [1, 2, 3, 4, 5, 6])],
    outputs: ["edges", "heat"],
  });
  expect(Object.keys(await named(new File([Uint8Array.from(bytes)], "net.onnx")))).toEqual(["edges", "heat"]);
});
