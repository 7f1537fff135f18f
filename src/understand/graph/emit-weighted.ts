/** Convolutions and dense layers, with all that is done to their sums. */

import { quoted } from "../../core/file-error.ts";
import { elementCount, type FloatTensor, tensor } from "../../core/tensor.ts";
import { layWindow, type Padding } from "../../core/window.ts";
import type { ConvolutionOperation, GraphNode, GraphOperation } from "../../formats/graph.ts";
import type { Unit } from "./chain.ts";
import { vector } from "./draft.ts";
import { batchNormLayer, stepsAfter } from "./emit-affine.ts";
import { type GraphLayer, layerOf } from "./layers.ts";
import { described, imageOf, inShape, laidValue, rawValue, rowsOf, type Site } from "./site.ts";
import { imageView, innermost, plainView, row, type Value, type View } from "./views.ts";

type Dense = Extract<GraphOperation, { readonly type: "dense" }>;

export function convolution(site: Site, node: GraphNode, operation: ConvolutionOperation): void {
  const { name, inputs } = node;
  const layout = operation.layout === "OIHW" ? "NCHW" : "NHWC";
  const [x] = inputs;
  // A window that pads by a rule of its own cannot lay these zeros as well.
  const raw = operation.padding === "same" ? laidValue(site, x, name) : rawValue(site, x, name);
  const image = imageOf(site, raw, name, layout);
  const channels = outputChannels(site, operation, inputs[1] ?? "");
  const unit = {
    ...unitOf(site, node, operation, imageView([1, 1, channels], layout)),
    ...(raw.pad && { pad: raw.pad }),
  };
  const layer = layerFor(site, unit, image.shape[2]);
  const { window, strides, dilations, padding } = layer;
  const [height = 1, width = 1] = image.shape;
  const geometry = { kernel: window, stride: strides, dilation: dilations, padding };
  const { output } = layWindow(name, geometry, [height, width]);
  const shape = [...output, layer.outChannels];
  const kernel = kernelOf(site, layer);
  const isPoint = layer.type === "full" && isPointwise(window, strides, padding);
  const [, , , multiplier = 1] = kernel.shape;
  const [type, attributes, part] = isPoint
    ? (["pointwiseConv2d", { filters: layer.outChannels }, "kernel"] as const)
    : layer.type === "full"
      ? (["conv2d", { filters: layer.outChannels, ...geometry }, "kernel"] as const)
      : (["depthwiseConv2d", { multiplier, ...geometry }, "depthwise_kernel"] as const);
  finish(site, unit, layer, { node: image.node, shape, ...imageView(shape, layout) }, type, attributes, {
    [part]: kernel,
  });
}

/** On a row of features, or on the last axis of an image, pixel by pixel. */
export function dense(site: Site, node: GraphNode, operation: Dense): void {
  const { name, inputs } = node;
  const value = laidValue(site, inputs[0], name);
  const view = operation.flattens && value.sides.length > 1 ? row(value) : value;
  const isRow = view.sides.length === 1;
  const last = view.sides.length - 1;
  const isPixels = view.sides.length === 3 && innermost(view) === last && view.order.every((axis, i) => axis === i);
  if (!isRow && !isPixels) site.refuse(`${quoted(name)} is a dense layer on ${described(value)}`);
  const [a = 0, b = 0] = site.constants.shape(inputs[1] ?? "");
  const filters = operation.transposed ? a : b;
  const sides = [...view.sides.slice(0, -1), filters];
  const unit = unitOf(site, node, operation, plainView(sides));
  const layer = layerFor(site, unit, view.sides[last]);
  const laid = kernelOf(site, layer);
  const kernel = isRow ? tensor(rowsOf(laid.data, view), [layer.inChannels, layer.outChannels]) : laid;
  const from = { ...value, node: inShape(site, value, isRow ? [elementCount(view.sides)] : view.sides) };
  const type = isRow ? "dense" : "pointwiseConv2d";
  finish(
    site,
    unit,
    layer,
    { node: from.node, shape: sides, ...plainView(sides) },
    type,
    { filters: layer.outChannels },
    { kernel },
  );
}

function unitOf(
  site: Site,
  node: GraphNode,
  operation: Unit["operation"],
  view: View,
): Unit & { readonly output: string; readonly batchNorm?: string } {
  const { name, inputs } = node;
  const [, kernel = "", bias] = inputs;
  if (!site.constants.has(kernel)) site.refuse(`the kernel of ${quoted(name)} is computed`);
  if (bias && !site.constants.has(bias)) site.refuse(`the bias of ${quoted(name)} is computed`);
  const { steps, output, batchNorm } = stepsAfter(site, node, view);
  const activation = { function: "linear", basis: "stated", from: "" } as const;
  return {
    name,
    operation,
    kernel,
    bias: bias || undefined,
    after: steps,
    activation,
    output,
    ...(batchNorm === undefined ? {} : { batchNorm }),
  };
}

function layerFor(site: Site, unit: Unit, channels: number | undefined): GraphLayer {
  const layer = layerOf(unit, channels, site.graph, site.constants);
  return typeof layer === "string" ? site.refuse(layer) : layer;
}

function outputChannels({ constants }: Site, { layout }: ConvolutionOperation, kernel: string): number {
  const [a = 0, , c = 0, d = 0] = constants.shape(kernel);
  return layout === "OHWI" || layout === "OIHW" ? a : layout === "HWIM" ? c * d : d;
}

/** A constant was charged when it was read, for one layer; each other makes numbers of its own from it. */
function kernelOf(site: Site, layer: GraphLayer): FloatTensor {
  if (site.read.has(layer.source))
    site.charge(4 * layer.elements, `constant ${quoted(layer.source)}, for another layer`);
  site.read.add(layer.source);
  return layer.kernel();
}

function isPointwise(
  [height, width]: readonly [number, number],
  [down, across]: readonly [number, number],
  padding: Padding,
): boolean {
  const isOne = height === 1 && width === 1 && down === 1 && across === 1;
  return isOne && (typeof padding === "string" || padding.flat().every((side) => side === 0));
}

/** Adds the layer, its batch norm if there is one, and the value behind both. */
function finish(
  site: Site,
  unit: ReturnType<typeof unitOf>,
  { normalization, outChannels }: GraphLayer,
  value: Value,
  type: string,
  attributes: Readonly<Record<string, unknown>>,
  kernel: Readonly<Record<string, FloatTensor>>,
): void {
  const { bias, batchNorm } = normalization;
  if (bias !== undefined) site.charge(4 * outChannels, `the bias of ${quoted(unit.name)}`);
  const parameters = { ...kernel, bias: bias && vector(bias) };
  const layer = site.draft.add(unit.name, type, [value.node], { ...attributes, bias: bias !== undefined }, parameters);
  site.layerNames.set(layer, unit.name);
  const node =
    batchNorm === undefined
      ? layer
      : batchNormLayer(site, unit.batchNorm ?? `${unit.name}_bn`, layer, batchNorm, value);
  site.values.set(unit.output, { ...value, node });
}
