/** What a graph looks like that is no architecture known here: for the word that refuses it, or says what it is. */

import type { GraphNode, GraphOperation, ModelGraph } from "../../formats/graph.ts";
import { dataInputs } from "./path.ts";

/** What a graph looks like, in a few words. */
export function recogniseGraph(graph: ModelGraph): string {
  const others = graph.nodes.flatMap(({ operation }) => (operation.type === "other" ? [operation.name] : []));
  const recurrent = others.find((name) => /lstm|gru|rnn/i.test(name));
  if (recurrent !== undefined) return `a recurrent network (${recurrent})`;
  const convolutions = graph.nodes.filter(({ operation }) => operation.type === "convolution");
  if (convolutions.length === 0) return "a network without convolutions";
  if (convolutions.length === 1) {
    const isAlone = graph.nodes.every((node) => ALONE.has(node.operation.type) || isBias(node, graph));
    return isAlone
      ? "a single convolution, such as the classifier of a network cut in two"
      : "a network with one convolution";
  }
  const depthwise = convolutions.filter((node) => isDepthwise(node, graph));
  const joins = countJoins(graph);
  if (depthwise.length === 0) {
    return joins.add > 0 ? `a ResNet (${joins.add} sums of branches)` : "a network of full convolutions";
  }
  if (joins.multiply > 0 || graph.nodes.some(isHard)) {
    return "a MobileNet V3 or EfficientNet (squeeze and excite or hard-swish)";
  }
  if (joins.add > 0) return `a MobileNet V2 (inverted residuals: ${joins.add} sums of branches)`;
  const [first] = convolutions;
  if (first !== undefined && isDepthwise(first, graph)) {
    const shape = graph.constants.get(first.inputs[1] ?? "")?.shape ?? [];
    const [channels = 0, last = 0] = shape.slice(-2);
    const isByMultiplier = first.operation.type === "convolution" && first.operation.layout === "HWIM";
    const filters = isByMultiplier ? channels * last : last;
    return `a separable network whose first layer is a depthwise convolution (${filters} filters)`;
  }
  const [input] = graph.inputs;
  const size = input?.shape?.map((side) => side ?? "?").join(" × ");
  return `a separable network of ${depthwise.length} depthwise layers${size === undefined ? "" : ` on ${size}`}`;
}

/** What a convolution is with its activation and shape, and no other layer. */
const ALONE: ReadonlySet<string> = /* @__PURE__ */ new Set(
  "convolution activation softmax reshape identity".split(" "),
);

function isBias({ operation, inputs }: GraphNode, graph: ModelGraph): boolean {
  return operation.type === "add" && inputs.some((input) => graph.constants.has(input));
}

function isHard({ operation }: GraphNode): boolean {
  if (operation.type === "activation") return operation.function.startsWith("hard");
  return operation.type === "other" && /hard_?swish|hardsigmoid/i.test(operation.name);
}

function isDepthwise({ operation, inputs }: GraphNode, graph: ModelGraph): boolean {
  if (operation.type !== "convolution") return false;
  if (operation.layout === "HWIM" || operation.layout === "1HWC") return true;
  return operation.layout === "OIHW" && operation.groups > 1 && graph.constants.get(inputs[1] ?? "")?.shape[1] === 1;
}

/** How often two computed values meet. */
function countJoins(graph: ModelGraph): { readonly add: number; readonly multiply: number } {
  const computed = new Set(graph.inputs.map(({ name }) => name));
  const count = { add: 0, multiply: 0 };
  for (const node of graph.nodes) {
    const live = dataInputs(node).filter((name) => computed.has(name));
    if (live.length > 0) for (const output of node.outputs) computed.add(output);
    const type: GraphOperation["type"] = node.operation.type;
    if (live.length > 1 && (type === "add" || type === "multiply")) count[type]++;
  }
  return count;
}
