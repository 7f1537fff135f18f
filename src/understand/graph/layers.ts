/** Units of a chain as layers of ours: kernels in our layout, geometry, normalization. */

import { elementCount, type FloatTensor, type Shape, tensor } from "../../core/tensor.ts";
import type { Padding } from "../../core/window.ts";
import type { ConvolutionOperation, GraphConstant, ModelGraph, Pair } from "../../formats/graph.ts";
import { permute } from "../../formats/transpose.ts";
import type { Unit, UnitActivation } from "./chain.ts";
import type { Constants } from "./constants.ts";
import { type Normalization, normalizationOf } from "./normalization.ts";

export interface GraphLayer {
  readonly name: string;
  readonly type: "full" | "depthwise";
  /** Of the window; `[1, 1]` for a dense layer. */
  readonly window: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
  readonly inChannels: number;
  readonly outChannels: number;
  /** The constant that holds the kernel, and how many numbers it has. */
  readonly source: string;
  readonly elements: number;
  /** HWIO, or `[kh, kw, in, multiplier]`; multiplied by the scale of what followed, if any. */
  kernel(): FloatTensor;
  readonly normalization: Normalization;
  readonly activation: UnitActivation;
}

/** The layer of a unit, or why it is none. `inChannels` is undefined for the first layer if the file does not say. */
export function layerOf(
  unit: Unit,
  inChannels: number | undefined,
  graph: ModelGraph,
  constants: Constants,
): GraphLayer | string {
  const shape = constants.shape(unit.kernel);
  const { operation } = unit;
  const isDense = operation.type === "dense";
  if (shape.length !== (isDense ? 2 : 4)) return `the kernel of "${unit.name}" has ${shape.length} dimensions`;
  const laid = isDense ? denseLayout(shape, operation.transposed) : convolutionLayout(shape, operation, inChannels);
  if (typeof laid === "string") return `"${unit.name}" ${laid}`;
  const [height = 0, width = 0, input = 0, last = 0] = laid.shape;
  const outChannels = laid.isDepthwise ? input * last : last;
  if (inChannels !== undefined && input !== inChannels)
    return `"${unit.name}" reads ${input} channels where there are ${inChannels}`;
  const padding = paddingOf(unit);
  if (padding === undefined) return `"${unit.name}" pads twice`;
  const normalization = normalizationOf(unit, outChannels, constants);
  if (normalization === undefined) return `what follows "${unit.name}" does not fit its ${outChannels} channels`;
  return {
    name: unit.name,
    type: laid.isDepthwise ? "depthwise" : "full",
    window: [height, width],
    strides: isDense ? [1, 1] : operation.strides,
    dilations: isDense ? [1, 1] : operation.dilations,
    padding,
    inChannels: input,
    outChannels,
    source: unit.kernel,
    elements: elementCount(laid.shape),
    kernel() {
      const constant = graph.constants.get(unit.kernel);
      const values = constant?.read() ?? Float32Array.from(constants.read(unit.kernel));
      const ordered = laid.order === undefined ? values : permute(values, laid.from, laid.order);
      const made = scaled(ordered, normalization.scale);
      return tensor(constant !== undefined && made === values ? unshared(constant, made) : made, laid.shape);
    },
    normalization,
    activation: unit.activation,
  };
}

/** Constants whose numbers, as they lie in memory, are those of a layer. */
const taken = /* @__PURE__ */ new WeakSet<GraphConstant>();

/** Another layer of the same constant has numbers of its own. */
function unshared(constant: GraphConstant, values: Float32Array): Float32Array {
  if (taken.has(constant)) return values.slice();
  taken.add(constant);
  return values;
}

interface LaidKernel {
  readonly shape: Shape;
  /** The file's shape, and which of its axes each of ours is; no order: the numbers lie as they should. */
  readonly from: Shape;
  readonly order?: readonly number[];
  readonly isDepthwise: boolean;
}

function denseLayout(shape: Shape, transposed: boolean): LaidKernel {
  const [a = 0, b = 0] = shape;
  return transposed
    ? { shape: [1, 1, b, a], from: shape, order: [1, 0], isDepthwise: false }
    : { shape: [1, 1, a, b], from: shape, isDepthwise: false };
}

function convolutionLayout(
  shape: Shape,
  { layout, groups }: ConvolutionOperation,
  inChannels: number | undefined,
): LaidKernel | string {
  const [a = 0, b = 0, c = 0, d = 0] = shape;
  switch (layout) {
    case "HWIO":
      return groups === 1 ? { shape, from: shape, isDepthwise: false } : `has ${groups} groups`;
    case "OHWI":
      if (groups !== 1) return `has ${groups} groups`;
      return { shape: [b, c, d, a], from: shape, order: [1, 2, 3, 0], isDepthwise: false };
    case "HWIM":
      return { shape, from: shape, isDepthwise: true };
    case "1HWC": {
      const input = inChannels ?? d;
      if (a !== 1 || input < 1 || d % input !== 0) return `has ${d} filters for ${input} channels`;
      return { shape: [b, c, input, d / input], from: shape, isDepthwise: true };
    }
    case "OIHW":
      if (groups === 1) return { shape: [c, d, b, a], from: shape, order: [2, 3, 1, 0], isDepthwise: false };
      if (b !== 1 || a % groups !== 0) return `has ${groups} groups of ${b} channels`;
      return {
        shape: [c, d, groups, a / groups],
        from: [groups, a / groups, c, d],
        order: [2, 3, 0, 1],
        isDepthwise: true,
      };
  }
}

/** The padding of the layer with that of the layer in front of it; undefined if both pad and cannot be one. */
function paddingOf({ operation, pad }: Unit): Padding | undefined {
  if (operation.type === "dense") return "valid";
  const own = operation.padding;
  if (pad === undefined) return own;
  if (own === "valid") return pad;
  if (own === "same") return undefined;
  const sum = (axis: 0 | 1) => [pad[axis][0] + own[axis][0], pad[axis][1] + own[axis][1]] as const;
  return [sum(0), sum(1)];
}

/** The last axis counts the outputs, or their multiplier for each channel: either way outputs lie in order. */
function scaled(values: Float32Array, scale: Float64Array | undefined): Float32Array {
  if (scale === undefined) return values;
  return values.map((value, i) => value * (scale[i % scale.length] ?? 1));
}
