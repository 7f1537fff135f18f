/** A network that comes in two files, joined: the second reads what the first gives. */

import { DepthwiseError, listed } from "../core/errors.ts";
import type { GraphNode, ModelGraph, ValueQuantization } from "./graph.ts";

/**
 * One graph of two. Names of the second get a prefix, so that none is met twice.
 *
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the first does not give one result, or the second takes another
 *         quantization than the first gives
 */
export function joinGraphs(first: ModelGraph, second: ModelGraph, names: readonly [string, string]): ModelGraph {
  const [output, ...moreOutputs] = first.outputs;
  const [input, ...moreInputs] = second.inputs;
  if (output === undefined || input === undefined || moreOutputs.length > 0 || moreInputs.length > 0) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${names[0]} and ${names[1]}: joining them`,
      expected: "a first network of one result and a second of one input",
      found: `${first.outputs.length} and ${second.inputs.length}`,
      advice: "Pass the files in the order in which the network runs.",
    });
  }
  const given = first.quantization?.get(output);
  const taken = second.quantization?.get(input.name);
  if (given !== undefined && taken !== undefined && !sameQuantization(given, taken)) {
    const text = ({ scale, zeroPoint }: ValueQuantization) =>
      `scale ${listed(scale.map(String))}, zero point ${listed(zeroPoint.map(String))}`;
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${names[1]}: the quantization of its input`,
      expected: `that of the result of ${names[0]}, ${text(given)}`,
      found: text(taken),
      advice: "These two files are not parts of one network, or not in this order.",
    });
  }
  const renamed = (name: string) => (name === "" ? "" : name === input.name ? output : `second/${name}`);
  const nodes: GraphNode[] = second.nodes.map((node) => ({
    ...node,
    name: `second/${node.name}`,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  const constants = [...second.constants].map(([name, constant]) => [renamed(name), constant] as const);
  const quantization = [...(second.quantization ?? [])].map(([name, value]) => [renamed(name), value] as const);
  return {
    kind: "graph",
    ...(first.layout === undefined ? {} : { layout: first.layout }),
    inputs: first.inputs,
    nodes: [...first.nodes, ...nodes],
    constants: new Map([...first.constants, ...constants]),
    outputs: second.outputs.map(renamed),
    ...(second.outputNames === undefined ? {} : { outputNames: second.outputNames }),
    quantization: new Map([...(first.quantization ?? []), ...quantization]),
  };
}

function sameQuantization(a: ValueQuantization, b: ValueQuantization): boolean {
  const same = (x: readonly number[], y: readonly number[]) =>
    x.length === y.length && x.every((value, i) => Math.abs(value - (y[i] ?? 0)) <= 1e-6 * Math.abs(value));
  return a.dtype === b.dtype && same(a.scale, b.scale) && same(a.zeroPoint, b.zeroPoint);
}
