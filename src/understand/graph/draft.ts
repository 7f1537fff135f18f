/** A network while it is put together from a graph: its layers, with names that are valid and unlike, and parameters. */

import { shorten } from "../../core/errors.ts";
import { type FloatTensor, type Shape, tensor } from "../../core/tensor.ts";
import { uniqueNames } from "../../core/unique-names.ts";
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

/** What every object has is no key of ours. */
const OF_OBJECTS = /* @__PURE__ */ Object.getOwnPropertyNames(Object.prototype);

/** @param refuse throws: there are more layers than a network may have */
export function openDraft(mostLayers: number, refuse: (reason: string) => never): Draft {
  const layers: NodeDefinition[] = [];
  const values = new Map<string, FloatTensor>();
  const unused = uniqueNames(["input", ...OF_OBJECTS]);
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
      const name = unused(layerName(shorten(wished, LONGEST_NAME)) || "layer");
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

/** Names for results, each once. */
export function resultNames(): (wished: string) => string {
  const unused = uniqueNames(["taps", ...OF_OBJECTS]);
  return (wished) => unused(resultName(shorten(wished, LONGEST_NAME)) || "layer");
}

export function vector(values: ArrayLike<number>): FloatTensor {
  return tensor(Float32Array.from(values), [values.length]);
}
