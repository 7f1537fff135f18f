/**
 * Weights as Keras 3 writes them (`.weights.h5`, alone or inside a `.keras` archive): by position.
 *
 *     layers/conv2d/vars/0                      the first convolution's first variable
 *     layers/batch_normalization_7/vars/0 … 3   the eighth batch norm's gamma, beta, mean, variance
 *     layers/functional/layers/conv2d/vars/0    the same in a model that is used as a layer
 *
 * Layers are counted class by class in the order of the model; some versions write the layers' names instead. What a
 * variable is follows from its place and its shape.
 *
 * Source: keras-team/keras, keras/src/saving/saving_lib.py.
 */

import type { GraphConstant } from "../graph.ts";
import type { Hdf5Group } from "../hdf5/hdf5.ts";
import type { StoredTensor } from "../stored-tensor.ts";
import { configCorrupt, isModelClass, type KerasLayer, parseModel } from "./config.ts";
import { asConstant } from "./named-weights.ts";

/** Groups that hold a model's layers. */
const CONTAINERS = ["layers", "_layer_checkpoint_dependencies"];

/** Models inside models, each with its container; see `keras-flatten.ts`. */
const MAX_DEPTH = 9;

export function hasNumberedWeights(root: Hdf5Group): boolean {
  return containerOf(root) !== undefined;
}

function containerOf(group: Hdf5Group): Hdf5Group | undefined {
  for (const name of CONTAINERS) {
    const container = group.get(name);
    if (container?.kind === "group") return container;
  }
  return undefined;
}

/** Variables of the layer in a group, in their order. */
async function readVariables(group: Hdf5Group, file: string): Promise<readonly StoredTensor[]> {
  const variables = group.get("vars");
  if (variables?.kind !== "group") return [];
  const tensors: StoredTensor[] = [];
  for (let i = 0; i < variables.names.length; i++) {
    const data = variables.get(String(i));
    const stored = data?.kind === "data set" ? await data.load(`${group.path}/vars/${i}`) : undefined;
    if (stored === undefined)
      throw configCorrupt(file, `${group.path}/vars: variable ${i} of ${variables.names.length} is missing`);
    tensors.push(stored);
  }
  return tensors;
}

const STATISTICS = ["moving_mean", "moving_variance"];

/** Names by shapes alone: vectors of one length are a batch norm, a kernel comes before its bias. */
function guessVariables(tensors: readonly StoredTensor[]): readonly string[] | undefined {
  const [first, ...others] = tensors;
  if (first === undefined) return [];
  const areVectors = tensors.every(({ shape }) => shape.length === 1 && shape[0] === first.shape[0]);
  if (areVectors && tensors.length === 4) return ["gamma", "beta", ...STATISTICS];
  if (areVectors && tensors.length === 2) return STATISTICS;
  const hasKernel = first.shape.length === 2 || first.shape.length === 4;
  if (hasKernel && others.length === 0) return ["kernel"];
  return hasKernel && others.length === 1 && others[0]?.shape.length === 1 ? ["kernel", "bias"] : undefined;
}

function variablesOf({ className, config }: KerasLayer, tensors: readonly StoredTensor[]): readonly string[] {
  if (className === "BatchNormalization") {
    return [...(config.scale === false ? [] : ["gamma"]), ...(config.center === false ? [] : ["beta"]), ...STATISTICS];
  }
  if (/^SeparableConv(olution)?2D$/.test(className)) return ["depthwise_kernel", "pointwise_kernel", "bias"];
  if (className === "Normalization") return ["mean", "variance", "count"];
  return guessVariables(tensors) ?? tensors.map((_, i) => `variable_${i}`);
}

/**
 * Tensors without the model's topology: class by class, counted on (`conv2d`, `conv2d_1`, …), which says nothing of
 * how layers of different classes follow each other.
 */
export async function tensorsByPosition(root: Hdf5Group, file: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  const open = [{ group: root, prefix: "", depth: 0 }];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { group, prefix, depth } = next;
    const container = containerOf(group);
    if (container === undefined || depth > MAX_DEPTH) continue;
    for (const layer of sortedByNumber(container.names)) {
      const inner = container.get(layer);
      if (inner?.kind !== "group") continue;
      const variables = await readVariables(inner, file);
      const names = guessVariables(variables) ?? variables.map((_, i) => `vars/${i}`);
      for (const [i, stored] of variables.entries()) {
        const name = `${prefix}${layer}/${names[i]}`;
        tensors.set(name, { ...stored, name });
      }
      open.push({ group: inner, prefix: `${prefix}${layer}/`, depth: depth + 1 });
    }
  }
  return tensors;
}

/** `conv2d`, `conv2d_1`, `conv2d_2`, `conv2d_10`, `dense`. */
function sortedByNumber(names: readonly string[]): readonly string[] {
  const split = names.map((name) => {
    const [, stem = name, number = "0"] = /^(.*)_(\d{1,9})$/.exec(name) ?? [];
    return { name, stem, number: Number(number) };
  });
  split.sort((a, b) => (a.stem === b.stem ? a.number - b.number : a.stem < b.stem ? -1 : 1));
  return split.map(({ name }) => name);
}

export interface PositionedWeights {
  readonly weightsOf: (layer: string) => readonly GraphConstant[];
  /** How the file names layers. */
  readonly naming: "by class" | "by layer name";
}

/**
 * The weights of the layers of a model, found by their positions.
 *
 * @param config `{ class_name, config }`
 * @throws {DepthwiseError} `FILE_CORRUPT`
 */
export async function weightsByPosition(root: Hdf5Group, config: unknown, file: string): Promise<PositionedWeights> {
  const found = new Map<string, readonly GraphConstant[]>();
  let naming: PositionedWeights["naming"] = "by class";
  const open = [{ group: root, model: config, prefix: "", depth: 0 }];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { group, model, prefix, depth } = next;
    const container = containerOf(group);
    if (container === undefined || depth > MAX_DEPTH) continue;
    const { layers } = parseModel(model, file);
    const byClass = groupsByClass(layers);
    const isByClass = container.names.every((name) => byClass.has(name));
    if (!isByClass) naming = "by layer name";
    const groups = isByClass ? byClass : new Map(layers.map((layer) => [layer.name, layer]));
    for (const [name, layer] of groups) {
      const inner = container.get(name);
      if (inner?.kind !== "group") continue;
      const path = `${prefix}${layer.name}`;
      if (isModelClass(layer.className))
        open.push({ group: inner, model: layer.config, prefix: `${path}/`, depth: depth + 1 });
      const variables = await readVariables(inner, file);
      const names = variablesOf(layer, variables);
      if (variables.length > 0)
        found.set(
          path,
          variables.map((stored, i) => asConstant(names[i] ?? `variable_${i}`, stored)),
        );
    }
  }
  return { weightsOf: (layer) => found.get(layer) ?? [], naming };
}

/** The group of each layer, counted class by class. */
function groupsByClass(layers: readonly KerasLayer[]): ReadonlyMap<string, KerasLayer> {
  const counts = new Map<string, number>();
  const groups = new Map<string, KerasLayer>();
  for (const layer of layers) {
    const stem = snakeCase(layer.className);
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    groups.set(count === 0 ? stem : `${stem}_${count}`, layer);
  }
  return groups;
}

/** `DepthwiseConv2D` → `depthwise_conv2d`, `ReLU` → `re_lu`, as Keras does it. */
function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
