/** A graph of operations as a network of its own, layer by layer: whatever it is, if each operation is one of ours. */

import { listed } from "../../core/errors.ts";
import { quoted } from "../../core/file-error.ts";
import type { FloatTensor, Shape } from "../../core/tensor.ts";
import type { GraphInput, GraphNode, ModelGraph, Pair } from "../../formats/graph.ts";
import { INPUT, type NodeDefinition } from "../../layers/node.ts";
import { findConstants } from "./constants.ts";
import { type Draft, openDraft, resultNames } from "./draft.ts";
import { emit } from "./emit.ts";
import { withHardActivations } from "./hard-swish.ts";
import { liveNodes } from "./live.ts";
import { isKind } from "./path.ts";
import { described, inShape, laidValue, type Site } from "./site.ts";
import { imageView, naturalShape, plainView, type Value } from "./views.ts";

export interface TranslatedGraph {
  readonly inputShape: Shape;
  readonly layers: readonly NodeDefinition[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  /** The graph's name of each layer with a kernel, by ours. */
  readonly layerNames: ReadonlyMap<string, string>;
  /** Whether a height or width was left open by the file. */
  readonly isOpen: boolean;
  /** How many classes there are, if it gives any. */
  readonly classes?: number;
}

/** What a graph may not have more of; networks themselves are bounded so. */
const MOST_LAYERS = 10_000;
/** The side that most networks for images were trained at. */
const USUAL_SIDE = 224;

/**
 * @param charge counts bytes of numbers that the network has and the file has not
 * @param refused makes the error for a graph that does not run on our operations, naming the node and its operation
 * @param size    of the image, where the file leaves it open
 */
export function translateGraph(
  whole: ModelGraph,
  charge: (bytes: number, what: string) => void,
  refused: (reason: string) => Error,
  size: Pair = [USUAL_SIDE, USUAL_SIDE],
): TranslatedGraph {
  const refuse = (reason: string): never => {
    throw refused(reason);
  };
  const constants = findConstants(whole, refused);
  const graph = withHardActivations(whole, constants);
  const live = liveNodes(graph, constants, refuse);
  refuseOthers(live.nodes, refuse);
  if (live.missing !== undefined) refuse(`nothing computes ${quoted(live.missing)}`);
  const draft = openDraft(MOST_LAYERS, refuse);
  const site: Site = {
    ...{ graph, constants, live, draft, charge, refuse },
    ...{ values: new Map(), absorbed: new Set(), read: new Set(), layerNames: new Map() },
  };
  const reads = new Set(live.nodes.flatMap(({ inputs }) => inputs));
  const inputs = graph.inputs.filter(({ name }) => reads.has(name));
  const [input = refuse("nothing lies between its input and its result"), another] = inputs;
  if (another !== undefined) refuse(`it has ${inputs.length} inputs`);
  const { value, isOpen } = inputValue(input, size, refuse);
  site.values.set(input.name, value);
  for (const node of live.nodes) if (!site.absorbed.has(node.name)) emit(site, node);
  const results = outputsOf(site, value.shape);
  const { layers, parameters } = draft;
  return { inputShape: value.shape, layers, ...results, parameters, layerNames: site.layerNames, isOpen };
}

/** All kinds that are not ours at once, each with the first node of it: whoever looks for a way round wants to know. */
function refuseOthers(nodes: readonly GraphNode[], refuse: (reason: string) => never): void {
  const kinds = new Map<string, string>();
  for (const { name, operation } of nodes)
    if (operation.type === "other" && !kinds.has(operation.name)) kinds.set(operation.name, name);
  if (kinds.size === 0) return;
  refuse(
    listed(
      [...kinds].map(([kind, name]) => isKind(name, kind)),
      ", ",
      3,
    ),
  );
}

function inputValue({ name, shape, isChannelsFirst }: GraphInput, size: Pair, refuse: (reason: string) => never) {
  if (shape === undefined) return refuse(`the shape of its input ${quoted(name)} is not stated`);
  const isImage = shape.length === 3;
  const sides = shape.map(
    (side, axis) =>
      side ?? (isImage ? size[axis] : undefined) ?? refuse(`the input ${quoted(name)} leaves its channels open`),
  );
  if (sides.length < 1 || sides.length > 3) refuse(`its input ${quoted(name)} has ${sides.length} sides`);
  const view = isImage && isChannelsFirst ? imageView(sides, "NCHW") : plainView(sides);
  // Networks begin with an image or a row.
  const value: Value = { ...view, node: INPUT, shape: sides.length === 2 ? [...sides, 1] : sides };
  return { value, isOpen: shape.includes(undefined) };
}

/**
 * What a run returns, and no more than the file gives. One result is `output`; a softmax is `probabilities`, over
 * `logits`; of several each has its name in the file. Classes are those of the probabilities, or of the logits.
 */
function outputsOf(site: Site, inputShape: Shape): Pick<TranslatedGraph, "outputs" | "classes"> {
  const { graph, draft, refuse } = site;
  const results = graph.outputs.map((name, index) => {
    const value = laidValue(site, name, name);
    if (value.node === INPUT) refuse("nothing lies between its input and its result");
    if (value.isUnsure || value.flattened !== undefined) refuse(`its result ${quoted(name)} is ${described(value)}`);
    const called = graph.outputNames?.[index] ?? name;
    return { name: called, node: inShape(site, value, naturalShape(value)), value };
  });
  const [only, another] = results;
  if (only === undefined) return refuse("it has no result");
  if (another !== undefined) {
    const unused = resultNames();
    const named = results.map((result) => ({ ...result, name: unused(result.name) }));
    const result = (wanted: string) => named.find(({ name }) => name === wanted);
    const classes = (result("probabilities") ?? result("logits"))?.value.sides.at(-1);
    const outputs = Object.fromEntries(named.map(({ name, node }) => [name, node]));
    return { outputs, ...(classes === undefined ? {} : { classes }) };
  }
  const isImage = inputShape.length === 3 && (inputShape[2] === 1 || inputShape[2] === 3);
  const { sides } = only.value;
  const more = classOutputs(draft, only.node, isImage && sides.length === 1 ? (sides[0] ?? 0) : 0);
  const outputs = { output: only.node, ...more };
  return { outputs, ...("logits" in more ? { classes: sides.at(-1) ?? 0 } : {}) };
}

const KERNELS: ReadonlySet<string> = new Set(["dense", "pointwiseConv2d", "conv2d"]);
const VIEWS: ReadonlySet<string> = new Set(["flatten", "reshape"]);

/**
 * Classes and features by the names under which classifiers look for them, as far as the last layers are such.
 *
 * @param row numbers that the file says of a picture, 0 if it gives no row or takes no pictures
 */
function classOutputs(draft: Draft, last: string, row: number): Readonly<Record<string, string>> {
  const layers = new Map(draft.layers.map((layer) => [layer.name, layer]));
  const computed = (name: string | undefined) => {
    let layer = layers.get(name ?? "");
    while (layer !== undefined && VIEWS.has(layer.type)) layer = layers.get(layer.inputs?.[0] ?? "");
    return layer;
  };
  const end = computed(last);
  const isPool = (layer: NodeDefinition | undefined) =>
    layer?.type === "globalAveragePool" || layer?.type === "globalMaxPool";
  if (isPool(end)) return { embedding: last };
  const isSoftmax = end?.type === "softmax";
  const logits = isSoftmax ? end.inputs?.[0] : last;
  const classifier = computed(logits);
  const isClassifier = classifier !== undefined && KERNELS.has(classifier.type);
  if (logits === undefined || !(isSoftmax || (isClassifier && row > 0))) return {};
  // One number is a measure (an age, a score), and no class among others.
  const classes = isSoftmax ? { logits, probabilities: last } : row > 1 ? { logits } : {};
  const features = isClassifier && isPool(computed(classifier.inputs?.[0])) ? classifier.inputs?.[0] : undefined;
  if (features === undefined) return classes;
  const isRow = classifier?.type === "dense";
  return { ...classes, embedding: isRow ? features : draft.view(features, "flatten", [], {}) };
}
