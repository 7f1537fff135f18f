/**
 * The topology of a Keras model, Sequential or Functional, as a graph of our small vocabulary. Whole HDF5 files,
 * `.keras` archives and TensorFlow.js layers models all carry it in the same words.
 */

import { quoted } from "../../core/file-error.ts";
import { MOST_SIDES } from "../../core/tensor.ts";
import { uniqueNames } from "../../core/unique-names.ts";
import type { FileFacts } from "../fact.ts";
import type { GraphConstant, ModelGraph } from "../graph.ts";
import { configCorrupt } from "./config.ts";
import { type FlatCall, flattenModel, type OpenShape } from "./flatten.ts";
import { openLayerTranslation, type Sheet } from "./graph.ts";
import { translateLayer } from "./layers.ts";

export interface KerasGraph {
  readonly graph: ModelGraph;
  readonly facts: FileFacts;
}

/**
 * Translates a model's configuration. Models used as layers are unfolded; their layers are called `outer/inner`.
 *
 * @param config    `{ class_name, config }`, what `model.get_config()` is wrapped in
 * @param weightsOf the weights of a layer under their Keras variable names (`kernel`, `depthwise_kernel`, `bias`,
 *                  `gamma`, `beta`, `moving_mean`, `moving_variance`), prefixes and `:0` stripped; `[]` for none. A
 *                  layer of a nested model is asked for as `outer/inner`, and if that has none, as `inner`
 * @param options   `name` of the file, for messages
 * @throws {DepthwiseError} `FILE_CORRUPT` for a configuration that is broken or does not fit the weights;
 *         `ARCHITECTURE_UNKNOWN` for one that is sound and not read (channels first, several results, …)
 */
export function graphFromKeras(
  config: unknown,
  weightsOf: (layer: string) => readonly GraphConstant[],
  options: { readonly name: string },
): KerasGraph {
  const file = options.name;
  const { inputs, calls, outputs } = flattenModel(config, file);
  const unused = uniqueNames(inputs.map(({ name }) => name));
  const sheet: Sheet = { nodes: [], constants: new Map(), unused };
  /** Of the layers by path: one may have many, and be called many times. */
  const weightsOfLayers = new Map<string, ReadonlyMap<string, GraphConstant>>();
  /** What stands for a call's result: its last node. */
  const values = new Map<string, string>();
  const shapes = new Map<string, OpenShape | undefined>();
  for (const { name, shape } of inputs) {
    values.set(name, name);
    shapes.set(name, shape);
  }
  for (const call of calls) {
    const reads = call.arguments.map((id) => (typeof id === "string" ? (values.get(id) ?? id) : id));
    const weights = weightsOfLayers.get(call.path) ?? weightsByName(call, weightsOf);
    weightsOfLayers.set(call.path, weights);
    const read = call.arguments.map((id) => (typeof id === "string" ? shapes.get(id) : undefined));
    const { value, shape: after } = translateLayer(
      openLayerTranslation(sheet, { ...call, arguments: reads }, file, weights, read),
    );
    values.set(call.id, value);
    shapes.set(call.id, after !== undefined && after.length <= MOST_SIDES ? after : undefined);
  }
  const results = outputs.map((id) => {
    const value = values.get(id);
    if (value === undefined) throw configCorrupt(file, `nothing computes ${quoted(id)}, a result of the model`);
    return value;
  });
  const graph: ModelGraph = {
    kind: "graph",
    inputs: inputs.map(({ name, shape }) => (shape === undefined ? { name } : { name, shape })),
    nodes: sheet.nodes,
    constants: sheet.constants,
    outputs: results,
    // A layer may become several nodes.
    ...(outputs.length > 1 ? { outputNames: outputs } : {}),
  };
  return { graph, facts: {} };
}

function weightsByName(
  { path, layer }: FlatCall,
  weightsOf: (layer: string) => readonly GraphConstant[],
): ReadonlyMap<string, GraphConstant> {
  const own = weightsOf(path);
  const weights = own.length > 0 || path === layer ? own : weightsOf(layer);
  return new Map(weights.map((weight) => [weight.name, weight]));
}
