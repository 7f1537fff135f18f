/** A graph of operations, understood; loaded when the first file that holds one is met. */

import type { ModelGraph } from "../formats/graph.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { KnownLayers } from "./architectures/mobilenet-v1/expected.ts";
import { understandGraph } from "./architectures/mobilenet-v1/from-graph.ts";
import type { FamilyDefaults } from "./architectures/mobilenet-v1/name-map.ts";
import { layerQuantization } from "./graph/layer-quantization.ts";
import type { StatedModel } from "./metadata.ts";
import type { Understood } from "./understand.ts";

/** What a graph leaves open, mostly the range of its input. */
const DEFAULTS: FamilyDefaults = {
  padding: "same",
  epsilon: 1e-3,
  activation: "relu6",
  channelRounding: "truncate",
  preprocessing: {},
  why: "as the released MobileNets; the file does not say",
};

/** @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying what the graph looks like */
export function understandOperations(
  graph: ModelGraph,
  model: StatedModel,
  name: string,
  budget: DecodedBudget,
  known: KnownLayers,
): Understood {
  const fed = model.facts.preprocessing;
  const { parameters, facts, layerNames } = understandGraph(graph, name, budget, fed, known);
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
