/** Scales and zero points of a quantized network by our layers, for whoever runs it in integers. */

import type { ModelGraph, ValueQuantization } from "../../formats/graph.ts";

export interface LayerQuantization {
  readonly input?: ValueQuantization;
  readonly kernel?: ValueQuantization;
  readonly bias?: ValueQuantization;
}

/** By our names, and `result` for what the network gives; undefined if nothing is quantized. */
export function layerQuantization(
  graph: ModelGraph,
  layerNames: ReadonlyMap<string, string> = new Map(),
): Readonly<Record<string, LayerQuantization | ValueQuantization>> | undefined {
  const { quantization } = graph;
  if (quantization === undefined || quantization.size === 0) return undefined;
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const byLayer = [...layerNames].map(([ours, theirs]) => {
    const roles = ["input", "kernel", "bias"] as const;
    const inputs = nodes.get(theirs)?.inputs ?? [];
    const found = roles.flatMap((role, i) => {
      const value = quantization.get(inputs[i] ?? "");
      return value === undefined ? [] : [[role, value] as const];
    });
    return [ours, Object.fromEntries(found)] as const;
  });
  const result = quantization.get(graph.outputs[0] ?? "");
  return { ...Object.fromEntries(byLayer), ...(result === undefined ? {} : { result }) };
}
