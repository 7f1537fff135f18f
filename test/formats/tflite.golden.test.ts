/** The TFLite files beside the project: constants against those that another reader took out, labels, ranges. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { ModelGraph } from "../../src/formats/graph.ts";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { readSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { read } from "../../src/formats/tflite/read.ts";
import { describeShared, sharedRoot } from "../shared.ts";

async function open(name: string): Promise<ModelFile & { readonly content: ModelGraph }> {
  const bytes = new Uint8Array(readFileSync(join(sharedRoot ?? "", "weights", name)));
  const sibling = async () => Promise.reject(new Error("no sibling is needed"));
  const model = await read({ name, bytes, sibling }, { maxBytes: 2 ** 28 });
  if (model.content.kind !== "graph") throw new Error("not a graph");
  return { ...model, content: model.content };
}

interface Layer {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** Kernels as `[kh, kw, in, out]` or `[kh, kw, channels, 1]`, and biases, in the order of the operators. */
function layersOf({ nodes, constants }: ModelGraph): Layer[] {
  return nodes.flatMap(({ operation, inputs }) => {
    if (operation.type !== "convolution" && operation.type !== "dense") return [];
    const [kernel, bias] = inputs.slice(1).map((name) => constants.get(name));
    const numbers = kernel?.read() ?? new Float32Array();
    const isDepthwise = operation.type === "convolution" && operation.layout === "1HWC";
    const out = kernel?.shape[0] ?? 0;
    return [{ kernel: isDepthwise ? numbers : outputsLast(numbers, out), bias: bias?.read() ?? new Float32Array() }];
  });
}

/** From `[out, …]` to `[…, out]`. */
function outputsLast(numbers: Float32Array, out: number): Float32Array {
  const inner = numbers.length / out;
  return numbers.map((_, i) => numbers[(i % out) * inner + Math.floor(i / out)] ?? 0);
}

/** The layers of a derived file, which stand in it in their order. */
function derivedLayers(name: string): Layer[] {
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(join(sharedRoot ?? "", "derived", name))));
  const numbers = [...tensors.values()].sort(byNetwork).map(toFloat32);
  return numbers.flatMap((kernel, i) => (i % 2 === 0 ? [{ kernel, bias: numbers[i + 1] ?? new Float32Array() }] : []));
}

function byNetwork(a: { readonly name: string }, b: { readonly name: string }): number {
  const place = ({ name }: { readonly name: string }) => {
    const [, kind = "", number = ""] = /^conv_?(dw|pw|preds|)_?(\d*)/.exec(name) ?? [];
    const block = kind === "preds" ? 99 : kind === "" ? 0 : Number(number);
    return 4 * block + (kind === "pw" ? 2 : 0) + (name.endsWith("/bias") ? 1 : 0);
  };
  return place(a) - place(b);
}

function greatestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

const ACTIVATIONS = 27;

describeShared("TFLite files of MobileNet V1", () => {
  it("have the constants of the derived files: all bits where those are float32", async () => {
    const read = layersOf((await open("mobilenet_v1_0.25_128_quant.tflite")).content);
    const derived = derivedLayers("mobilenet_v1_0.25_128.safetensors");
    expect(read.length).toBe(28);
    expect(read).toEqual(derived);
  });

  it("have the constants of the derived files: within a float16 where those are rounded", async () => {
    const whole = (await open("mobilenet_v1_0.25_224_1_default_1.tflite")).content;
    const extractor = (await open("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite")).content;
    const head = (await open("mobilenet_quant_v1_224_head_layers.tflite")).content;
    const cases = [
      [layersOf(whole), derivedLayers("mobilenet_v1_0.25_224_f16.safetensors")],
      [[...layersOf(extractor), ...layersOf(head)], derivedLayers("mobilenet_v1_1.0_224_f16.safetensors")],
    ] as const;
    for (const [read, derived] of cases) {
      expect(read.length).toBe(28);
      for (const [i, { kernel, bias }] of read.entries()) {
        expect(bias).toEqual(derived[i]?.bias);
        const rounded = derived[i]?.kernel ?? new Float32Array();
        expect(rounded.length).toBe(kernel.length);
        // Half a unit in the last of 11 bits; below 2^-14 half a step of 2^-24.
        const worst = kernel.reduce(
          (most, value, j) => Math.max(most, Math.abs(value - (rounded[j] ?? 0)) / Math.max(Math.abs(value), 2 ** -14)),
          0,
        );
        expect(worst).toBeLessThanOrEqual(2 ** -11);
      }
    }
  });

  it("hold the same kernels as int8 with a scale a channel, within half a step", async () => {
    const float = layersOf((await open("vww_96_float.tflite")).content);
    const { content } = await open("vww_96_int8.tflite");
    const quantized = layersOf(content);
    const kernels = content.nodes.flatMap(({ operation, inputs }) =>
      operation.type === "convolution" || operation.type === "dense" ? [inputs[1] ?? ""] : [],
    );
    expect(quantized.length).toBe(28);
    for (const [i, { kernel }] of quantized.entries()) {
      const scale = content.quantization?.get(kernels[i] ?? "")?.scale ?? [];
      const step = Math.max(...scale);
      const difference = greatestDifference(kernel, float[i]?.kernel ?? new Float32Array());
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThanOrEqual(0.5001 * step);
    }
    expect(content.quantization?.get(kernels[1] ?? "")).toMatchObject({ dtype: "int8", axis: 3 });
    expect(content.quantization?.get(kernels[2] ?? "")).toMatchObject({ dtype: "int8", axis: 0 });
  });

  it.each([
    ["mobilenet_v1_0.25_128_quant.tflite", [128, 128, 3], "relu6", [-1, 0.9921875]],
    ["mobilenet_v1_0.5_160_quant.tflite", [160, 160, 3], "relu6", [-1, 0.9921875]],
    ["mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", [224, 224, 3], "relu6", [-1, 0.9921875]],
    ["mobilenet_v1_0.25_224_1_default_1.tflite", [224, 224, 3], "relu6", undefined],
    ["vww_96_float.tflite", [96, 96, 3], "relu", undefined],
    ["vww_96_int8.tflite", [96, 96, 3], "relu", [0, 1]],
  ] as const)("%s: input, activations and range", async (name, shape, activation, range) => {
    const { content, facts, remarks } = await open(name);
    expect(content.inputs.map((input) => input.shape)).toEqual([shape]);
    const functions = content.nodes.flatMap(({ operation }) => (operation.type === "activation" ? [operation] : []));
    expect(functions.map((operation) => operation.function)).toEqual(new Array(ACTIVATIONS).fill(activation));
    expect(functions.every(({ basis }) => basis === "stated" || basis === "inferred")).toBe(true);
    expect(content.nodes.filter(({ operation }) => operation.type === "globalPool").length).toBe(1);
    expect(content.nodes.filter(({ operation }) => operation.type === "other")).toEqual([]);
    expect(facts.preprocessing?.value).toEqual(range === undefined ? undefined : { range });
    expect(remarks["operators"]).toMatchObject({ DEPTHWISE_CONV_2D: 13 });
  });

  it("give their labels out of the zip on their end", async () => {
    const lines = readFileSync(join(sharedRoot ?? "", "weights", "imagenet_labels_1001.txt"), "utf8")
      .trimEnd()
      .split("\n");
    for (const name of ["mobilenet_v1_0.25_128_quant.tflite", "mobilenet_v1_0.5_160_quant.tflite"]) {
      const { facts } = await open(name);
      expect(facts.labels?.value.length).toBe(1001);
      expect(facts.labels?.value).toEqual(lines.map((line) => line.trim()));
      expect(facts.background?.value).toBe(true);
    }
  });

  it("are read in halves: what comes out of the one goes into the other", async () => {
    const extractor = (await open("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite")).content;
    const head = await open("mobilenet_quant_v1_224_head_layers.tflite");
    expect(extractor.nodes.at(-1)?.operation).toEqual({ type: "globalPool", kind: "average", keepDims: true });
    expect(head.content.inputs.map(({ shape }) => shape)).toEqual([[1, 1, 1024]]);
    expect(head.content.nodes.map(({ operation }) => operation.type)).toEqual(["convolution", "reshape", "softmax"]);
    expect(head.facts).not.toHaveProperty("preprocessing");
    const given = extractor.quantization?.get(extractor.outputs[0] ?? "");
    expect(given).toBeDefined();
    expect(given).toEqual(head.content.quantization?.get(head.content.inputs[0]?.name ?? ""));
  });
});

describeShared("TFLite files of other networks", () => {
  it.each([
    ["person_detect.tflite", "convolution", undefined],
    ["mobilenet_v2_1.0_224_quant.tflite", "add", undefined],
    ["kws_ref_model_float32.tflite", "convolution", undefined],
    ["pretrainedResnet_quant.tflite", "add", undefined],
    ["keras_lstm_mnist_ptq.tflite", "other", "UNIDIRECTIONAL_SEQUENCE_LSTM"],
  ] as const)("%s becomes a graph, and all its constants are read", async (name, type, other) => {
    const { content } = await open(name);
    const found = content.nodes.map(({ operation }) => operation).filter((operation) => operation.type === type);
    expect(found.length).toBeGreaterThan(0);
    if (other !== undefined) expect(found).toEqual([{ type: "other", name: other }]);
    expect(content.constants.size).toBeGreaterThan(0);
    for (const constant of content.constants.values()) {
      const numbers = constant.read();
      expect(numbers.length).toBe(constant.shape.reduce((a, b) => a * b, 1));
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
  });

  it("does not take residual branches of quantized sums for rectified ones", async () => {
    const { content } = await open("mobilenet_v2_1.0_224_quant.tflite");
    const before = new Map(content.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
    const sums = content.nodes.filter(({ operation }) => operation.type === "add");
    const branches = sums.flatMap(({ inputs }) => inputs.map((input) => before.get(input)?.operation.type));
    expect(branches).not.toContain("activation");
    expect(sums.length).toBe(10);
  });
});
