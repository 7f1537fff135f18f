/** A real ONNX file, made by the onnx package, against the weights it was made from. */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { ModelGraph } from "../../src/formats/graph.ts";
import { read } from "../../src/formats/protobuf/read.ts";
import { readSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { type StoredTensor, toFloat32 } from "../../src/formats/stored-tensor.ts";
import { graphOf, nodeNamed, opened } from "../fixtures/opened-files.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const CLASSES = 100;

describeShared("the unfolded network as ONNX", () => {
  const bytes = (name: string) => new Uint8Array(readFileSync(`${sharedRoot}/derived/${name}`));
  const load = async () => read(opened(bytes("mobilenet_v1_0.25_224_first100.onnx")), { maxBytes: 1e8 });

  it("has the structure of the exporting script", async () => {
    const file = await load();
    const graph = graphOf(file);
    expect(file.remarks).toEqual({ producer: "depthwise test data", irVersion: 7, opset: { "ai.onnx": 13 } });
    expect(graph.inputs).toEqual([{ name: "input", shape: [224, 224, 3], isChannelsFirst: true }]);
    expect(graph.outputs).toEqual(["logits"]);
    expect(graph.nodes.map(({ operation }) => operation.type)).toEqual([
      ...Array.from({ length: 27 }, () => ["convolution", "batchNorm", "activation"]).flat(),
      "globalPool",
      "reshape",
      "dense",
    ]);
    for (const { name, operation } of graph.nodes) {
      if (operation.type === "batchNorm") expect(operation.epsilon, name).toBe(Math.fround(0.001));
      if (operation.type === "activation") expect(operation.function, name).toBe("relu6");
      if (operation.type !== "convolution") continue;
      const isDepthwise = name.startsWith("conv_dw");
      const side = name.startsWith("conv_pw") ? 0 : operation.strides[0] === 2 ? [0, 1] : 1;
      const pads = Array.isArray(side) ? side : [side, side];
      expect(operation.padding, name).toEqual([pads, pads]);
      expect(operation.groups > 1, name).toBe(isDepthwise);
    }
    const strided = graph.nodes.filter(
      ({ operation }) => operation.type === "convolution" && operation.strides[0] === 2,
    );
    expect(strided.map(({ name }) => name)).toEqual(["conv1", "conv_dw_2", "conv_dw_4", "conv_dw_6", "conv_dw_12"]);
  });

  it("has the weights it was made from, number for number", async () => {
    const graph = graphOf(await load());
    const { tensors } = readSafetensors(bytes("mobilenet_v1_0.25_224_unfolded.safetensors"));
    let compared = 0;
    for (const [name, stored] of tensors) {
      compare(graph, name, stored);
      compared++;
    }
    expect(compared).toBe(27 * 5 + 2);
    expect(graph.constants.size).toBe(27 * 5 + 2);
  });
});

/** The tensor of a Keras layer against the constant its node reads, element by element through the layouts. */
function compare(graph: ModelGraph, name: string, stored: StoredTensor): void {
  const [layer = "", weight = ""] = name.split("/");
  const expected = toFloat32(stored);
  const node = nodeNamed(graph, layer === "conv_preds" ? "classifier" : layer);
  const place = { gamma: 1, beta: 2, moving_mean: 3, moving_variance: 4, bias: 2 }[weight] ?? 1;
  const constant = graph.constants.get(node.inputs[place] ?? "");
  if (constant === undefined) throw new Error(`no constant for ${name}`);
  const values = constant.read();
  if (layer === "conv_preds") {
    const features = weight === "bias" ? 1 : 256;
    expect(values).toHaveLength(features * CLASSES);
    for (let i = 0; i < values.length; i++) {
      const [unit, feature] = [Math.floor(i / features), i % features];
      if (values[i] !== expected[feature * 1000 + unit]) throw new Error(`${name}, element ${i}`);
    }
    return;
  }
  if (stored.shape.length === 1) {
    expect(values).toEqual(expected);
    return;
  }
  const [kh = 0, kw = 0, input = 0, output = 0] = stored.shape;
  const isDepthwise = weight === "depthwise_kernel";
  expect(constant.shape).toEqual(isDepthwise ? [input, 1, kh, kw] : [output, input, kh, kw]);
  for (let i = 0; i < values.length; i++) {
    // [channel, …, y, x] of the file.
    const [x, y, rest] = [i % kw, Math.floor(i / kw) % kh, Math.floor(i / (kw * kh))];
    const [c, o] = isDepthwise ? [rest, 0] : [rest % input, Math.floor(rest / input)];
    if (values[i] !== expected[((y * kw + x) * input + c) * output + o]) throw new Error(`${name}, element ${i}`);
  }
}
