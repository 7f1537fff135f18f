/** A network while it is put together from a graph: its layers, with names that are valid and unlike, and parameters. */

import { shorten } from "../../core/errors.ts";
import { type FloatTensor, type Shape, tensor } from "../../core/tensor.ts";
import type { NodeDefinition } from "../../layers/node.ts";

export interface Draft {
  readonly layers: readonly NodeDefinition[];
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  /** Adds a layer, under the name wished for or one like it; returns its name. */
  add(
    wished: string,
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, unknown>>,
    parameters?: Readonly<Record<string, FloatTensor | undefined>>,
  ): string;
  /** A layer that gives the numbers of another in another shape; asked for again, it is the one that is there. */
  view(node: string, type: string, shape: Shape, attributes: Readonly<Record<string, unknown>>): string;
}

/** Of a layer: files may say whole sentences. */
const LONGEST_NAME = 120;

/** @param refuse throws: there are more layers than a network may have */
export function openDraft(mostLayers: number, refuse: (reason: string) => never): Draft {
  const layers: NodeDefinition[] = [];
  const values = new Map<string, FloatTensor>();
  const unused = uniqueNames(["input"], layerName);
  const views = new Map<string, string>();
  const draft: Draft = {
    layers,
    parameters: values,
    view(node, type, shape, attributes) {
      const key = `${shape.join()} ${node}`;
      const name = views.get(key) ?? draft.add(`${node}_${type}`, type, [node], attributes);
      views.set(key, name);
      return name;
    },
    add(wished, type, inputs, attributes = {}, parameters = {}) {
      if (layers.length >= mostLayers) refuse(`it has more than ${mostLayers.toLocaleString("en-US")} layers`);
      const name = unused(wished);
      layers.push({ name, type, inputs, attributes });
      for (const [part, value] of Object.entries(parameters))
        if (value !== undefined) values.set(`${name}/${part}`, value);
      return name;
    },
  };
  return draft;
}

/** As TensorFlow.js takes it, so that whatever is loaded can be written for it: `/Conv_5` is `Conv_5`. */
function layerName(wished: string): string {
  return wished.replace(/[^-A-Za-z0-9._]+/g, "_").replace(/^[^A-Za-z0-9]+/, "");
}

/** Of a result: controls would steer a terminal. */
function resultName(wished: string): string {
  return wished.replace(/[/\p{Cc}]+/gu, "_");
}

/** Gives each name once: one that is taken gets a number behind it. */
export function uniqueNames(reserved: Iterable<string>, valid = resultName): (wished: string) => string {
  const taken = new Set(reserved);
  const numbers = new Map<string, number>();
  return (wished) => {
    const plain = valid(shorten(wished, LONGEST_NAME)) || "layer";
    let name = plain;
    let number = numbers.get(plain) ?? 0;
    while (taken.has(name) || name in {}) name = `${plain}_${++number}`;
    numbers.set(plain, number);
    taken.add(name);
    return name;
  };
}

export function vector(values: ArrayLike<number>): FloatTensor {
  return tensor(Float32Array.from(values), [values.length]);
}
