/** An ONNX graph as a `ModelGraph`. */

import { damaged, quoted } from "../../core/file-error.ts";
import { uniqueNames } from "../../core/unique-names.ts";
import type { GraphConstant, GraphInput, ImageLayout, ModelGraph } from "../graph.ts";
import { type Charge, graphBuilder, otherStep } from "../protobuf/graph-builder.ts";
import { orderNodes } from "../protobuf/graph-order.ts";
import type { StoredDType } from "../stored-tensor.ts";
import { CHANNELS_FIRST, inputLayouts, keepsImage, nextLayout } from "./layout.ts";
import type { OnnxNode } from "./node.ts";
import { translateOnnxNode } from "./operations.ts";

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Shapes as in the file: `[batch, channels, height, width]` or another order. */
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly string[];
  readonly constants: ReadonlyMap<string, GraphConstant>;
  /** Types of the constants as they are stored. */
  readonly dtypes: ReadonlyMap<string, StoredDType>;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Counts what is allocated besides the constants. */
  readonly charge: Charge;
}

/**
 * Translates an ONNX graph.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for a cycle, a value made twice or not at all, or a node without the inputs
 *         and attributes of its kind; `ARCHITECTURE_UNKNOWN` for pads that depend on a size that is not stated
 */
export function graphFromOnnx(file: string, onnx: OnnxGraph): ModelGraph {
  const { constants, outputs, opset } = onnx;
  if (outputs.length === 0) {
    throw damaged(file, "graph", { expected: "at least one output", found: "none" });
  }
  // Older files list their weights among the inputs.
  const inputs = onnx.inputs.filter(({ name }) => !constants.has(name));
  const nodes = withUniqueNames(onnx.nodes);
  const producers = findProducers(file, nodes, new Set([...constants.keys(), ...inputs.map(({ name }) => name), ""]));
  const ordered = orderNodes(file, nodes, (value) => producers.get(value), outputs);

  const names = [...nodes.map(({ name }) => name), ...producers.keys()];
  const graph = graphBuilder(file, names, onnx.charge);
  for (const constant of constants.values()) graph.addConstant(constant);
  const layouts = inputLayouts(inputs, ordered);
  for (const input of inputs) graph.addInput(withoutBatch(input, layouts.get(input.name) ?? "NCHW"));
  const dtypes = new Map(onnx.dtypes);
  for (const node of ordered) {
    const [result = ""] = node.outputs;
    // The constant of a `Constant` node.
    if (constants.has(result)) continue;
    const layout = layouts.get(node.inputs[0] ?? "") ?? "NCHW";
    const made = node.outputs.filter((value) => value !== "");
    const isUsual = result !== "";
    const other = otherStep(node.op, node.inputs);
    // Whoever takes channels last for channels first sees an image of other sides.
    if (layout === "NHWC" && CHANNELS_FIRST.has(node.op)) graph.sizes.set(node.inputs[0] ?? "", undefined);
    graph.add(node.name, isUsual ? translateOnnxNode(node, { graph, opset, layout, dtypes }) : other, made);
    const after = nextLayout(node, layout);
    if (node.op === "Transpose" && keepsImage(node, layout, after))
      graph.sizes.set(result, graph.sizes.of(node.inputs[0] ?? ""));
    layouts.set(result, after);
  }
  return { ...graph.finish(outputs), layout: "NCHW" };
}

/** Names may be left out or stand twice: the first output tells such nodes apart. */
function withUniqueNames(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const unique = uniqueNames();
  const seen = new Set([""]);
  return nodes.map((node) => {
    const wished = seen.has(node.name) ? node.outputs[0] || node.op : node.name;
    seen.add(node.name);
    return { ...node, name: unique(wished) };
  });
}

/** The node behind each value; null for values that are there from the start. */
function findProducers(
  file: string,
  nodes: readonly OnnxNode[],
  given: ReadonlySet<string>,
): ReadonlyMap<string, OnnxNode | null> {
  const producers = new Map<string, OnnxNode | null>([...given].map((value) => [value, null]));
  for (const node of nodes) {
    for (const value of node.outputs) {
      if (value === "" || (node.op === "Constant" && given.has(value))) continue;
      if (producers.has(value)) throw damaged(file, `the value ${quoted(value)} is made twice`);
      producers.set(value, node);
    }
  }
  return producers;
}

function withoutBatch({ name, shape }: GraphInput, layout: ImageLayout): GraphInput {
  if (shape?.length === 2) return { name, shape: shape.slice(1) };
  if (shape?.length !== 4) return { name };
  const [, a, b, c] = shape;
  return layout === "NHWC" ? { name, shape: [a, b, c] } : { name, shape: [b, c, a], isChannelsFirst: true };
}
