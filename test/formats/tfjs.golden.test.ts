/** TensorFlow.js models as others published them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DepthwiseError, isDepthwiseError } from "../../src/core/errors.ts";
import { readSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { read } from "../../src/formats/tfjs/read.ts";
import { graphOf } from "../fixtures/opened-files.ts";
import { refusal } from "../fixtures/tfjs-files.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const shared = (...path: string[]) => new Uint8Array(readFileSync(join(sharedRoot ?? "", ...path)));

/** Reads a folder of `weights/`, noting which shards were asked for and how many at once. */
async function readFolder(folder: string) {
  const asked: string[] = [];
  let waiting = 0;
  let most = 0;
  const file = {
    name: "model.json",
    bytes: shared("weights", folder, "model.json"),
    async sibling(path: string) {
      asked.push(path);
      most = Math.max(most, ++waiting);
      await new Promise((resolve) => setImmediate(resolve));
      waiting--;
      try {
        return shared("weights", folder, path);
      } catch (cause) {
        throw new DepthwiseError("FILE_NOT_FOUND", { what: `${path}: there is no such file`, cause });
      }
    },
  };
  return { model: await read(file, { maxBytes: 2 ** 24 }), asked, most };
}

describeShared("TensorFlow.js models as others published them", () => {
  it("the layers model holds the numbers of the safetensors file made from it, bit for bit", async () => {
    const { model, asked, most } = await readFolder("tfjs_layers_0.25_224");
    expect(asked.length).toBe(55);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    const { constants, inputs, nodes } = graphOf(model);
    const { tensors } = readSafetensors(shared("derived", "mobilenet_v1_0.25_224_unfolded.safetensors"));
    const found = new Map([...constants].map(([name, constant]) => [name.replace(/:.*$/, ""), constant]));
    expect(tensors.size).toBe(137);
    for (const [name, stored] of tensors) {
      const constant = found.get(name);
      expect(constant?.shape, name).toEqual(stored.shape);
      const bits = new Uint32Array((constant?.read() ?? new Float32Array()).slice().buffer);
      expect(bits, name).toEqual(new Uint32Array(toFloat32(stored).slice().buffer));
    }
    expect(inputs.map(({ shape }) => shape)).toEqual([[224, 224, 3]]);
    expect(nodes.filter(({ operation }) => operation.type === "convolution").length).toBe(28);
    expect(model.remarks).toEqual({ kerasVersion: "2.1.4" });
  });

  it("the graph model is a graph with all its constants", async () => {
    const { model, asked } = await readFolder("tfjs_graph_0.25_224");
    expect(asked).toEqual(["group1-shard1of1"]);
    expect(model.format).toBe("TensorFlow.js graph model");
    const { constants, inputs, nodes, outputs } = graphOf(model);
    const json = JSON.parse(new TextDecoder().decode(shared("weights", "tfjs_graph_0.25_224", "model.json")));
    const [{ weights }] = json.weightsManifest as [{ weights: { name: string; shape: number[]; dtype: string }[] }];
    const bytes = shared("weights", "tfjs_graph_0.25_224", "group1-shard1of1");
    let at = 0;
    for (const { name, shape, dtype } of weights) {
      const end = at + 4 * shape.reduce((product, side) => product * side, 1);
      const part = bytes.slice(at, end).buffer;
      const values = dtype === "int32" ? Float32Array.from(new Int32Array(part)) : new Float32Array(part);
      at = end;
      const constant = constants.get(name);
      // What only shapes a node (reduction indices) may have gone into it.
      if (dtype === "float32") expect(constant, name).toBeDefined();
      if (constant !== undefined) expect(constant.read(), name).toEqual(values);
    }
    expect(at).toBe(bytes.length);
    expect(inputs).toEqual([{ name: "images", shape: [224, 224, 3] }]);
    expect(outputs).toEqual(["module_apply_default/MobilenetV1/Logits/SpatialSqueeze"]);
    expect(nodes.filter(({ operation }) => operation.type === "convolution").length).toBe(28);
  });

  it("a manifest without topology and shards is refused with a clear word", async () => {
    const error = await refusal(readFolder("tfjs_layers_0.25_224_no_topology"));
    expect(isDepthwiseError(error)).toBe(true);
    expect(error.code).toBe("FILE_NOT_FOUND");
    expect(error.message).toContain("modelTopology is null: it says nothing of the layers");
    expect(error.message).toContain("group1-shard1of1");
  });

  it("the same manifest with the shards of the other order gives tensors by name", async () => {
    // The same weights in another order of groups: each group's shard is found by its weights.
    const folder = (name: string) => JSON.parse(new TextDecoder().decode(shared("weights", name, "model.json")));
    type Manifest = { paths: string[]; weights: { name: string }[] }[];
    const key = (weights: { name: string }[]) =>
      weights
        .map(({ name }) => name)
        .sort()
        .join();
    const there = folder("tfjs_layers_0.25_224").weightsManifest as Manifest;
    const json = folder("tfjs_layers_0.25_224_no_topology") as { weightsManifest: Manifest };
    const pathOf = new Map(there.map(({ paths, weights }) => [key(weights), paths[0] ?? ""]));
    const shardOf = new Map(json.weightsManifest.map(({ paths, weights }) => [paths[0], pathOf.get(key(weights))]));
    const model = await read(
      {
        name: "model.json",
        bytes: shared("weights", "tfjs_layers_0.25_224_no_topology", "model.json"),
        sibling: async (path) => shared("weights", "tfjs_layers_0.25_224", shardOf.get(path) ?? ""),
      },
      { maxBytes: 2 ** 24 },
    );
    expect(model.format).toBe("TensorFlow.js weights without a topology");
    if (model.content.kind !== "tensors") throw new Error("Not tensors.");
    expect(model.content.isOrdered).toBe(false);
    expect(model.content.tensors.size).toBe(137);
  });
});
