/** The numbers of a graph of MobileNet V1 as parameters: batch norm apart, or folded with all that stands beside it. */

import { describe, expect, it } from "vitest";
import type { GraphConstant, GraphNode, ModelGraph } from "../../src/formats/graph.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { understandGraph } from "../../src/understand/architectures/mobilenet-v1/from-graph.ts";
import { type GraphOptions, mobileNetGraph, withSize } from "../fixtures/graphs.ts";

function parametersOf(graph: ModelGraph) {
  const found = understandGraph(graph, "test", decodedBudget());
  if (typeof found === "string") throw new Error(found);
  return found.parameters;
}
const graphOf = (options: GraphOptions = {}) => withSize(mobileNetGraph(options), options);
const numbers = ({ constants }: ModelGraph, name: string) => constants.get(name)!.read();
/** The same with a bias of these numbers at a layer. */
function withBias(graph: ModelGraph, layer: string, values: Float32Array<ArrayBuffer>): ModelGraph {
  const bias: GraphConstant = { name: "bias", shape: [values.length], read: () => values };
  const nodes = graph.nodes.map((node) => (node.name === layer ? { ...node, inputs: [...node.inputs, "bias"] } : node));
  return { ...graph, nodes, constants: new Map([...graph.constants, ["bias", bias]]) };
}
function withEpsilon(graph: ModelGraph, name: string, epsilon: number): ModelGraph {
  const nodes = graph.nodes.map((node) =>
    node.name === name ? ({ ...node, operation: { ...node.operation, epsilon } } as GraphNode) : node,
  );
  return { ...graph, nodes };
}

describe("batch norm that is alike everywhere", () => {
  it("stays as it is, without biases where there are none", () => {
    const graph = graphOf({ normalization: "batchNorm" });
    const parameters = parametersOf(graph);
    expect([...parameters.keys()].filter((name) => name.endsWith("/bias"))).toEqual(["conv_preds/bias"]);
    for (const [ours, theirs] of [
      ["conv1", "op0"],
      ["conv_dw_1", "op1"],
      ["conv_pw_13", "op26"],
    ] as const) {
      const kernel = ours.startsWith("conv_dw") ? "depthwise_kernel" : "kernel";
      expect(parameters.get(`${ours}/${kernel}`)?.data).toEqual(numbers(graph, `${theirs}/w`));
      for (const part of ["gamma", "beta", "mean", "variance"]) {
        const name = part === "mean" || part === "variance" ? `moving_${part}` : part;
        expect(parameters.get(`${ours}_bn/${name}`)?.data).toEqual(numbers(graph, `${theirs}/${part}`));
      }
    }
    // Of the stem, 26 layers and the classifier.
    expect(parameters.size).toBe(27 * 5 + 2);
  });

  it("has biases everywhere where one layer has one", () => {
    const values = Float32Array.from({ length: 16 }, (_, i) => i - 5);
    const parameters = parametersOf(withBias(graphOf({ normalization: "batchNorm" }), "op3", values));
    expect(parameters.get("conv_dw_2/bias")?.data).toEqual(values);
    expect(parameters.get("conv1/bias")?.data).toEqual(new Float32Array(8));
    expect(parameters.has("conv_dw_2_bn/gamma")).toBe(true);
    expect(parameters.size).toBe(27 * 6 + 2);
  });
});

describe("batch norm that is not", () => {
  it("is folded everywhere, each with its own epsilon and bias", () => {
    const values = Float32Array.from({ length: 16 }, (_, i) => i - 5);
    const plain = graphOf({ normalization: "batchNorm" });
    const graph = withEpsilon(withBias(plain, "op3", values), "op3/bn", 0.5);
    const parameters = parametersOf(graph);
    expect([...parameters.keys()].filter((name) => name.includes("_bn/"))).toEqual([]);
    expect(parameters.size).toBe(27 * 2 + 2);
    for (const [ours, theirs, epsilon, bias] of [
      ["conv1/kernel", "op0", 1e-3, undefined],
      ["conv_dw_2/depthwise_kernel", "op3", 0.5, values],
      ["conv_pw_13/kernel", "op26", 1e-3, undefined],
    ] as const) {
      const [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map((part) =>
        numbers(graph, `${theirs}/${part}`),
      ) as [Float32Array, Float32Array, Float32Array, Float32Array];
      const scale = gamma.map((value, c) => value / Math.sqrt(variance[c]! + epsilon));
      const kernel = numbers(graph, `${theirs}/w`).map((value, i) => value * scale[i % scale.length]!);
      const found = parameters.get(ours)!.data;
      expect(Math.max(...found.map((value, i) => Math.abs(value - kernel[i]!)))).toBeLessThan(1e-6);
      const shifts = beta.map((value, c) => value + ((bias?.[c] ?? 0) - mean[c]!) * scale[c]!);
      const biases = parameters.get(ours.replace(/\/.*/, "/bias"))!.data;
      expect(Math.max(...biases.map((value, c) => Math.abs(value - shifts[c]!)))).toBeLessThan(1e-5);
    }
  });

  it("is missing at one layer: the others are folded", () => {
    const graph = graphOf({ normalization: "batchNorm" });
    const nodes = graph.nodes
      .filter(({ name }) => name !== "op3/bn")
      .map((node) => (node.name === "op3/act" ? { ...node, inputs: ["op3"] } : node));
    const parameters = parametersOf({ ...graph, nodes });
    expect(parameters.get("conv_dw_2/depthwise_kernel")?.data).toEqual(numbers(graph, "op3/w"));
    expect(parameters.get("conv_dw_2/bias")?.data).toEqual(new Float32Array(16));
    expect(parameters.size).toBe(27 * 2 + 2);
  });
});

it("a network that was folded has its kernels and biases, and a classifier has what it has", () => {
  const graph = graphOf();
  const parameters = parametersOf(graph);
  expect(parameters.get("conv_pw_1/bias")?.data).toEqual(numbers(graph, "op2/b"));
  expect(parameters.get("conv_preds/kernel")).toMatchObject({ shape: [1, 1, 256, 5], data: numbers(graph, "head/w") });
  expect(parameters.get("conv_preds/bias")?.data).toEqual(numbers(graph, "head/b"));
  const nodes = graph.nodes.map((node) => (node.name === "head" ? { ...node, inputs: node.inputs.slice(0, 2) } : node));
  expect(parametersOf({ ...graph, nodes }).get("conv_preds/bias")?.data).toEqual(new Float32Array(5));
});

it("batch norm behind the classifier is folded into it, while the others stay apart", () => {
  const g = mobileNetGraph({ normalization: "batchNorm" });
  g.nodes.pop();
  g.value = "head";
  const parts = ["gamma", "beta", "mean", "variance"].map((part) => g.constant(`last/${part}`, [5], 0.5, 1.5));
  g.node("last", { type: "batchNorm", epsilon: 1e-3 }, ...parts).node("soft", { type: "softmax" });
  const graph = withSize(g);
  const parameters = parametersOf(graph);
  expect(parameters.size).toBe(27 * 5 + 2);
  const [gamma, beta, mean, variance] = parts.map((part) => numbers(graph, part)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const scale = gamma.map((value, c) => value / Math.sqrt(variance[c]! + 1e-3));
  const kernel = numbers(graph, "head/w").map((value, i) => value * scale[i % 5]!);
  const bias = numbers(graph, "head/b").map((value, c) => (value - mean[c]!) * scale[c]! + beta[c]!);
  for (const [name, wanted] of [
    ["kernel", kernel],
    ["bias", bias],
  ] as const) {
    const found = parameters.get(`conv_preds/${name}`)!.data;
    expect(Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(1e-5);
  }
});
