/** hard-swish and hard-sigmoid, which exporters write out: x · relu6(x + 3) / 6, in one order or another. */

import type { ActivationFunction, GraphNode, ModelGraph } from "../../formats/graph.ts";
import type { Constants } from "./constants.ts";

/**
 * The graph with an activation in the place of the last operation of each; those before it are left, and needed no
 * more if nothing else reads them.
 */
export function withHardActivations(graph: ModelGraph, constants: Constants): ModelGraph {
  /** By the value: x of relu6(x + 3), of that by 6, of x times that. */
  const shifted = new Map<string, string>();
  const bounded = new Map<string, string>();
  const gates = new Map<string, string>();
  const products = new Map<string, string>();
  const origins = new Map<string, string>();
  const original = (value: string | undefined) => origins.get(value ?? "") ?? value ?? "";

  /** The other operand, if one of the two is this number, or its float32. */
  const operand = ({ inputs: [a = "", b = ""] }: GraphNode, number: number): string | undefined => {
    const is = (value: string) =>
      constants.has(value) &&
      constants.shape(value).every((side) => side === 1) &&
      Math.fround(constants.read(value)[0] ?? Number.NaN) === Math.fround(number);
    return is(b) ? original(a) : is(a) ? original(b) : undefined;
  };
  /** x, of x + 0 and x · 1, which layers of two parts leave. */
  const untouched = (node: GraphNode) => {
    const { type } = node.operation;
    return type === "add" ? operand(node, 0) : type === "multiply" ? operand(node, 1) : undefined;
  };
  const sixth = (node: GraphNode, of: ReadonlyMap<string, string>) => {
    const { type } = node.operation;
    if (type === "multiply") return of.get(operand(node, 1 / 6) ?? "");
    // Not 6 / x.
    return type === "divide" && !constants.has(node.inputs[0] ?? "") ? of.get(operand(node, 6) ?? "") : undefined;
  };
  /** x, of x times what was made of it. */
  const product = ({ operation, inputs: [a, b] }: GraphNode, of: ReadonlyMap<string, string>) => {
    if (operation.type !== "multiply") return undefined;
    const [first, second] = [original(a), original(b)];
    return of.get(second) === first ? first : of.get(first) === second ? second : undefined;
  };
  const activation = (node: GraphNode, name: ActivationFunction, x: string): GraphNode => {
    return { ...node, operation: { type: "activation", function: name }, inputs: [x] };
  };

  const nodes = graph.nodes.map((node): GraphNode => {
    const { operation } = node;
    const [output = ""] = node.outputs;
    const [first = ""] = node.inputs;
    const same = operation.type === "identity" ? original(first) : untouched(node);
    if (same !== undefined) origins.set(output, same);
    if (operation.type === "add") {
      const x = operand(node, 3);
      if (x !== undefined) shifted.set(output, x);
    }
    if (operation.type === "activation" && operation.function === "relu6") {
      const x = shifted.get(original(first));
      if (x !== undefined) bounded.set(output, x);
    }
    const gated = sixth(node, bounded);
    if (gated !== undefined) {
      gates.set(output, gated);
      return activation(node, "hardSigmoid", gated);
    }
    const multiplied = product(node, bounded);
    if (multiplied !== undefined) products.set(output, multiplied);
    const swish = product(node, gates) ?? sixth(node, products);
    return swish === undefined ? node : activation(node, "hardSwish", swish);
  });
  return { ...graph, nodes };
}
