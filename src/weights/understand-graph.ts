/** A graph of operations, understood; loaded when the first file that holds one is met. */

import type { DecodedBudget } from "./decoded-budget.ts";
import type { ModelGraph } from "./graph/graph.ts";
import { layerQuantization } from "./graph/layer-quantization.ts";
import { understandGraph } from "./graph/mobilenet-v1.ts";
import type { ModelFile } from "./model-file.ts";
import type { FamilyDefaults } from "./names/name-map.ts";
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
  model: ModelFile,
  name: string,
  budget: DecodedBudget,
): Understood {
  const fed = model.facts.preprocessing;
  const { parameters, facts, layerNames } = understandGraph(graph, name, budget, fed);
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
