/** The classifier of a network, whatever its layers: where it is, a wider one, the layers without it. */

import { DepthwiseError, listed } from "../core/errors.ts";
import { type Network, network } from "../layers/network.ts";
import type { LayerNode, NodeDefinition } from "../layers/node.ts";
import { builtBy } from "../understand/architecture.ts";
import { BUILDERS } from "../understand/architectures/table.ts";

/** A layer that makes one number a class. */
export type Head = Extract<LayerNode, { readonly type: "conv2d" | "dense" | "pointwiseConv2d" }>;

/** Layers that may stand between the classifier and the output, and mix no classes before it. */
const PASSED: ReadonlySet<string> = new Set(["reshape", "flatten", "dropout", "softmax"]);

/**
 * The layer that makes `logits`, or the probabilities or the only output behind it.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` if no layer makes one number a class
 */
export function findHead(owner: string, model: Network): Head {
  const nodes = new Map(model.layers.map((node) => [node.name, node]));
  const { logits, probabilities, output } = model.outputs;
  const last = logits ?? probabilities ?? output ?? "";
  let node = nodes.get(last);
  while (node !== undefined && PASSED.has(node.type)) node = nodes.get(node.inputs[0] ?? "");
  const shape = model.shapes.get(last);
  if (node?.type === "dense" || node?.type === "pointwiseConv2d" || node?.type === "conv2d") {
    if (shape?.length === 1 && shape[0] === node.attributes.filters) return node;
  }
  throw new DepthwiseError("NETWORK_INVALID", {
    what: `${owner}: ${model.name}`,
    expected: "a classifier: a dense layer or a convolution of one pixel that makes the logits",
    found: last === "" ? `outputs ${listed(Object.keys(model.outputs))}` : `"${last}" without one`,
    advice: builtBy(model, BUILDERS)?.options.includes("includeTop")
      ? "Give it one with replaceHead."
      : 'Name the layer that makes the logits among the outputs, as "logits".',
    fields: { outputs: model.outputs },
  });
}

/** The same layers with another number of filters in the head, and in the shapes behind it. */
export function withFilters(model: Network, head: Head, filters: number): Network {
  const behind = new Set([head.name]);
  const layers = model.layers.map((node) => {
    const definition = definitionOf(node);
    if (node.name === head.name) return { ...definition, attributes: { ...head.attributes, filters } };
    if (!PASSED.has(node.type) || !node.inputs.every((input) => behind.has(input))) return definition;
    behind.add(node.name);
    if (node.type !== "reshape") return definition;
    return { ...definition, attributes: { shape: [...node.attributes.shape.slice(0, -1), filters] } };
  });
  return network({ ...outline(model), layers, outputs: model.outputs, aliases: model.aliases });
}

/**
 * The layers that an output needs, in their order.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` if there is no such output
 */
export function upTo(owner: string, model: Network, output: string): Network {
  const end = Object.hasOwn(model.outputs, output) ? model.outputs[output] : undefined;
  if (end === undefined) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `${owner}: ${model.name}`,
      expected: `an output "${output}"`,
      found: listed(Object.keys(model.outputs)),
      advice: `Name the layer of the features among the outputs, as "${output}".`,
      fields: { outputs: model.outputs },
    });
  }
  const needed = new Set([end]);
  for (const node of model.layers.toReversed()) {
    if (needed.has(node.name)) for (const input of node.inputs) needed.add(input);
  }
  return network({
    ...outline(model),
    layers: model.layers.filter(({ name }) => needed.has(name)).map(definitionOf),
    outputs: { [output]: end },
    aliases: Object.fromEntries(Object.entries(model.aliases).filter(([, target]) => needed.has(target))),
  });
}

function definitionOf({ name, type, inputs, attributes }: LayerNode): NodeDefinition {
  return { name, type, inputs, attributes: { ...attributes } };
}

function outline({ name, inputShape }: Network) {
  return { name, inputShape };
}
