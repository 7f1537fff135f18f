/**
 * Weights in HDF5 as Keras 1 and 2 write them (and Keras 3, asked for `.h5`): by the names of layers and variables.
 *
 *     layer_names                      attribute: layers in the order of the model
 *     conv1/weight_names               attribute: "conv1/kernel:0", …
 *     conv1/conv1/kernel:0             data set
 *
 * An attribute too long for its place is written in parts: `layer_names0`, `layer_names1`, …
 */

import { quoted } from "../../core/file-error.ts";
import type { GraphConstant } from "../graph.ts";
import type { Hdf5Group } from "../hdf5/hdf5.ts";
import { type StoredTensor, toFloat32 } from "../stored-tensor.ts";
import { configCorrupt } from "./config.ts";

export interface NamedWeight {
  /** Of the group: a layer, or a whole model that is used as one. */
  readonly layer: string;
  /** What stands before the variable in the weight's own name: mostly the layer again. */
  readonly scope: string;
  /** `kernel`, `gamma`, … */
  readonly variable: string;
  readonly stored: StoredTensor;
}

export function hasLayerNames(group: Hdf5Group): boolean {
  return textsInParts(group, "layer_names") !== undefined;
}

/**
 * @returns layers in the order of the model, each with its weights; many have none
 * @throws {DepthwiseError} `FILE_CORRUPT` for names that name nothing
 */
export async function readNamedWeights(
  group: Hdf5Group,
  file: string,
): Promise<ReadonlyMap<string, readonly NamedWeight[]>> {
  const layers = new Map<string, readonly NamedWeight[]>();
  for (const layer of textsInParts(group, "layer_names") ?? []) {
    const inner = group.get(layer);
    if (inner?.kind !== "group")
      throw configCorrupt(file, `there is no group ${quoted(layer)}, which layer_names lists`);
    if (layers.has(layer)) throw configCorrupt(file, `layer_names lists ${quoted(layer)} twice`);
    const weights: NamedWeight[] = [];
    for (const name of textsInParts(inner, "weight_names") ?? [])
      weights.push(await readWeight(inner, layer, name, file));
    layers.set(layer, weights);
  }
  return layers;
}

async function readWeight(group: Hdf5Group, layer: string, name: string, file: string): Promise<NamedWeight> {
  const data = group.get(name);
  const stored = data?.kind === "data set" ? await data.load(name) : undefined;
  if (stored === undefined) {
    throw configCorrupt(file, `layer ${quoted(layer)}: no numbers under ${quoted(name)}, which weight_names lists`);
  }
  const slash = name.lastIndexOf("/");
  const ownName = name.slice(slash + 1).replace(/:\d+$/, "");
  return { layer, scope: name.slice(0, Math.max(0, slash)), variable: withoutLayer(ownName, layer), stored };
}

/** Variables of Keras 1; what it calls a deviation is a variance too. */
const NEWER_NAMES: Readonly<Record<string, string>> = {
  W: "kernel",
  b: "bias",
  running_mean: "moving_mean",
  running_std: "moving_variance",
};

/** Keras 1 writes `convolution2d_1_W`. */
function withoutLayer(variable: string, layer: string): string {
  if (!variable.startsWith(`${layer}_`)) return variable;
  const rest = variable.slice(layer.length + 1);
  return Object.hasOwn(NEWER_NAMES, rest) ? (NEWER_NAMES[rest] ?? rest) : rest;
}

function textsInParts(group: Hdf5Group, attribute: string): readonly string[] | undefined {
  const whole = group.texts(attribute);
  if (whole !== undefined) return whole;
  const parts: (readonly string[])[] = [];
  for (let part = group.texts(`${attribute}0`); part !== undefined; part = group.texts(`${attribute}${parts.length}`)) {
    parts.push(part);
  }
  return parts.length > 0 ? parts.flat() : undefined;
}

/**
 * Tensors named `layer/variable` in the order of the layers. The layers of a model that is used as a layer stand
 * under their own names.
 */
export function tensorsByLayer(
  layers: ReadonlyMap<string, readonly NamedWeight[]>,
  file: string,
): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [layer, weights] of layers) {
    const isNested = new Set(weights.map(({ variable }) => variable)).size < weights.length;
    for (const { scope, variable, stored } of weights) {
      const name = `${isNested ? lastPart(scope) : layer}/${variable}`;
      if (tensors.has(name)) throw configCorrupt(file, `two weights are called ${quoted(name)}`);
      tensors.set(name, { ...stored, name });
    }
  }
  return tensors;
}

/** Finds the weights of a layer, of the model itself or (`outer/inner`) of one that is used as a layer. */
export function weightsByLayer(
  layers: ReadonlyMap<string, readonly NamedWeight[]>,
): (layer: string) => readonly GraphConstant[] {
  const found = new Map<string, GraphConstant[]>();
  const add = (key: string, { variable, stored }: NamedWeight) => {
    const weights = found.get(key) ?? [];
    found.set(key, weights);
    weights.push(asConstant(variable, stored));
  };
  for (const [layer, weights] of layers) {
    for (const weight of weights) {
      const { scope } = weight;
      for (const key of new Set([layer, `${layer}/${scope}`, `${layer}/${lastPart(scope)}`])) add(key, weight);
    }
  }
  return (layer) => found.get(layer) ?? [];
}

/** A stored tensor as a constant under the name of its variable. */
export function asConstant(variable: string, stored: StoredTensor): GraphConstant {
  return { name: variable, shape: stored.shape, read: () => toFloat32(stored) };
}

function lastPart(scope: string): string {
  return scope.slice(scope.lastIndexOf("/") + 1);
}
