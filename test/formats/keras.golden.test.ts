/** The Keras files that other people made: every number in its place, and the graph as it was built. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openHdf5 } from "../../src/formats/hdf5/hdf5.ts";
import { read } from "../../src/formats/keras/read-hdf5.ts";
import { graphFromKeras } from "../../src/formats/keras/topology.ts";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { readSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { opened } from "../fixtures/opened-files.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { readByLibrary } from "../writers/hdf5.ts";

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(sharedRoot ?? "", path)));
}

function readShared(name: string): Promise<ModelFile> {
  return read(opened(bytesOf(`weights/${name}`), {}, name), { maxBytes: 100_000_000 });
}

describeShared("Keras weights alone", () => {
  it("are the arrays that others read in the same file, bit for bit", async () => {
    const { format, content, remarks } = await readShared("mobilenet_2_5_224_tf_no_top.h5");
    if (content.kind !== "tensors") throw new Error("it is a graph");
    expect([format, content.isOrdered, remarks]).toEqual([
      "Keras HDF5, weights only",
      true,
      { kerasVersion: "2.0.4", kerasBackend: "tensorflow" },
    ]);
    const { tensors } = readSafetensors(bytesOf("derived/mobilenet_v1_0.25_224_unfolded.safetensors"));
    expect(content.tensors.size).toBe(135);
    for (const [name, { dtype, shape, bytes }] of content.tensors) {
      const expected = tensors.get(name);
      expect([name, dtype, shape]).toEqual([name, expected?.dtype, expected?.shape]);
      expect(Buffer.compare(bytes, expected?.bytes ?? Buffer.of()), name).toBe(0);
    }
    expect([...tensors.keys()].filter((name) => !content.tensors.has(name)).sort()).toEqual([
      "conv_preds/bias",
      "conv_preds/kernel",
    ]);
    const names = [...content.tensors.keys()];
    expect(names.indexOf("conv_dw_2/depthwise_kernel")).toBeLessThan(names.indexOf("conv_dw_10/depthwise_kernel"));
  });
});

describeShared("a whole Keras model", () => {
  it("is the chain that was built, with its optimizer left out", async () => {
    const { format, content, remarks } = await readShared("vww_96.h5");
    if (content.kind !== "graph") throw new Error("it is no graph");
    expect(format).toBe("Keras HDF5, whole model");
    expect(remarks).toMatchObject({ kerasVersion: "2.4.0", optimizer: expect.stringContaining("left out") });
    expect(content.inputs).toEqual([{ name: "input_1", shape: [96, 96, 3] }]);
    const block = ["convolution", "batchNorm", "activation"];
    const blocks = Array.from({ length: 27 }, () => block).flat();
    expect(content.nodes.map(({ operation }) => operation.type)).toEqual([
      ...blocks,
      "globalPool",
      "reshape",
      "dense",
      "softmax",
    ]);
    // A chain: each node reads the one before it.
    for (const [i, node] of content.nodes.entries()) {
      expect(node.inputs[0]).toBe(i === 0 ? "input_1" : content.nodes[i - 1]?.outputs[0]);
    }
    expect(content.outputs).toEqual(content.nodes.at(-1)?.outputs);
    const layouts = content.nodes.flatMap(({ operation }) =>
      operation.type === "convolution" ? [operation.layout] : [],
    );
    expect(layouts).toEqual(Array.from({ length: 27 }, (_, i) => (i % 2 === 1 ? "HWIM" : "HWIO")));
    const strides = content.nodes.flatMap(({ operation }) =>
      operation.type === "convolution" ? [operation.strides[0]] : [],
    );
    expect(strides.filter((stride) => stride === 2)).toHaveLength(5);
    expect(content.constants.size).toBe(27 * 6 + 2);
  });

  it("holds the numbers that the HDF5 library reads", async () => {
    const { content } = await readShared("vww_96.h5");
    if (content.kind !== "graph") throw new Error("it is no graph");
    const library = await readByLibrary(bytesOf("weights/vww_96.h5"));
    for (const [name, constant] of content.constants) {
      const layer = name.slice(0, name.indexOf("/"));
      expect([...constant.read()], name).toEqual(library.get(`/model_weights/${layer}/${name}:0`));
    }
  });

  it("has texts that are read to their end", () => {
    const root = openHdf5(bytesOf("weights/vww_96.h5"), "vww", { maxBytes: 1 });
    expect(JSON.parse(root.text("model_config") ?? "")).toMatchObject({ class_name: "Functional" });
    expect(JSON.parse(root.text("training_config") ?? "")).toHaveProperty("optimizer_config");
  });
});

describeShared("the topology of a TensorFlow.js layers model", () => {
  it("is translated as that of a Keras file", () => {
    const { modelTopology, weightsManifest } = JSON.parse(
      new TextDecoder().decode(bytesOf("weights/tfjs_layers_0.25_224/model.json")),
    );
    const weights: { name: string; shape: number[] }[] = weightsManifest.flatMap(
      (group: { weights: unknown }) => group.weights,
    );
    const weightsOf = (layer: string) =>
      weights
        .filter(({ name }) => name.startsWith(`${layer}/`))
        .map(({ name, shape }) => ({ name: name.slice(layer.length + 1), shape, read: () => new Float32Array(0) }));
    const { graph } = graphFromKeras(modelTopology.model_config, weightsOf, { name: "model.json" });
    expect(graph.inputs).toEqual([{ name: "input_1", shape: [224, 224, 3] }]);
    expect(graph.nodes).toHaveLength(87);
    expect(graph.constants.size).toBe(137);
    expect(graph.nodes.filter(({ operation }) => operation.type === "other")).toEqual([]);
    expect(graph.nodes.slice(-3).map(({ name, operation }) => [name, operation.type])).toEqual([
      ["conv_preds", "convolution"],
      ["act_softmax", "softmax"],
      ["reshape_2", "reshape"],
    ]);
  });
});
