/**
 * A network is data: an ordered list of nodes, the shapes they give, and a map of parameters under Keras' names.
 * It computes nothing. `cost`, `compile`, `saveModel` and `classify` each take one.
 */

import { DepthwiseError, isDepthwiseError, listed, shorten } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { didYouMean } from "../core/nearest.ts";
import { isListOf, isString, optionError, positiveInteger, show, stringsOf } from "../core/options.ts";
import { checkPreprocessing, type Preprocessing } from "../core/preprocessing.ts";
import { className, isMap } from "../core/realms.ts";
import { type FloatTensor, type Shape, shapeText } from "../core/tensor.ts";
import { NODE_TYPES, type NodeType, operationOf } from "../operations/table.ts";
import { parameterFault, shapeOf } from "./check-parameter.ts";
import { checkParameterBytes, initialise } from "./initialise.ts";
import { INPUT, type LayerNode, type NodeDefinition } from "./node.ts";
import type { ParameterInfo } from "./parameter-info.ts";

/** What a model knows about itself besides its layers. Plain data, kept when it is saved. */
export interface NetworkInfo {
  /** `mobilenet_v1`, or `custom` for a network of one's own. */
  readonly architecture: string;
  /** The builder's options, all of them, for a named architecture. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** How an image becomes the input; see `depthwise/images`. */
  readonly preprocessing?: Preprocessing;
  /** Names of the classes, one for each output. */
  readonly labels?: readonly string[];
  /** Whether output 0 is "background" and ImageNet's classes start at 1. */
  readonly background?: boolean;
  /** Where a loaded model came from, and what was decided on what evidence; `describe` puts it into words. */
  readonly provenance?: Readonly<Record<string, unknown>>;
}

/** A network before its check: what `network` takes. */
export interface NetworkDefinition<Output extends string = string> {
  /** What messages and counts call it. Default `network`. */
  readonly name?: string;
  /** `[height, width, channels]` or `[channels]`, without the batch. */
  readonly inputShape: Shape;
  /** In the order in which they run. */
  readonly layers: readonly NodeDefinition[];
  /** What a run returns: a name for the caller and the node it comes from. */
  readonly outputs: Readonly<Record<Output, string>>;
  /** Other names for nodes that can be tapped, such as those of blocks. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Default an architecture `custom`, and nothing else. */
  readonly info?: NetworkInfo;
  /** Seed of the initial parameters. Default 1. */
  readonly seed?: number;
}

/** A network as data: an ordered list of nodes, the shapes they give, and parameters under Keras' names. */
export interface Network<Output extends string = string> {
  readonly name: string;
  readonly inputShape: Shape;
  readonly layers: readonly LayerNode[];
  /** The output shape of each node, without the batch; `input` included. */
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly outputs: Readonly<Record<Output, string>>;
  readonly aliases: Readonly<Record<string, string>>;
  readonly parameterInfo: ReadonlyMap<string, ParameterInfo>;
  /**
   * The parameters, made at random when first asked for: counting a network allocates none. They may be replaced,
   * one with `set` (checked when the network is compiled or saved) or all with `withParameters` (checked at once).
   * More than 4 GiB are not made: `MEMORY_EXCEEDED`.
   */
  readonly parameters: Map<string, FloatTensor>;
  readonly info: NetworkInfo;
}

/** The largest networks have a few thousand; planning takes time with the square of their number. */
export const MOST_LAYERS = 10_000;

/**
 * Checks a definition and infers all shapes. The definition may come from a file: nothing in it is trusted.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for a name given twice, a reference to nothing, or more than 10,000 layers;
 *         `OPTION_INVALID` for an attribute; `SHAPE_MISMATCH` or `NETWORK_VANISHES` where shapes do not fit
 */
export function network<Output extends string>(definition: NetworkDefinition<Output>): Network<Output> {
  const isSound =
    isObject(definition) &&
    Array.isArray(definition.layers) &&
    isStringRecord(definition.outputs) &&
    (definition.aliases === undefined || isStringRecord(definition.aliases));
  if (!isSound) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: "network: definition",
      expected: "{ inputShape, layers, outputs }, outputs and aliases naming layers",
      found: show(definition),
    });
  }
  if (definition.layers.length > MOST_LAYERS) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: "network: layers",
      expected: `at most ${MOST_LAYERS.toLocaleString("en-US")}`,
      found: definition.layers.length.toLocaleString("en-US"),
    });
  }
  const { aliases = {}, name = "network", seed = 1 } = definition;
  if (typeof name !== "string") throw optionError("network", "name", "a string", name);
  if (!Number.isSafeInteger(seed)) throw optionError("network", "seed", "an integer", seed);
  const inputShape = checkInputShape(definition.inputShape);
  const layers: LayerNode[] = [];
  const shapes = new Map<string, Shape>([[INPUT, inputShape]]);
  const parameterInfo = new Map<string, ParameterInfo>();
  let previous = INPUT;
  for (const entry of definition.layers) {
    const node = checkNode(entry, previous, shapes);
    const operation = operationOf(node.type);
    const inputs = node.inputs.map((name) => [1, ...(shapes.get(name) ?? [])]);
    shapes.set(node.name, operation.outputShape(node.name, node.attributes, inputs).slice(1));
    for (const rule of operation.parameters(node.attributes, inputs[0] ?? [])) {
      const name = `${node.name}/${rule.name}`;
      const { role, shape, trainable } = rule;
      parameterInfo.set(name, { name, node: node.name, role, shape, trainable });
    }
    layers.push(node);
    previous = node.name;
  }
  if (Object.hasOwn(definition.outputs, "taps")) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: "network: outputs",
      expected: 'names other than "taps", under which a run returns its taps',
      found: '"taps"',
    });
  }
  for (const target of [...Object.values<string>(definition.outputs), ...Object.values(aliases)]) {
    if (!shapes.has(target)) throw unknownName("network: outputs", target, shapes.keys());
  }

  let parameters: Map<string, FloatTensor> | undefined;
  return Object.freeze({
    name,
    inputShape,
    layers,
    shapes,
    outputs: { ...definition.outputs },
    aliases: { ...aliases },
    parameterInfo,
    get parameters() {
      if (parameters === undefined) {
        checkParameterBytes(name, parameterInfo.values());
        parameters = initialise(parameterInfo.values(), seed);
      }
      return parameters;
    },
    info: checkInfo("network", { architecture: "custom" }, definition.info ?? {}, inputShape),
  });
}

/** Each entry is told in `describe`, so there cannot be any number of them. */
const MOST_ENTRIES = 1000;

/** What a network says of itself is checked as the rest is: at once, not where it is used. */
function checkInfo(owner: string, old: NetworkInfo, changed: Partial<NetworkInfo>, inputShape: Shape): NetworkInfo {
  if (!isObject(changed)) throw optionError(owner, "info", "an object", changed);
  const info: NetworkInfo = { ...old, ...changed };
  const { labels, background = false, preprocessing, provenance = {} } = info;
  const entries = Object.keys(info).length;
  if (entries > MOST_ENTRIES) throw optionError(owner, "info", `at most ${MOST_ENTRIES} entries`, entries);
  if (typeof background !== "boolean") throw optionError(owner, "background", "true or false", background);
  for (const [name, value] of Object.entries({ provenance, "provenance.decisions": provenance?.["decisions"] ?? {} }))
    if (!isObject(value)) throw optionError(owner, name, "an object", value);
  return {
    ...info,
    ...(labels === undefined ? {} : { labels: stringsOf(owner, "labels", labels) }),
    ...(preprocessing === undefined
      ? {}
      : { preprocessing: checkPreprocessing(`${owner}: preprocessing`, preprocessing, inputShape[2]) }),
  };
}

/**
 * A network from a definition that came out of a file: `network` trusts nothing in it.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for what would be an option of a caller's; whatever else `network` throws
 */
export function networkFromJson(
  definition: Readonly<Record<string, unknown>>,
  source: string,
  advice = "Save the network again with saveModel.",
): Network {
  const { name, inputShape, layers, outputs, aliases = {}, info = {} } = definition;
  try {
    return network({
      inputShape: inputShape as Shape,
      layers: layers as readonly NodeDefinition[],
      outputs: outputs as Readonly<Record<string, string>>,
      aliases: aliases as Readonly<Record<string, string>>,
      ...(typeof name === "string" ? { name } : {}),
      info: isObject(info) ? { ...info, architecture: "custom" } : (info as NetworkInfo),
    });
  } catch (cause) {
    if (!isDepthwiseError(cause)) throw cause;
    throw new DepthwiseError(cause.code === "OPTION_INVALID" ? "FILE_CORRUPT" : cause.code, {
      what: `${source}: ${cause.message.replace(/^network: |\.$/g, "")}`,
      advice: `${advice} Nothing was loaded.`,
      fields: cause.fields,
      cause,
    });
  }
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every(isString);
}

/** Requires a network; `owner` names the function that was called. Throws `NETWORK_INVALID`. */
export function checkNetwork(owner: string, value: unknown): void {
  if (isObject(value) && Array.isArray(value["layers"]) && isMap(value["parameterInfo"])) return;
  const isPromise = className(value) === "Promise";
  throw new DepthwiseError("NETWORK_INVALID", {
    what: `${owner}: model`,
    expected: "a network, as mobileNetV1, sequential, network or loadModel give it",
    found: isPromise ? "a promise" : show(value),
    advice: isPromise ? "Await it first." : "Build one, or load one with loadModel.",
  });
}

/**
 * The same network with other parameters. All must be there and have the right shape; nothing else may be.
 *
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH`, listing missing, extra and misshapen tensors
 */
export function withParameters<Output extends string>(
  model: Network<Output>,
  parameters: ReadonlyMap<string, FloatTensor>,
  source = "parameters",
): Network<Output> {
  checkNetwork("withParameters", model);
  if (!isMap(parameters)) throw optionError("withParameters", "parameters", "a Map of tensors", parameters);
  if (typeof source !== "string")
    throw optionError("withParameters", "source", "what they are called in errors", source);
  checkParameters(model, parameters, source);
  const ordered = new Map<string, FloatTensor>();
  for (const name of model.parameterInfo.keys()) {
    const value = parameters.get(name);
    if (value !== undefined) ordered.set(name, value);
  }
  const descriptors = Object.getOwnPropertyDescriptors(model);
  const replaced = { value: ordered, enumerable: true };
  return Object.freeze(Object.defineProperties({} as Network<Output>, { ...descriptors, parameters: replaced }));
}

/** Problems in a message; all of them are among its fields. */
const LISTED = 10;

/** Throws `PARAMETERS_MISMATCH` unless `parameters` are just those of the network, each of its shape and float32. */
export function checkParameters(
  model: Pick<Network, "name" | "parameterInfo">,
  parameters: ReadonlyMap<string, FloatTensor>,
  source: string,
): void {
  const problems = compareParameters(model, parameters);
  if (problems.length > 0) {
    throw new DepthwiseError("PARAMETERS_MISMATCH", {
      what: `${source}: ${problems.length === 1 ? "1 tensor does" : `${problems.length} tensors do`} not fit ${shorten(model.name, 100)}: ${listed(problems, "; ", LISTED)}`,
      advice: "Build the network with the options these weights were made for. Nothing was loaded.",
      fields: { problems },
    });
  }
}

/** The same network with other facts about itself (labels, preprocessing, …). */
export function withInfo<Output extends string>(model: Network<Output>, info: Partial<NetworkInfo>): Network<Output> {
  checkNetwork("withInfo", model);
  const changed = checkInfo("withInfo", model.info, info, model.inputShape);
  // Descriptors, not values: reading `parameters` would make random numbers that nobody asked for.
  const descriptors = Object.getOwnPropertyDescriptors(model);
  const replaced = { value: changed, enumerable: true };
  return Object.freeze(Object.defineProperties({} as Network<Output>, { ...descriptors, info: replaced }));
}

/** An error for a name that no node has, with the nearest one that exists. */
export function unknownName(what: string, name: string, known: Iterable<string>): DepthwiseError {
  const names = [...known];
  const hint = didYouMean(name, names);
  return new DepthwiseError("NAME_UNKNOWN", {
    what: `${shorten(what, 200)}: there is no layer "${name}"`,
    advice: hint === "" ? `Known names: ${listed(names, ", ", 8)}.` : hint,
    fields: { name, known: names },
  });
}

function compareParameters(
  model: Pick<Network, "parameterInfo">,
  parameters: ReadonlyMap<string, FloatTensor>,
): string[] {
  const problems: string[] = [];
  const extra = [...parameters.keys()].filter((name) => isString(name) && !model.parameterInfo.has(name));
  /** Only for what a message lists: each is a search among all the names. */
  const hintFor = (name: string, candidates: Iterable<string>): string => {
    const hint = problems.length < LISTED ? didYouMean(name, candidates) : "";
    return hint === "" ? "" : ` (${hint.slice(0, -1)})`;
  };
  for (const [name, { shape }] of model.parameterInfo) {
    const found = parameters.get(name);
    if (found === undefined) {
      problems.push(`${show(name)} ${shapeText(shape)} is missing${hintFor(name, extra)}`);
      continue;
    }
    const fault = parameterFault(found, shape);
    if (fault !== undefined) problems.push(`"${name}": ${fault}`);
  }
  for (const [name, value] of parameters) {
    if (model.parameterInfo.has(name)) continue;
    const hint = typeof name === "string" ? hintFor(name, model.parameterInfo.keys()) : "";
    problems.push(`${show(name)} ${shapeOf(value)} is left over${hint}`);
  }
  return problems;
}

function checkInputShape(shape: unknown): Shape {
  if (!Array.isArray(shape) || (shape.length !== 1 && shape.length !== 3)) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "network: inputShape",
      expected: "[height, width, channels] or [channels], without the batch",
      found: show(shape),
    });
  }
  // Not `map`, which passes over holes.
  return Array.from(shape, (side) => positiveInteger("network", "inputShape", side));
}

function checkNode(entry: NodeDefinition, previous: string, shapes: ReadonlyMap<string, Shape>): LayerNode {
  const reads = isObject(entry) ? (entry.inputs ?? []) : undefined;
  if (!isListOf(reads, isString) || !isObject(entry.attributes ?? {})) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `network: the layer behind "${previous}"`,
      expected: "{ name, type, inputs, attributes }, inputs naming layers",
      found: isObject(entry) && !isListOf(reads, isString) ? `inputs ${show(reads)}` : show(entry),
    });
  }
  const { name, type } = entry;
  if (typeof name !== "string" || name === "" || name.includes("/") || name === INPUT || shapes.has(name)) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `network: layer name ${show(name)}`,
      expected: `a name used once, not empty, without "/", other than "${INPUT}"`,
      advice: "Give each layer a name of its own.",
    });
  }
  if (!NODE_TYPES.includes(type as NodeType)) {
    const hint = typeof type === "string" ? didYouMean(type, NODE_TYPES) : "";
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `${name}: unknown layer type ${show(type)}`,
      advice: hint === "" ? `Known types: ${NODE_TYPES.join(", ")}.` : hint,
    });
  }
  const inputs = entry.inputs ?? [previous];
  for (const input of inputs) if (!shapes.has(input)) throw unknownName(`${name}: inputs`, input, shapes.keys());
  const attributes = operationOf(type as NodeType).check(name, entry.attributes ?? {});
  return { name, type, inputs: [...inputs], attributes } as LayerNode;
}
