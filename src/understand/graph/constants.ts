/** Values of a graph that do not depend on its input, computed when asked for, in float64. */

import { invariant } from "../../core/errors.ts";
import { elementCount, type Shape } from "../../core/tensor.ts";
import { foldedShape } from "../../formats/folded-shape.ts";
import type { GraphNode, ModelGraph } from "../../formats/graph.ts";
import { broadcast } from "./broadcast.ts";

/** Deeper trees of constants come from no exporter; values below them count as computed. */
const MAX_DEPTH = 64;

/** How often each number of the constants is computed with, on average; and what small files may do at least. */
const MOST_USES = 16;
const LEAST_WORK = 2 ** 22;

export interface Constants {
  has(value: string): boolean;
  shape(value: string): Shape;
  /** The numbers, row by row. Throws what `refused` makes once all that was read is out of proportion. */
  read(value: string): Float64Array;
  /** Counts numbers that are computed from constants, as `read` counts its own. */
  spend(elements: number): void;
  /** The node that computes a value, looking through those that change nothing. */
  producer(value: string): GraphNode | undefined;
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
};

/** @param refused makes the error for a graph that asks for more arithmetic than its constants are worth */
export function findConstants(graph: ModelGraph, refused: (reason: string) => Error): Constants {
  const shapes = new Map<string, Shape>();
  const depths = new Map<string, number>();
  const producers = new Map<string, GraphNode>();
  let left = LEAST_WORK;
  for (const [name, { shape }] of graph.constants) {
    shapes.set(name, shape);
    left += MOST_USES * elementCount(shape);
  }
  // Trees of constants may share branches, and layers whole trees: a few bytes could ask for work without end.
  const spend = (elements: number) => {
    left -= elements;
    if (left < 0) throw refused("its constants are computed from one another over and over");
  };
  for (const node of graph.nodes) {
    const [output = ""] = node.outputs;
    producers.set(output, node);
    const depth = 1 + Math.max(0, ...node.inputs.slice(0, 2).map((input) => depths.get(input) ?? 0));
    const shape = depth > MAX_DEPTH ? undefined : foldedShape(node, (value) => shapes.get(value));
    if (shape === undefined) continue;
    shapes.set(output, shape);
    depths.set(output, depth);
  }

  const known = new Map<string, Float64Array>();
  const read = (value: string): Float64Array => {
    let numbers = known.get(value);
    if (numbers === undefined) {
      const constant = graph.constants.get(value);
      spend(1 + elementCount(shapes.get(value) ?? []));
      numbers = constant === undefined ? compute(producers.get(value)) : Float64Array.from(constant.read());
      // Kernels are read once; what is kept are the vectors that batch norm reads again and again.
      if (numbers.length <= 4096) known.set(value, numbers);
    }
    return numbers;
  };
  const compute = (node: GraphNode | undefined): Float64Array => {
    invariant(node !== undefined, "A constant has neither numbers nor a node.");
    const [first = "", second = ""] = node.inputs;
    const a = read(first);
    const { type } = node.operation;
    if (type === "rsqrt") return a.map((x) => 1 / Math.sqrt(x));
    const arithmetic = ARITHMETIC[type];
    if (arithmetic === undefined) return a;
    const operand = (name: string, data: Float64Array) => ({ data, shape: shapes.get(name) ?? [] });
    const shape = shapes.get(node.outputs[0] ?? "") ?? [];
    return broadcast(arithmetic, operand(first, a), operand(second, read(second)), shape);
  };
  return {
    has: (value) => shapes.has(value),
    shape: (value) => shapes.get(value) ?? [],
    read,
    spend,
    producer(value) {
      let node = producers.get(value);
      for (
        let i = 0;
        i < MAX_DEPTH && (node?.operation.type === "identity" || node?.operation.type === "reshape");
        i++
      ) {
        const next = producers.get(node.inputs[0] ?? "");
        if (next === undefined) break;
        node = next;
      }
      return node;
    },
  };
}
