/** What the translation of one operation works with: values that were made, constants, and the network so far. */

import { quoted } from "../../core/file-error.ts";
import { elementCount, type FloatTensor, type Shape, sameShape, tensor } from "../../core/tensor.ts";
import { layWindow } from "../../core/window.ts";
import type { ImageLayout, ModelGraph } from "../../formats/graph.ts";
import { permute } from "../../formats/transpose.ts";
import type { Constants } from "./constants.ts";
import type { Draft } from "./draft.ts";
import type { Live } from "./live.ts";
import { asImage, imageView, innermost, naturalShape, type Value, type View } from "./views.ts";

export interface Site {
  readonly graph: ModelGraph;
  readonly constants: Constants;
  readonly live: Live;
  readonly draft: Draft;
  /** By the names of the graph. */
  readonly values: Map<string, Value>;
  /** Nodes that an earlier one took in. */
  readonly absorbed: Set<string>;
  /** The graph's name of each layer with a kernel, by ours. */
  readonly layerNames: Map<string, string>;
  /** Constants that a layer was made of. */
  readonly read: Set<string>;
  /** Counts bytes of numbers that the network has and the file has not. */
  readonly charge: (bytes: number, what: string) => void;
  /** Throws, saying why the graph is no network of ours. */
  readonly refuse: (reason: string) => never;
}

export function layoutOf({ graph }: Site): ImageLayout {
  return graph.layout ?? "NHWC";
}

/** A value as it is: zeros around it may lie in no memory yet. */
export function rawValue(site: Site, name: string | undefined, reader: string): Value {
  const value = site.values.get(name ?? "");
  return value ?? site.refuse(`${quoted(reader)} does not depend on the input`);
}

/** A value of which each number lies in memory. */
export function laidValue(site: Site, name: string | undefined, reader: string): Value {
  const value = rawValue(site, name, reader);
  if (value.pad === undefined) return value;
  const padded = withZeros(site, value, value.pad);
  site.values.set(name ?? "", padded);
  return padded;
}

/** Zeros around an image, by a layer that multiplies with 1 and pads. */
function withZeros(
  site: Site,
  { node, order, shape: [height = 0, width = 0, channels = 0] }: Value,
  pad: NonNullable<Value["pad"]>,
): Value {
  const point = [1, 1] as const;
  const window = { kernel: point, stride: point, dilation: point, padding: pad };
  const shape = [...layWindow(`${node}_pad`, window, [height, width]).output, channels];
  site.constants.spend(channels);
  site.charge(4 * channels, "a layer of padding");
  const kernel = tensor(new Float32Array(channels).fill(1), [1, 1, channels, 1]);
  const attributes = { kernel: 1, stride: 1, padding: pad, multiplier: 1, bias: false };
  const name = site.draft.add(`${node}_pad`, "depthwiseConv2d", [node], attributes, { depthwise_kernel: kernel });
  return { node: name, shape, ...imageView(shape, order[0] === 0 ? "NHWC" : "NCHW") };
}

/** The node that gives a value in a shape of the same numbers in the same order. */
export function inShape(site: Site, { node, shape }: Value, wanted: Shape): string {
  if (sameShape(shape, wanted)) return node;
  const isRow = wanted.length === 1;
  return site.draft.view(node, isRow ? "flatten" : "reshape", wanted, isRow ? {} : { shape: wanted });
}

/** An image, as the network has them. */
export function imageOf(site: Site, value: Value, reader: string, layout: ImageLayout): Value {
  const shape = asImage(value, layout) ?? site.refuse(`${quoted(reader)} reads ${described(value)} as an image`);
  return { node: inShape(site, value, shape), shape, ...imageView(shape, layout) };
}

/** A value in the shape that its sides have in memory; its last one are the channels. */
export function naturally(site: Site, value: Value): Value {
  const shape = naturalShape(value);
  return { ...value, node: inShape(site, value, shape), shape };
}

export function described({ sides, isUnsure, flattened }: View): string {
  if (isUnsure) return "a value whose shape is computed";
  const text = `${sides.join(" × ")} numbers`;
  return flattened === undefined ? text : `${text} that were flattened channel by channel`;
}

/**
 * Numbers for each feature of a row, or rows of a kernel, in the order in which the features lie in memory, where the
 * file counts them in another.
 */
export function rowsOf(data: Float32Array, { flattened }: View): Float32Array {
  if (flattened === undefined) return data;
  const { sides, order } = flattened;
  return permute(data, [...sides, data.length / elementCount(sides)], [...order, sides.length]);
}

/** Whether a constant has one number, or one for each channel of a value, as they would be broadcast in the file. */
export function fitsChannels({ constants }: Site, name: string, view: View): boolean {
  const shape = constants.shape(name);
  const long = shape.flatMap((side, axis) => (side === 1 ? [] : [axis]));
  const [axis, another] = long;
  if (axis === undefined) return true;
  // Counted from the last: a batch may stand in front.
  const at = axis - shape.length + view.sides.length;
  return another === undefined && at === innermost(view) && view.sides[at] === shape[axis];
}

export type LayerParameters = Readonly<Record<string, FloatTensor | undefined>>;
