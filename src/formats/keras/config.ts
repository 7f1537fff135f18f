/**
 * Configurations of Keras models as their files spell them, from Keras 1 to Keras 3, in one form.
 *
 * Layers of a Functional model name what they read in `inbound_nodes`, one entry for each time the layer is called:
 *
 *     Keras 1, 2   [[["conv1", 0, 0, {}]], …]         layer, which call of it, which of its results, arguments
 *     Keras 3      [{ "args": [{ "class_name": "__keras_tensor__",
 *                                "config": { "keras_history": ["conv1", 0, 0] } }], "kwargs": {} }, …]
 */

import type { DepthwiseError } from "../../core/errors.ts";
import { damaged, type ErrorFacts, fileError, quoted } from "../../core/file-error.ts";
import { type JsonObject as Config, isObject, parseJson } from "../../core/json.ts";
import { MOST_SIDES } from "../../core/tensor.ts";
import { type DecodedBudget, spendOn } from "../../sources/decoded-budget.ts";

export type { Config };

/** A result of a layer: of which call, and which one of several. */
export interface TensorReference {
  readonly layer: string;
  readonly call: number;
  readonly tensor: number;
}

/** What one call of a layer reads: results of others, and numbers (`x / 127.5`), in order. */
export type CallArguments = readonly (TensorReference | number)[];

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Config;
  readonly calls: readonly CallArguments[];
}

export interface KerasModel {
  readonly isSequential: boolean;
  readonly layers: readonly KerasLayer[];
  /** Of a Functional model. */
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
  /** The shape a Sequential model was built for, batch included, if it says so. */
  readonly builtFor: unknown;
}

/** The error for a configuration, or weights that do not fit it. */
export function configCorrupt(file: string, what: string, facts: ErrorFacts = {}): DepthwiseError {
  return damaged(file, what, {
    advice: "The model's configuration is broken; fetch or save the file again.",
    ...facts,
  });
}

/** @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TOO_LARGE` */
export function parseConfig(text: string, file: string, what: string, budget: DecodedBudget): unknown {
  const corrupt = (expected: string, found: string, cause?: unknown) =>
    configCorrupt(file, what, { expected, found, cause });
  return parseJson(text, corrupt, spendOn(budget, file, what));
}

const MODELS = new Set(["Sequential", "Model", "Functional"]);

export function isModelClass(className: string): boolean {
  return MODELS.has(className);
}

/**
 * One model, its layers in the order of the file.
 *
 * @param value `{ class_name, config }`
 * @throws {DepthwiseError} `FILE_CORRUPT`; `ARCHITECTURE_UNKNOWN` for a class of one's own, whose layers the file
 *         does not list
 */
export function parseModel(value: unknown, file: string): KerasModel {
  const { class_name: className, config } = isObject(value) ? value : ({} as Config);
  if (typeof className !== "string") {
    throw configCorrupt(file, "the model's configuration", { expected: "an object with class_name and config" });
  }
  const isSequential = className === "Sequential";
  // Before Keras 2.2 the configuration of a Sequential model was the bare list.
  const layers = isSequential && Array.isArray(config) ? config : isObject(config) ? config.layers : undefined;
  if (!Array.isArray(layers)) {
    const advice = "Save the weights alone, or the model as a Functional one.";
    throw fileError("ARCHITECTURE_UNKNOWN", file, "the model's configuration", advice, {
      expected: "a Sequential or Functional model, which lists its layers",
      found: `a ${quoted(className)} without a list of layers`,
      fields: { className },
    });
  }
  const names = new Set<string>();
  const parsed = layers.map((layer, index) => {
    const result = parseLayer(layer, index, file);
    if (names.has(result.name)) throw configCorrupt(file, `two layers are called ${quoted(result.name)}`);
    names.add(result.name);
    return result;
  });
  const ends: Config = isObject(config) ? config : {};
  return {
    isSequential,
    layers: parsed,
    inputs: references(ends.input_layers),
    outputs: references(ends.output_layers),
    builtFor: ends.build_input_shape,
  };
}

function parseLayer(value: unknown, index: number, file: string): KerasLayer {
  if (!isObject(value) || typeof value.class_name !== "string") {
    throw configCorrupt(file, `layer ${index} of the configuration`, {
      expected: "an object with class_name and config",
    });
  }
  const { class_name: className } = value;
  // A nested Sequential model of an old Keras has a list here, and its name beside it.
  const config = isObject(value.config) ? value.config : {};
  const name = config.name ?? value.name;
  if (typeof name !== "string" || name === "")
    throw configCorrupt(file, `layer ${index} of the configuration has no name`);
  const inbound = Array.isArray(value.inbound_nodes) ? value.inbound_nodes : [];
  // A model keeps the whole value: its configuration is parsed when it is unfolded.
  return { name, className, config: isModelClass(className) ? value : config, calls: inbound.map(callArguments) };
}

function callArguments(call: unknown): CallArguments {
  const found: (TensorReference | number)[] = [];
  if (isObject(call)) {
    collect(call.args, found, true, 0);
    collect(call.kwargs, found, false, 0);
  } else if (Array.isArray(call)) {
    for (const entry of typeof call[0] === "string" ? [call] : call) {
      collect(entry, found, true, 0);
      const keywords: unknown = Array.isArray(entry) ? entry[3] : undefined;
      if (!isObject(keywords)) continue;
      if (typeof keywords.y === "number") found.push(keywords.y);
      else collect(keywords, found, false, 0);
    }
  }
  return found;
}

/** The references in a structure of lists and objects, in order. */
function references(value: unknown): readonly TensorReference[] {
  const found: (TensorReference | number)[] = [];
  collect(value, found, false, 0);
  return found.filter((entry) => typeof entry !== "number");
}

/** Deeper than Keras nests the arguments of a call. */
const MAX_ARGUMENT_DEPTH = 6;

function collect(value: unknown, found: (TensorReference | number)[], withNumbers: boolean, depth: number): void {
  if (depth > MAX_ARGUMENT_DEPTH) return;
  if (typeof value === "number" && withNumbers) found.push(value);
  if (Array.isArray(value)) {
    const reference = asReference(value);
    // `127.5 - x` in TensorFlow's Keras: ["_CONSTANT_VALUE", -1, 127.5, { "y": ["x", 0, 0] }].
    if (reference?.layer === "_CONSTANT_VALUE") found.push(reference.tensor);
    else if (reference !== undefined) found.push(reference);
    else for (const entry of value) collect(entry, found, withNumbers, depth + 1);
  } else if (isObject(value)) {
    const history =
      value.class_name === "__keras_tensor__" && isObject(value.config) ? value.config.keras_history : undefined;
    if (history !== undefined) collect(history, found, false, depth + 1);
    else if (value.class_name === undefined) {
      for (const entry of Object.values(value)) collect(entry, found, withNumbers, depth + 1);
    }
  }
}

function asReference(value: readonly unknown[]): TensorReference | undefined {
  const [layer, call, tensor] = value;
  if (typeof layer !== "string" || typeof call !== "number" || typeof tensor !== "number") return undefined;
  return { layer, call, tensor };
}

/** A number, which some versions wrap: `{ "class_name": "__numpy__", "config": { "value": 6.0 } }`. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (isObject(value) && isObject(value.config) && typeof value.config.value === "number") return value.config.value;
  return undefined;
}

/** Numbers, one or a list of them (nested lists are laid out flat). */
export function numbersIn(value: unknown): readonly number[] | undefined {
  const wrapped = isObject(value) && isObject(value.config) ? value.config.value : value;
  const list: readonly unknown[] = Array.isArray(wrapped) ? wrapped.flat(MAX_ARGUMENT_DEPTH) : [wrapped];
  return list.length > 0 && list.every((entry) => typeof entry === "number") ? (list as readonly number[]) : undefined;
}

/** The name of an activation function, however it is written down; `undefined` for one that is not a plain name. */
export function activationNamed(value: unknown): string | undefined {
  if (value === null || value === undefined) return "linear";
  if (typeof value === "string") return value;
  if (!isObject(value)) return undefined;
  if (typeof value.config === "string") return value.config;
  return typeof value.class_name === "string" ? value.class_name : undefined;
}

/** A shape without its batch, from `[null, 224, 224, 3]`; open sides are undefined. */
export function shapeWithoutBatch(value: unknown): readonly (number | undefined)[] | undefined {
  // A model with several inputs may list several shapes; which one is meant is then not stated.
  if (
    !Array.isArray(value) ||
    value.length < 2 ||
    value.length > MOST_SIDES ||
    value.some((side) => typeof side === "object" && side !== null)
  ) {
    return undefined;
  }
  return value
    .slice(1)
    .map((side: unknown) => (Number.isSafeInteger(side) && (side as number) > 0 ? (side as number) : undefined));
}
