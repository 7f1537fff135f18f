/**
 * A network is data: an ordered list of nodes, the shapes they give, and a map of parameters under Keras' names.
 * It computes nothing. `cost`, `compile`, `saveModel` and `classify` each take one.
 */

import { DepthwiseError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { optionError, positiveInteger, show } from "../core/options.ts";
import { type FloatTensor, type Shape, shapeText } from "../core/tensor.ts";
import type { ParameterRole } from "../operations/operation.ts";
import { NODE_TYPES, type NodeType, operationOf } from "../operations/table.ts";
import { parameterFault, shapeOf } from "./check-parameter.ts";
import { checkParameterBytes, initialise } from "./initialise.ts";
import { INPUT, type LayerNode, type NodeDefinition } from "./node.ts";

export interface ParameterInfo {
  /** `conv_pw_1/kernel`: the node's name, a slash, Keras' name of the weight. */
  readonly name: string;
  readonly node: string;
  readonly role: ParameterRole;
  readonly shape: Shape;
  readonly trainable: boolean;
}

/** What a model knows about itself besides its layers. Plain data, kept when it is saved. */
export interface NetworkInfo {
  /** `mobilenet_v1`, or `custom` for a network of one's own. */
  readonly architecture: string;
  /** The builder's options, all of them, for a named architecture. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** How an image becomes the input; see `depthwise/images`. */
  readonly preprocessing?: Readonly<Record<string, unknown>>;
  /** Names of the classes, one for each output. */
  readonly labels?: readonly string[];
  /** Whether output 0 is "background" and ImageNet's classes start at 1. */
  readonly background?: boolean;
  /** Where a loaded model came from, and what was decided on what evidence; `describe` puts it into words. */
  readonly provenance?: Readonly<Record<string, unknown>>;
}

export interface NetworkDefinition<Output extends string = string> {
  readonly name?: string;
  /** `[height, width, channels]` or `[channels]`, without the batch. */
  readonly inputShape: Shape;
  readonly layers: readonly NodeDefinition[];
  /** What a run returns: a name for the caller and the node it comes from. */
  readonly outputs: Readonly<Record<Output, string>>;
  /** Other names for nodes that can be tapped, such as those of blocks. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly info?: NetworkInfo;
  /** Seed of the initial parameters. Default 1. */
  readonly seed?: number;
}

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

/**
 * Checks a definition and infers all shapes. The definition may come from a file: nothing in it is trusted.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for a name given twice or a reference to nothing; `OPTION_INVALID`
 *         for an attribute; `SHAPE_MISMATCH` or `NETWORK_VANISHES` where shapes do not fit
 */
export function network<Output extends string>(definition: NetworkDefinition<Output>): Network<Output> {
  if (!isRecord(definition) || !Array.isArray(definition.layers) || !isStringRecord(definition.outputs)) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: "network: definition",
      expected: "{ inputShape, layers, outputs }, outputs naming layers",
      found: show(definition),
    });
  }
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
  for (const target of [...Object.values<string>(definition.outputs), ...Object.values(definition.aliases ?? {})]) {
    if (!shapes.has(target)) throw unknownName("network: outputs", target, shapes.keys());
  }

  const { name = "network" } = definition;
  let parameters: Map<string, FloatTensor> | undefined;
  return Object.freeze({
    name,
    inputShape,
    layers,
    shapes,
    outputs: definition.outputs,
    aliases: definition.aliases ?? {},
    parameterInfo,
    get parameters() {
      if (parameters === undefined) {
        checkParameterBytes(name, parameterInfo.values());
        parameters = initialise(parameterInfo.values(), definition.seed ?? 1);
      }
      return parameters;
    },
    info: definition.info ?? { architecture: "custom" },
  });
}

/**
 * A network from a definition that came out of a file: its outline is checked here, everything else by `network`.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID`, and whatever `network` throws
 */
export function networkFromJson(definition: Readonly<Record<string, unknown>>, source: string): Network {
  const { name, inputShape, layers, outputs, aliases = {}, info = {} } = definition;
  const isSound =
    Array.isArray(layers) &&
    layers.every(isNodeDefinition) &&
    isStringRecord(outputs) &&
    isStringRecord(aliases) &&
    isInfo(info);
  if (!isSound) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `${source}: the network it describes`,
      expected: "layers of { name, type, inputs, attributes }, and outputs and aliases that name them",
      found: "something else",
      advice: "Save the network again with saveModel. Nothing was loaded.",
    });
  }
  return network({
    ...(typeof name === "string" ? { name } : {}),
    inputShape: inputShape as Shape,
    layers,
    outputs,
    aliases,
    info: { ...info, architecture: "custom" },
  });
}

function isNodeDefinition(value: unknown): value is NodeDefinition {
  if (!isRecord(value) || typeof value["name"] !== "string" || typeof value["type"] !== "string") return false;
  const { inputs = [], attributes = {} } = value;
  return Array.isArray(inputs) && inputs.every((input) => typeof input === "string") && isRecord(attributes);
}

/** Labels are strings; what a model came from is an object; the rest is checked where it is used. */
function isInfo(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const { labels = [], provenance = {} } = value;
  const isNamed = Array.isArray(labels) && labels.every((label) => typeof label === "string");
  return isNamed && isRecord(provenance) && isRecord(provenance["decisions"] ?? {});
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Requires a network; `owner` names the function that was called. Throws `NETWORK_INVALID`. */
export function checkNetwork(owner: string, value: unknown): void {
  if (isRecord(value) && Array.isArray(value["layers"]) && value["parameterInfo"] instanceof Map) return;
  const isPromise = value instanceof Promise;
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
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH`, listing each missing, extra and misshapen tensor
 */
export function withParameters<Output extends string>(
  model: Network<Output>,
  parameters: ReadonlyMap<string, FloatTensor>,
  source = "parameters",
): Network<Output> {
  checkNetwork("withParameters", model);
  if (!(parameters instanceof Map)) throw optionError("withParameters", "parameters", "a Map of tensors", parameters);
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

/** Throws `PARAMETERS_MISMATCH` unless `parameters` are just those of the network, each of its shape and float32. */
export function checkParameters(
  model: Pick<Network, "name" | "parameterInfo">,
  parameters: ReadonlyMap<string, FloatTensor>,
  source: string,
): void {
  const problems = compareParameters(model, parameters);
  if (problems.length > 0) {
    throw new DepthwiseError("PARAMETERS_MISMATCH", {
      what: `${source}: ${problems.length === 1 ? "1 tensor does" : `${problems.length} tensors do`} not fit ${model.name}: ${problems.join("; ")}`,
      advice: "Build the network with the options these weights were made for. Nothing was loaded.",
      fields: { problems },
    });
  }
}

/** The same network with other facts about itself (labels, preprocessing, …). */
export function withInfo<Output extends string>(model: Network<Output>, info: Partial<NetworkInfo>): Network<Output> {
  checkNetwork("withInfo", model);
  // Descriptors, not values: reading `parameters` would make random numbers that nobody asked for.
  const descriptors = Object.getOwnPropertyDescriptors(model);
  const replaced = { value: { ...model.info, ...info }, enumerable: true };
  return Object.freeze(Object.defineProperties({} as Network<Output>, { ...descriptors, info: replaced }));
}

/** An error for a name that no node has, with the nearest one that exists. */
export function unknownName(what: string, name: string, known: Iterable<string>): DepthwiseError {
  const names = [...known];
  const hint = didYouMean(name, names);
  return new DepthwiseError("NAME_UNKNOWN", {
    what: `${what}: there is no layer "${name}"`,
    advice: hint === "" ? `Known names: ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}.` : hint,
    fields: { name, known: names },
  });
}

function compareParameters(
  model: Pick<Network, "parameterInfo">,
  parameters: ReadonlyMap<string, FloatTensor>,
): string[] {
  const problems: string[] = [];
  for (const [name, { shape }] of model.parameterInfo) {
    const found = parameters.get(name);
    if (found === undefined) {
      const extra = [...parameters.keys()].filter((other) => !model.parameterInfo.has(other));
      const hint = didYouMean(name, extra);
      problems.push(`"${name}" ${shapeText(shape)} is missing${hint === "" ? "" : ` (${hint.slice(0, -1)})`}`);
      continue;
    }
    const fault = parameterFault(found, shape);
    if (fault !== undefined) problems.push(`"${name}": ${fault}`);
  }
  for (const [name, value] of parameters) {
    if (model.parameterInfo.has(name)) continue;
    const hint = didYouMean(name, model.parameterInfo.keys());
    problems.push(`"${name}" ${shapeOf(value)} is left over${hint === "" ? "" : ` (${hint.slice(0, -1)})`}`);
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
  return shape.map((side) => positiveInteger("network", "inputShape", side));
}

function checkNode(entry: NodeDefinition, previous: string, shapes: ReadonlyMap<string, Shape>): LayerNode {
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
