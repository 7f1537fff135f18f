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
  const unused = uniqueNames(["input"]);
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

/** Gives each name once, valid for a layer: one that is taken gets a number behind it. */
export function uniqueNames(reserved: Iterable<string>): (wished: string) => string {
  const taken = new Set(reserved);
  const numbers = new Map<string, number>();
  return (wished) => {
    // Of a layer's parameters the name ends at the first slash; controls would steer a terminal.
    const valid = shorten(wished.replace(/[/\p{Cc}]+/gu, "_") || "layer", LONGEST_NAME);
    let name = valid;
    let number = numbers.get(valid) ?? 0;
    while (taken.has(name) || name in {}) name = `${valid}_${++number}`;
    numbers.set(valid, number);
    taken.add(name);
    return name;
  };
}

export function vector(values: ArrayLike<number>): FloatTensor {
  return tensor(Float32Array.from(values), [values.length]);
}
