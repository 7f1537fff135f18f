/** A graph of operations as a MobileNet V1; loaded when the first file that holds one is met. */

import type { ModelGraph } from "../../../formats/graph.ts";
import type { Evidence, Recognised, Refusal } from "../../architecture.ts";
import { layerQuantization } from "../../graph/layer-quantization.ts";
import type { KnownLayers } from "./expected.ts";
import { understandGraph } from "./from-graph.ts";
import type { FamilyDefaults } from "./name-map.ts";
import { ownWidthFacts } from "./own-blocks.ts";

/** What a graph leaves open, mostly the range of its input. */
const DEFAULTS: FamilyDefaults = {
  padding: "same",
  epsilon: 1e-3,
  activation: "relu6",
  channelRounding: "truncate",
  preprocessing: {},
  ownWidths: ownWidthFacts,
  why: "as the released MobileNets; the file does not say",
};

/** A MobileNet V1, if it is one. */
export function understandOperations(
  graph: ModelGraph,
  { model, file, budget }: Evidence,
  known: KnownLayers,
): Recognised<FamilyDefaults> | Refusal {
  const found = understandGraph(graph, file.name, budget, model.facts.preprocessing, known);
  if (typeof found === "string") return { reason: found };
  const { parameters, facts, layerNames } = found;
  const quantization = layerQuantization(graph, layerNames);
  return {
    parameters,
    // What the file says of its input is in the graph's own word on it already.
    facts: { ...facts, ...model.facts, ...(facts.preprocessing && { preprocessing: facts.preprocessing }) },
    defaults: DEFAULTS,
    understoodBy: "operations of the graph",
    ...(quantization === undefined ? {} : { quantization }),
  };
}
