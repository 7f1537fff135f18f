/**
 * TensorFlow's GraphDef, read into a neutral form, as a `ModelGraph`; whether it came as protobuf (a frozen graph)
 * or as JSON (a TensorFlow.js graph model).
 */

import { damaged, fileError, quoted } from "../../core/file-error.ts";
import type { GraphConstant, GraphInput, ModelGraph } from "../graph.ts";
import { type Charge, graphBuilder } from "../protobuf/graph-builder.ts";
import { orderNodes } from "../protobuf/graph-order.ts";
import { translateGraphDefNode } from "./graph-def-operations.ts";
import type { GraphDefNode } from "./node.ts";

export interface GraphDefOptions {
  /** Of the file, for messages. */
  readonly name: string;
  /** Names of the results (`name` or `name:0`). Default: what no node reads. */
  readonly outputs?: readonly string[];
  /** Counts the bytes of constants that are computed from others; throws beyond what may be. Default: no limit. */
  readonly charge?: Charge;
}

/**
 * Translates a GraphDef.
 *
 * @param constants by the names of the `Const` nodes; quantized ones (quint8 …) as their whole numbers, which the
 *        graph's own `Dequantize` nodes then turn into values. A `Const` that is missing here is left `other`.
 * @throws {DepthwiseError} `FILE_CORRUPT` for a cycle, a name given twice, a value that no node makes or a node
 *         without the inputs and attributes of its kind; `ARCHITECTURE_UNKNOWN` for loops and for NCHW
 */
export function graphFromGraphDef(
  nodes: readonly GraphDefNode[],
  constants: ReadonlyMap<string, GraphConstant>,
  options: GraphDefOptions,
): ModelGraph {
  const { name: file } = options;
  refuseLoops(nodes, file);
  const byName = new Map<string, GraphDefNode>();
  for (const node of nodes) {
    if (byName.has(node.name)) throw damaged(file, `two nodes are named ${quoted(node.name)}`);
    byName.set(node.name, { ...node, inputs: node.inputs.flatMap(valueName) });
  }
  const all = [...byName.values()];
  const outputs = options.outputs?.flatMap(valueName) ?? findResults(all, byName, file);
  const ordered = orderNodes(file, all, (value) => byName.get(nodeName(value)), outputs);
  const graph = graphBuilder(file, byName.keys(), options.charge ?? (() => {}));
  const outputsOf = readOutputs(ordered, outputs);
  for (const node of ordered) {
    const constant = node.op === "Const" ? constants.get(node.name) : undefined;
    if (constant !== undefined) graph.addConstant({ ...constant, name: node.name });
    else if (INPUTS.has(node.op)) graph.addInput(inputOf(node));
    else graph.add(node.name, translateGraphDefNode(node, graph), outputsOf.get(node.name) ?? [node.name]);
  }
  return graph.finish(outputs);
}

const INPUTS: ReadonlySet<string> = new Set(["Placeholder", "PlaceholderV2", "PlaceholderWithDefault"]);

/** What training leaves behind: its results are no results of the network. */
const BOOKKEEPING = /^(NoOp|Assert|Print|PrintV2|Save|SaveV2|Restore|RestoreV2|Assign.*|.*Summary|.*SummaryV2)$/;

/** The value's name: `name` for `name:0`; none for a control input. */
function valueName(input: string): readonly string[] {
  if (input.startsWith("^")) return [];
  return [input.endsWith(":0") ? input.slice(0, -2) : input];
}

function nodeName(value: string): string {
  return value.replace(/:\d+$/, "");
}

/** What a network's loop goes through, round after round; as an order of nodes it would be a cycle. */
function refuseLoops(nodes: readonly GraphDefNode[], file: string): void {
  const loop = nodes.find(({ op }) => op === "NextIteration" || op === "RefNextIteration");
  if (loop === undefined) return;
  throw fileError("ARCHITECTURE_UNKNOWN", file, "the network", "Loops do not run here.", {
    expected: "operations that run one after the other",
    found: `a network with loops (node ${quoted(loop.name)})`,
    fields: { node: loop.name },
  });
}

/** The values that no node reads, of those that depend on an input of the graph if any do. */
function findResults(
  nodes: readonly GraphDefNode[],
  byName: ReadonlyMap<string, GraphDefNode>,
  file: string,
): readonly string[] {
  const network = nodes.filter(({ op }) => !BOOKKEEPING.test(op));
  const readers = new Map<GraphDefNode, GraphDefNode[]>();
  for (const node of network) {
    for (const value of node.inputs) {
      const source = byName.get(nodeName(value));
      if (source === undefined) continue;
      const known = readers.get(source);
      if (known === undefined) readers.set(source, [node]);
      else known.push(node);
    }
  }
  const dependent = new Set<GraphDefNode>();
  const waiting = network.filter(({ op }) => INPUTS.has(op));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (dependent.has(node)) continue;
    dependent.add(node);
    for (const reader of readers.get(node) ?? []) waiting.push(reader);
  }
  const results = network.filter((node) => !readers.has(node) && node.op !== "Const" && !INPUTS.has(node.op));
  const names = results.map(({ name }) => name);
  const dependents = results.filter((node) => dependent.has(node)).map(({ name }) => name);
  if (dependents.length > 0) return dependents;
  if (names.length > 0) return names;
  throw damaged(file, "graph", { expected: "a result: a node that no other reads", found: "none" });
}

/** Outputs of a node that are read, the first one always among them. */
function readOutputs(nodes: readonly GraphDefNode[], results: readonly string[]): ReadonlyMap<string, string[]> {
  const outputs = new Map<string, string[]>();
  for (const value of new Set([...results, ...nodes.flatMap(({ inputs }) => inputs)])) {
    const name = nodeName(value);
    const known = outputs.get(name);
    if (known === undefined) outputs.set(name, value === name ? [name] : [name, value]);
    else if (value !== name) known.push(value);
  }
  return outputs;
}

/** An input of the network; its shape without the batch, if the file states it. */
function inputOf({ name, attributes }: GraphDefNode): GraphInput {
  const own = attributes.get("shape")?.shape;
  const stated = own !== undefined && own.length > 0 ? own : attributes.get("_output_shapes")?.list?.shape?.[0];
  if (stated === undefined || stated.length < 2 || stated.length > 4) return { name };
  const shape = stated.length === 3 ? stated : stated.slice(1);
  return { name, shape: shape.map((side) => (Number.isSafeInteger(side) && side > 0 ? side : undefined)) };
}
