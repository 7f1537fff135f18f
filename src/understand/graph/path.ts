/** The one way from a graph's input to its result, if there is one; or why there is none. */

import { quoted } from "../../core/file-error.ts";
import type { GraphInput, GraphNode, ModelGraph } from "../../formats/graph.ts";
import type { Constants } from "./constants.ts";

export interface Path {
  readonly input: GraphInput;
  /** From the input to the last result. */
  readonly nodes: readonly GraphNode[];
}

/** Why a graph is no single path, and the nodes that were met before that was seen. */
export interface NoPath {
  readonly reason: string;
}

/** Where a node stands on the way from the input. */
interface PathPlace {
  readonly depth: number;
  readonly before: GraphNode | undefined;
}

/** Follows each result back to the input, over each node once. With several results all must lie on one path. */
export function findPath(graph: ModelGraph, constants: Constants): Path | NoPath {
  const [input, ...others] = graph.inputs;
  if (input === undefined) return { reason: "it has no input" };
  if (others.length > 0) return { reason: `it has ${graph.inputs.length} inputs` };
  const producers = new Map<string, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);

  const places = new Map<GraphNode, PathPlace>();
  const ends = new Set<GraphNode>();
  let last: GraphNode | undefined;
  const depthOf = (node: GraphNode | undefined) => (node === undefined ? 0 : (places.get(node)?.depth ?? 0));
  for (const output of graph.outputs) {
    const found = walkBack(output, input.name, producers, constants, places);
    if (found !== undefined && "reason" in found) return found;
    if (found === undefined) continue;
    ends.add(found);
    if (depthOf(found) > depthOf(last)) last = found;
  }
  if (last === undefined) return { reason: "nothing lies between its input and its result" };
  const nodes: GraphNode[] = [];
  for (let node: GraphNode | undefined = last; node !== undefined; node = places.get(node)?.before) {
    nodes.push(node);
    ends.delete(node);
  }
  if (ends.size > 0) return { reason: `it has ${graph.outputs.length} results that are not on one path` };
  return { input, nodes: nodes.reverse() };
}

/** The node that makes a value, after all nodes before it have found their places; undefined for the input. */
function walkBack(
  output: string,
  input: string,
  producers: ReadonlyMap<string, GraphNode>,
  constants: Constants,
  places: Map<GraphNode, PathPlace>,
): GraphNode | undefined | NoPath {
  const nodes: GraphNode[] = [];
  let before: GraphNode | undefined;
  for (let value = output; value !== input; ) {
    const node = producers.get(value);
    if (node === undefined || nodes.length > producers.size) return { reason: `nothing computes ${quoted(value)}` };
    const name = quoted(node.name);
    if (value !== node.outputs[0] && node.operation.type !== "other")
      return { reason: `${quoted(value)} is not the first result of ${name}` };
    if (places.has(node)) {
      before = node;
      break;
    }
    nodes.push(node);
    const computed = dataInputs(node).filter((name) => !constants.has(name));
    const [next, another] = computed;
    if (next === undefined) return { reason: `${name} does not depend on the input` };
    if (another !== undefined) return { reason: `${name} joins two branches` };
    if (WEIGHTED.has(node.operation.type) && next !== node.inputs[0])
      return { reason: `a weight of ${name} is computed from the input` };
    value = next;
  }
  for (const node of nodes.reverse()) {
    const depth = 1 + (before === undefined ? 0 : (places.get(before)?.depth ?? 0));
    places.set(node, { depth, before });
    before = node;
  }
  return before;
}

/** Operations whose first input is the features, and the others weights. */
const WEIGHTED: ReadonlySet<string> = new Set(["convolution", "dense", "batchNorm"]);

/** The inputs that carry numbers; those of a reshape after the first carry shapes. */
export function dataInputs({ operation, inputs }: GraphNode): readonly string[] {
  switch (operation.type) {
    case "add":
    case "subtract":
    case "multiply":
    case "divide":
    case "other":
    case "convolution":
    case "dense":
    case "batchNorm":
      return inputs.filter((name) => name !== "");
    default:
      return inputs.slice(0, 1);
  }
}

/** What a node is that does not run here, for messages. */
export function isKind(name: string, kind: string): string {
  return `${quoted(name)} is ${/^(?!uni)[aeiou]/i.test(kind) ? "an" : "a"} ${kind}`;
}
