/** A graph of operations as MobileNet V1: its parameters under our names, and what its operations say. */

import { quoted } from "../../../core/file-error.ts";
import { shortestDecimal } from "../../../core/shortest-decimal.ts";
import { type FloatTensor, tensor } from "../../../core/tensor.ts";
import { stated } from "../../../formats/fact.ts";
import type { ModelGraph } from "../../../formats/graph.ts";
import type { ParameterInfo } from "../../../layers/parameter-info.ts";
import type { DecodedBudget } from "../../../sources/decoded-budget.ts";
import { type Chain, chainOf } from "../../graph/chain.ts";
import { type Constants, findConstants } from "../../graph/constants.ts";
import { frontFacts } from "../../graph/front.ts";
import { type GraphLayer, layerOf } from "../../graph/layers.ts";
import { foldedBatchNorm } from "../../graph/normalization.ts";
import { findPath } from "../../graph/path.ts";
import { blockCount, classifierOf, type ExpectedLayer, expectedLayers, type KnownLayers } from "./expected.ts";
import type { V1Facts } from "./facts.ts";
import { fittingLayers } from "./fitting.ts";
import { geometryFacts } from "./geometry.ts";
import { inputSize, poolFault } from "./input-size.ts";

export interface UnderstoodGraph {
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  readonly facts: V1Facts;
  /** The graph's name of each layer of ours. */
  readonly layerNames: ReadonlyMap<string, string>;
}

/** A reason, on its way through what reads constants. */
class Misread extends Error {}

/**
 * The graph as a MobileNet V1, or why it is none, with the node that does not fit.
 *
 * @param fed what the file says of its input, in front of the graph's own arithmetic
 * @param known of the layers: how many there are, if they are not the paper's
 */
export function understandGraph(
  graph: ModelGraph,
  name: string,
  budget: DecodedBudget,
  fed?: V1Facts["preprocessing"],
  known: KnownLayers = {},
): UnderstoodGraph | string {
  try {
    return patternFound(graph, name, budget, fed, known);
  } catch (error) {
    if (error instanceof Misread) return error.message;
    throw error;
  }
}

function patternFound(
  graph: ModelGraph,
  name: string,
  budget: DecodedBudget,
  fed: V1Facts["preprocessing"],
  known: KnownLayers,
): UnderstoodGraph | string {
  const constants = findConstants(graph, (reason) => new Misread(reason));
  const path = findPath(graph, constants);
  if ("reason" in path) return path.reason;
  const chain = chainOf(path, constants);
  if ("reason" in chain) return chain.reason;
  const layers = layersOf(chain, graph, constants);
  if (typeof layers === "string") return layers;
  const body = layers.slice(0, chain.units.length);
  const pattern = patternOf(body, known);
  if (typeof pattern === "string") return pattern;
  const activation = activationFacts(body);
  if (typeof activation === "string") return activation;
  const size = inputSize(chain, body);
  const partial = poolFault(chain, body, size?.value);
  if (partial !== undefined) return partial;
  const geometry = geometryFacts(pattern.windowed, pattern.variant, known.shallow === true, size?.value);
  if (typeof geometry === "string") return geometry;
  const head = headFacts(chain, layers.slice(chain.units.length), pattern.classifier);
  if (typeof head === "string") return head;
  const front = frontFacts(chain, body[0]?.inChannels ?? 3, constants, fed);
  if (typeof front === "string") return front;
  const named = new Map([...pattern.names.entries(), ...head.names.entries()]);
  return {
    ...parametersOf(named, (bytes, what) => budget.charge(name, bytes, what)),
    facts: {
      ...geometry,
      ...activation,
      ...head.facts,
      ...front,
      ...(size === undefined ? {} : { inputSize: size }),
      ...normalizationFacts(body),
    },
    layerNames: new Map([...named].map(([ours, layer]) => [ours.name, layer.name])),
  };
}

function layersOf(chain: Chain, graph: ModelGraph, constants: Constants): readonly GraphLayer[] | string {
  const layers: GraphLayer[] = [];
  let channels = chain.input.shape?.at(-1);
  for (const unit of [...chain.units, ...chain.head]) {
    const layer = layerOf(unit, channels, graph, constants);
    if (typeof layer === "string") return layer;
    layers.push(layer);
    channels = layer.outChannels;
  }
  return layers;
}

interface Pattern {
  /** By what each is to us, in order. */
  readonly names: ReadonlyMap<ExpectedLayer, GraphLayer>;
  readonly windowed: readonly GraphLayer[];
  readonly variant: KnownLayers;
  readonly classifier: ExpectedLayer;
}

/** A full 3 × 3 convolution, then blocks of depthwise 3 × 3 and pointwise, or of full 3 × 3. */
function patternOf([stem, ...rest]: readonly GraphLayer[], known: KnownLayers): Pattern | string {
  if (stem === undefined) return "it has no convolution before its classifier";
  if (stem.type === "depthwise") return `its first layer, "${stem.name}", is a depthwise convolution`;
  const odd = [stem, ...rest].find(({ window: [height, width] }) => height !== width || (height !== 1 && height !== 3));
  if (odd !== undefined) return `"${odd.name}" has a kernel of ${odd.window.join(" × ")}`;
  const isStandard = rest.length > 0 && rest.every(({ type, window }) => type === "full" && window[0] === 3);
  const blocks = isStandard ? rest.length : rest.length / 2;
  const misplaced = isStandard ? undefined : rest.find((layer, i) => !isInPlace(layer, i % 2 === 0));
  if (stem.window[0] !== 3 || misplaced !== undefined) {
    return `"${(misplaced ?? stem).name}" stands where ${misplaced === undefined ? "a 3 × 3" : "another"} convolution should`;
  }
  const depthwise = rest.filter(({ type }) => type === "depthwise");
  const unlike = depthwise.find((layer) => multiplierOf(layer) !== multiplierOf(depthwise[0] ?? layer));
  if (unlike !== undefined) return `"${unlike.name}" has a multiplier of its own`;
  const like: KnownLayers = { ...known, standardConvolution: isStandard };
  const expected = fittingLayers({ known: like, layersOf: expectedLayers }, (layers) => blockCount(layers) === blocks);
  if (blockCount(expected) !== blocks) return `it has ${blocks} blocks, not ${blockCount(expected)}`;
  const classifier = classifierOf(expected);
  const names = new Map<ExpectedLayer, GraphLayer>();
  for (const [i, layer] of [stem, ...rest].entries()) names.set(expected[i] ?? classifier, layer);
  return {
    names,
    windowed: [stem, ...rest.filter(({ window }) => window[0] === 3)],
    variant: { ...like, shallow: like.shallow ?? expected !== expectedLayers(like) },
    classifier,
  };
}

function multiplierOf({ inChannels, outChannels }: GraphLayer): number {
  return outChannels / inChannels;
}

function isInPlace({ type, window, strides }: GraphLayer, isDepthwise: boolean): boolean {
  if (isDepthwise) return type === "depthwise" && window[0] === 3;
  return type === "full" && window[0] === 1 && strides[0] === 1 && strides[1] === 1;
}

function activationFacts(body: readonly GraphLayer[]): V1Facts | string {
  const [first, ...others] = body.map(({ activation }) => activation);
  if (first === undefined) return {};
  const other = body.find(
    ({ activation }) => activation.function !== first.function || activation.slope !== first.slope,
  );
  if (other !== undefined) {
    return `"${other.name}" ends in ${other.activation.function} where others end in ${first.function}`;
  }
  const weakest = [first, ...others].find(({ basis }) => basis !== "stated") ?? first;
  const { basis, from } = weakest;
  const slope = first.slope === undefined ? undefined : shortestDecimal(first.slope);
  return {
    activation: { value: first.function, basis, from: basis === "stated" ? "activations of the layers" : from },
    ...(slope === undefined ? {} : { negativeSlope: { value: slope, basis, from } }),
  };
}

interface KnownHead {
  readonly names: ReadonlyMap<ExpectedLayer, GraphLayer>;
  readonly facts: V1Facts;
}

function headFacts({ pool, units }: Chain, head: readonly GraphLayer[], ours: ExpectedLayer): KnownHead | string {
  const [classifier, another] = head;
  if (another !== undefined) return `${head.length} layers follow the pool, the second is "${another.name}"`;
  const names = new Map<ExpectedLayer, GraphLayer>();
  if (classifier === undefined) {
    const from = pool === undefined ? "it ends with the features" : `it ends with "${pool.name}"`;
    const kind = pool === undefined ? null : pool.kind === "average" ? "avg" : "max";
    return { names, facts: { includeTop: stated(false, from), pooling: stated(kind, from) } };
  }
  if (units.length > 0 && pool === undefined) return `"${classifier.name}" reads features that nothing averaged`;
  if (pool?.kind === "max") return `"${pool.name}" takes the maximum before the classifier`;
  if (classifier.type !== "full" || classifier.window.some((side) => side !== 1)) {
    return `"${classifier.name}" is no classifier`;
  }
  if (classifier.activation.function !== "linear") return `"${classifier.name}" has an activation`;
  return { names: new Map([[ours, classifier]]), facts: {} };
}

function normalizationFacts(body: readonly GraphLayer[]): V1Facts {
  const epsilon = sharedEpsilon(body);
  if (epsilon === undefined) return {};
  const isWrittenOut = body.some(({ normalization }) => normalization.isWrittenOut);
  return {
    epsilon: stated(epsilon, isWrittenOut ? "batch norm, written out as arithmetic" : "batch norm of the layers"),
  };
}

/** The epsilon of all layers; undefined where batch norm is missing somewhere or differs: then all of it is folded. */
function sharedEpsilon(body: readonly GraphLayer[]): number | undefined {
  const epsilon = body[0]?.normalization.batchNorm?.epsilon;
  return body.every(({ normalization }) => normalization.batchNorm?.epsilon === epsilon) ? epsilon : undefined;
}

function parametersOf(
  named: ReadonlyMap<ExpectedLayer, GraphLayer>,
  charge: (bytes: number, what: string) => void,
): Pick<UnderstoodGraph, "parameters"> {
  const read = new Set<string>();
  const body = [...named].flatMap(([ours, layer]) => (ours.kind === "classifier" ? [] : [layer]));
  const isApart = sharedEpsilon(body) !== undefined;
  const hasBias = !isApart || body.some(({ normalization }) => normalization.bias !== undefined);
  const parameters = new Map<string, FloatTensor>();
  for (const [ours, layer] of named) {
    const set = (role: ParameterInfo["role"], value: FloatTensor) =>
      parameters.set(ours.parameters.get(role) ?? "", value);
    const vector = (role: ParameterInfo["role"], values: Float64Array) =>
      set(role, tensor(Float32Array.from(values), [values.length]));
    const { bias = new Float64Array(layer.outChannels), batchNorm } = layer.normalization;
    // A constant was charged when it was read, for one layer; each other makes numbers of its own from it.
    if (read.has(layer.source)) charge(4 * layer.elements, `constant ${quoted(layer.source)}, for another layer`);
    read.add(layer.source);
    const kernel = layer.kernel();
    const isClassifier = ours.kind === "classifier";
    if (batchNorm === undefined || (isApart && !isClassifier)) {
      set("kernel", kernel);
      if (hasBias || isClassifier) vector("bias", bias);
    } else {
      const { scale, shift } = foldedBatchNorm(batchNorm);
      const folded = kernel.data.map((value, i) => value * (scale[i % scale.length] ?? 1));
      set("kernel", tensor(folded, kernel.shape));
      vector(
        "bias",
        bias.map((value, c) => value * (scale[c] ?? 1) + (shift[c] ?? 0)),
      );
    }
    if (batchNorm === undefined || !isApart || isClassifier) continue;
    vector("gamma", batchNorm.gamma);
    vector("beta", batchNorm.beta);
    vector("mean", batchNorm.mean);
    vector("variance", batchNorm.variance);
  }
  return { parameters };
}
