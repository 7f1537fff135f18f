/** A Keras model as a flat list of calls of layers, models inside models unfolded, in an order that can run. */

import type { DepthwiseError } from "../../core/errors.ts";
import { fileError, quoted } from "../../core/file-error.ts";
import {
  type CallArguments,
  type Config,
  configCorrupt,
  isModelClass,
  type KerasLayer,
  type KerasModel,
  parseModel,
  shapeWithoutBatch,
} from "./config.ts";

export type OpenShape = readonly (number | undefined)[];

export interface FlatCall {
  /** Names the call and its value; `outer/inner` for a layer of a nested model, `name:1` for a layer's second call. */
  readonly id: string;
  /** Where the layer is: `outer/inner`. */
  readonly path: string;
  readonly layer: string;
  readonly className: string;
  readonly config: Config;
  /** Ids of values, and numbers. */
  readonly arguments: readonly (string | number)[];
}

export interface FlatModel {
  readonly inputs: readonly { readonly name: string; readonly shape: OpenShape | undefined }[];
  readonly calls: readonly FlatCall[];
  /** Ids of values. */
  readonly outputs: readonly string[];
}

/** Models inside models inside models: transfer learning makes two levels. */
const MAX_DEPTH = 8;
/** Unfolding may multiply what the bytes of the file say; the largest networks have a few thousand calls. */
const MAX_CALLS = 20_000;

/**
 * @param config `{ class_name, config }`
 * @throws {DepthwiseError} `FILE_CORRUPT`, `ARCHITECTURE_UNKNOWN`
 */
export function flattenModel(config: unknown, file: string): FlatModel {
  const unfolding: Unfolding = { file, inputs: [], calls: [], aliases: new Map() };
  const ends = unfold(unfolding, parseModel(config, file), "", undefined, 0);
  const { inputs, calls } = unfolding;
  const resolve = resolver(unfolding);
  const resolved = calls.map((call) => ({
    ...call,
    arguments: call.arguments.map((value) => (typeof value === "string" ? resolve(value) : value)),
  }));
  const sorted = sortCalls(resolved, new Set(inputs.map(({ name }) => name)), file);
  return { inputs, calls: sorted, outputs: ends.map(resolve) };
}

interface Unfolding {
  readonly file: string;
  readonly inputs: { readonly name: string; readonly shape: OpenShape | undefined }[];
  readonly calls: FlatCall[];
  /** Values that are another value under a second name: inputs and results of nested models. */
  readonly aliases: Map<string, string>;
}

/** Adds a model's calls; `given` are the ids that a nested model reads. Returns the ids of its results. */
function unfold(
  unfolding: Unfolding,
  model: KerasModel,
  prefix: string,
  given: readonly string[] | undefined,
  depth: number,
): readonly string[] {
  const { file } = unfolding;
  if (depth > MAX_DEPTH) throw unknown(file, `models nested more than ${MAX_DEPTH} deep`);
  const idOf = (name: string, call: number) => (call === 0 ? `${prefix}${name}` : `${prefix}${name}:${call}`);
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const inputOrder =
    model.inputs.length > 0
      ? model.inputs.map(({ layer }) => layer)
      : model.layers.filter(isInput).map(({ name }) => name);
  const inputPlaces = new Map(inputOrder.map((name, place) => [name, place]));
  let previous: string | undefined;

  for (const [index, layer] of model.layers.entries()) {
    const id = idOf(layer.name, 0);
    if (isInput(layer)) {
      if (given === undefined) unfolding.inputs.push({ name: id, shape: statedShape(layer.config) });
      else unfolding.aliases.set(id, givenAt(given, inputPlaces.get(layer.name) ?? -1, layer.name, file));
      previous = id;
      continue;
    }
    if (model.isSequential && index === 0) {
      previous = given === undefined ? implicitInput(unfolding, model, layer) : givenAt(given, 0, layer.name, file);
    }
    const calls = model.isSequential
      ? [[previous ?? ""]]
      : layer.calls.map((call) => readsOf(call, layers, idOf, file));
    if (isModelClass(layer.className)) {
      // The number by which others call it is 1, not 0, in some versions: its own definition counted as a call.
      if (calls.length > 1) throw unknown(file, `a model, ${quoted(layer.name)}, that is used ${calls.length} times`);
      const reads = (calls[0] ?? []).filter((value) => typeof value === "string");
      const results = unfold(unfolding, parseModel(layer.config, file), `${id}/`, reads, depth + 1);
      for (const [i, result] of results.entries()) unfolding.aliases.set(i === 0 ? id : `${id}#${i}`, result);
    } else {
      for (const [call, reads] of calls.entries()) {
        const { name, className, config } = layer;
        unfolding.calls.push({ id: idOf(name, call), path: id, layer: name, className, config, arguments: reads });
      }
      if (unfolding.calls.length > MAX_CALLS) throw unknown(file, `more than ${MAX_CALLS} layers`);
    }
    previous = id;
  }
  if (model.isSequential) return previous === undefined ? [] : [previous];
  return readsOf(model.outputs, layers, idOf, file).filter((value) => typeof value === "string");
}

function isInput({ className }: KerasLayer): boolean {
  return className === "InputLayer";
}

function givenAt(given: readonly string[], index: number, name: string, file: string): string {
  const id = given[index];
  if (id === undefined) throw configCorrupt(file, `the model around ${quoted(name)} is given ${given.length} inputs`);
  return id;
}

/** A Sequential model may leave its input layer out and state the shape with its first layer. */
function implicitInput(unfolding: Unfolding, model: KerasModel, first: KerasLayer): string {
  const name = `${first.name}_input`;
  let shape = shapeWithoutBatch(model.builtFor) ?? statedShape(first.config);
  let inner = first;
  for (let depth = 0; shape === undefined && isModelClass(inner.className) && depth < MAX_DEPTH; depth++) {
    const nested = parseModel(inner.config, unfolding.file);
    const [next] = nested.layers;
    if (next === undefined) break;
    shape = shapeWithoutBatch(nested.builtFor) ?? statedShape(next.config);
    inner = next;
  }
  unfolding.inputs.push({ name, shape });
  return name;
}

function statedShape(config: Config): OpenShape | undefined {
  return shapeWithoutBatch(config.batch_input_shape ?? config.batch_shape);
}

function readsOf(
  call: CallArguments,
  layers: ReadonlyMap<string, KerasLayer>,
  idOf: (name: string, call: number) => string,
  file: string,
): readonly (string | number)[] {
  return call.map((value) => {
    if (typeof value === "number") return value;
    const layer = layers.get(value.layer);
    if (layer === undefined)
      throw configCorrupt(file, `no layer is called ${quoted(value.layer)}, which another reads`);
    if (isModelClass(layer.className)) {
      const id = idOf(layer.name, 0);
      return value.tensor === 0 ? id : `${id}#${value.tensor}`;
    }
    if (value.tensor !== 0) throw unknown(file, `a layer with several results, ${quoted(value.layer)}`);
    return idOf(layer.name, isInput(layer) ? 0 : value.call);
  });
}

/** Looks through second names; a model that passes its input on unchanged makes chains of them, each walked once. */
function resolver({ aliases, file }: Unfolding): (id: string) => string {
  const resolved = new Map<string, string>();
  return (id) => {
    const passed: string[] = [];
    let value = id;
    for (let next = aliases.get(value); next !== undefined; next = aliases.get(value)) {
      if (passed.length > aliases.size) throw configCorrupt(file, `${quoted(id)} depends on itself`);
      passed.push(value);
      value = resolved.get(value) ?? next;
    }
    for (const alias of passed) resolved.set(alias, value);
    return value;
  };
}

/** Each call after those it reads; otherwise in the order of the file. */
function sortCalls(calls: readonly FlatCall[], inputs: ReadonlySet<string>, file: string): readonly FlatCall[] {
  const byId = new Map<string, FlatCall>();
  for (const call of calls) {
    if (byId.has(call.id) || inputs.has(call.id)) throw configCorrupt(file, `two layers are called ${quoted(call.id)}`);
    byId.set(call.id, call);
  }
  const sorted: FlatCall[] = [];
  const state = new Map<string, "open" | "done">();
  for (const root of calls) {
    const stack = [root];
    for (let call = stack.at(-1); call !== undefined; call = stack.at(-1)) {
      if (state.get(call.id) === undefined) {
        state.set(call.id, "open");
        for (const id of call.arguments) {
          if (typeof id === "number" || inputs.has(id)) continue;
          const source = byId.get(id);
          if (source === undefined)
            throw configCorrupt(file, `nothing computes ${quoted(id)}, which ${quoted(call.id)} reads`);
          if (state.get(id) === "open") throw configCorrupt(file, `${quoted(id)} depends on itself`);
          if (state.get(id) === undefined) stack.push(source);
        }
      } else {
        stack.pop();
        if (state.get(call.id) === "open") sorted.push(call);
        state.set(call.id, "done");
      }
    }
  }
  return sorted;
}

function unknown(file: string, found: string): DepthwiseError {
  const advice = "Such models are not read.";
  return fileError("ARCHITECTURE_UNKNOWN", file, "", advice, { expected: "layers of one result each", found });
}
