/** The nodes of a file's graph that lead to its results, in an order in which they can run. */

import { damaged, quoted } from "../../core/file-error.ts";
import type { GraphConstant, GraphInput, GraphNode, ModelGraph } from "../graph.ts";

export interface Ordered {
  readonly name: string;
  /** Values read. */
  readonly inputs: readonly string[];
}

/**
 * The nodes on the way to `outputs`, in the file's order as far as that can run.
 *
 * @param producer the node that makes a value; null for a value that is there from the start
 * @throws {DepthwiseError} `FILE_CORRUPT` for a cycle or a value that nothing makes
 */
export function orderNodes<Node extends Ordered>(
  file: string,
  nodes: readonly Node[],
  producer: (value: string) => Node | null | undefined,
  outputs: readonly string[],
): readonly Node[] {
  const make = (value: string, reader: string) => {
    const node = producer(value);
    if (node !== undefined) return node;
    throw damaged(file, `${quoted(value)}, which ${reader} is read, is made by no node`);
  };
  const needed = new Set<Node>();
  const waiting = outputs.map((value) => make(value, "as a result"));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === null || needed.has(node)) continue;
    needed.add(node);
    for (const value of node.inputs) waiting.push(make(value, `by ${quoted(node.name)}`));
  }
  const ordered = new Set<Node>();
  for (const node of nodes) if (needed.has(node)) appendAfterInputs(file, node, producer, ordered);
  return [...ordered];
}

/** Depth first, without recursion: chains are as long as the file says. */
function appendAfterInputs<Node extends Ordered>(
  file: string,
  last: Node,
  producer: (value: string) => Node | null | undefined,
  ordered: Set<Node>,
): void {
  const path = [{ node: last, next: 0 }];
  const onPath = new Set([last]);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const { node } = step;
    const value = ordered.has(node) ? undefined : node.inputs[step.next++];
    if (value === undefined) {
      ordered.add(node);
      onPath.delete(node);
      path.pop();
      continue;
    }
    const before = producer(value);
    if (before === null || before === undefined || ordered.has(before)) continue;
    if (onPath.has(before)) {
      throw damaged(file, `node ${quoted(before.name)} reads, through others, its own result`);
    }
    onPath.add(before);
    path.push({ node: before, next: 0 });
  }
}

/** Leaves out what translation made superfluous, such as the computation of a shape that `reshape` no longer reads. */
export function pruneGraph(graph: {
  readonly inputs: readonly GraphInput[];
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, GraphConstant>;
  readonly outputs: readonly string[];
}): Pick<ModelGraph, "kind" | "inputs" | "nodes" | "constants" | "outputs"> {
  const read = new Set(graph.outputs);
  const nodes: GraphNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((value) => read.has(value))) continue;
    nodes.push(node);
    for (const value of node.inputs) read.add(value);
  }
  return {
    kind: "graph",
    inputs: graph.inputs.filter(({ name }) => read.has(name)),
    nodes: nodes.reverse(),
    constants: new Map([...graph.constants].filter(([name]) => read.has(name))),
    outputs: graph.outputs,
  };
}
