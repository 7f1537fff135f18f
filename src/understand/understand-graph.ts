/** A graph of operations, understood; loaded when the first file that holds one is met. */

import { ownPart } from "../core/own-part.ts";
import type { ModelGraph } from "../formats/graph.ts";
import type { MobileNetV1Options } from "../models/index.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { KnownLayers } from "./architectures/mobilenet-v1/expected.ts";
import { understandGraph } from "./architectures/mobilenet-v1/from-graph.ts";
import type { FamilyDefaults } from "./architectures/mobilenet-v1/name-map.ts";
import { layerQuantization } from "./graph/layer-quantization.ts";
import type { StatedModel } from "./metadata.ts";
import type { UnderstoodNetwork, UnderstoodV1 } from "./understand.ts";

/** What a graph leaves open, mostly the range of its input. */
const DEFAULTS: FamilyDefaults = {
  padding: "same",
  epsilon: 1e-3,
  activation: "relu6",
  channelRounding: "truncate",
  preprocessing: {},
  hasOwnWidths: true,
  why: "as the released MobileNets; the file does not say",
};

/**
 * A MobileNet V1, if it is one; else whatever runs on our operations, as a network of its own.
 *
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying what the graph looks like and which operation is not ours
 */
export async function understandOperations(
  graph: ModelGraph,
  model: StatedModel,
  name: string,
  budget: DecodedBudget,
  known: KnownLayers,
  options: MobileNetV1Options,
): Promise<UnderstoodV1 | UnderstoodNetwork> {
  const v1 = understandGraph(graph, name, budget, model.facts.preprocessing, known);
  if (typeof v1 === "string") {
    const { understandAsNetwork } = await ownPart("what translates graphs", () => import("./graph/as-network.ts"));
    return understandAsNetwork(graph, model, name, budget, v1, options);
  }
  const { parameters, facts, layerNames } = v1;
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
