/** The one way from a graph's input to its result, if there is one; or why there is none. */

import type { Constants } from "./constants.ts";
import type { GraphInput, GraphNode, ModelGraph } from "./graph.ts";

export interface Path {
  readonly input: GraphInput;
  /** From the input to the last result. */
  readonly nodes: readonly GraphNode[];
}

/** Why a graph is no single path, and the nodes that were met before that was seen. */
export interface NoPath {
  readonly reason: string;
}

/** Follows each result back to the input. With several results all must lie on one path. */
export function findPath(graph: ModelGraph, constants: Constants): Path | NoPath {
  const [input, ...others] = graph.inputs;
  if (input === undefined) return { reason: "it has no input" };
  if (others.length > 0) return { reason: `it has ${graph.inputs.length} inputs` };
  const producers = new Map<string, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);

  let longest: readonly GraphNode[] = [];
  const ends: GraphNode[] = [];
  for (const output of graph.outputs) {
    const found = walkBack(output, input.name, producers, constants);
    if ("reason" in found) return found;
    if (found.nodes.length > longest.length) longest = found.nodes;
    const end = found.nodes.at(-1);
    if (end !== undefined) ends.push(end);
  }
  if (longest.length === 0) return { reason: "nothing lies between its input and its result" };
  const astray = ends.find((end) => !longest.includes(end));
  if (astray !== undefined) return { reason: `it has ${graph.outputs.length} results that are not on one path` };
  return { input, nodes: longest };
}

function walkBack(
  output: string,
  input: string,
  producers: ReadonlyMap<string, GraphNode>,
  constants: Constants,
): { readonly nodes: readonly GraphNode[] } | NoPath {
  const nodes: GraphNode[] = [];
  for (let value = output; value !== input; ) {
    const node = producers.get(value);
    if (node === undefined || nodes.length > producers.size) return { reason: `nothing computes "${value}"` };
    nodes.push(node);
    const computed = dataInputs(node).filter((name) => !constants.has(name));
    const [next, another] = computed;
    if (next === undefined) return { reason: `"${node.name}" does not depend on the input` };
    if (another !== undefined) return { reason: `"${node.name}" joins two branches` };
    value = next;
  }
  return { nodes: nodes.reverse() };
}

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
