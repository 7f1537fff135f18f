/** What the results of a graph need: its nodes in order, and who reads what they make. */

import { quoted } from "../../core/file-error.ts";
import type { GraphNode, ModelGraph } from "../../formats/graph.ts";
import type { Constants } from "./constants.ts";
import { dataInputs } from "./path.ts";

export interface Live {
  /** In the order of the graph; those that compute constants left out. */
  readonly nodes: readonly GraphNode[];
  /** The one node that reads a value, once; undefined if several do, or it is a result. */
  soleReader(value: string): GraphNode | undefined;
  /** A value that nothing computes, if one is read. */
  readonly missing?: string;
}

/** @param refuse throws */
export function liveNodes(graph: ModelGraph, constants: Constants, refuse: (reason: string) => never): Live {
  const producers = new Map<string, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const needed = new Set<GraphNode>();
  const readers = new Map<string, GraphNode | undefined>();
  const waiting = [...graph.outputs];
  let missing: string | undefined;
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (inputs.has(value) || constants.has(value)) continue;
    const node = producers.get(value);
    if (node === undefined) {
      missing ??= value;
      continue;
    }
    if (value !== node.outputs[0] && node.operation.type !== "other")
      refuse(`${quoted(value)} is not the first result of ${quoted(node.name)}`);
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of dataInputs(node)) {
      readers.set(input, readers.has(input) ? undefined : node);
      waiting.push(input);
    }
  }
  for (const output of graph.outputs) readers.set(output, undefined);
  const nodes = graph.nodes.filter((node) => needed.has(node));
  return { nodes, soleReader: (value) => readers.get(value), ...(missing === undefined ? {} : { missing }) };
}
