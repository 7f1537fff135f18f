/**
 * Layers of Keras, one translation a class; a class without one becomes `other` under its own name.
 *
 * Source: keras-team/keras, keras/src/layers of version 3, and the same layers of versions 1 and 2.
 */

import { shorten } from "../../core/errors.ts";
import { quoted } from "../../core/file-error.ts";
import type { ExplicitPadding } from "../../core/window.ts";
import { broadcastSides, poolOperation, type WindowOperation, windowOutput } from "../feature-map-sizes.ts";
import type { GraphOperation, KernelLayout, Pair, ReshapeForm } from "../graph.ts";
import { isNaturals } from "../stored-tensor.ts";
import { activationOperation, leakyOperation, reluOperation } from "./activations.ts";
import { activationNamed, configCorrupt, numberIn, numbersIn } from "./config.ts";
import type { OpenShape } from "./flatten.ts";
import { type LayerTranslation, settingUnknown } from "./graph.ts";

/** The value a layer results in, and its shape without the batch if it is known. */
export interface Translated {
  readonly value: string;
  readonly shape: OpenShape | undefined;
}

type Translate = (t: LayerTranslation) => Translated;

const LAYERS: ReadonlyMap<string, Translate> = new Map<string, Translate>([
  ["Conv2D", (t) => convolution(t, "HWIO", ["kernel"])],
  ["Convolution2D", (t) => convolution(t, "HWIO", ["kernel"])],
  ["DepthwiseConv2D", (t) => convolution(t, "HWIM", ["depthwise_kernel", "kernel"])],
  ["DepthwiseConvolution2D", (t) => convolution(t, "HWIM", ["depthwise_kernel", "kernel"])],
  ["SeparableConv2D", separableConvolution],
  ["SeparableConvolution2D", separableConvolution],
  ["Dense", dense],
  ["BatchNormalization", batchNormalization],
  ["BatchNormalizationV1", batchNormalization],
  ["BatchNormalizationV2", batchNormalization],
  ["SyncBatchNormalization", batchNormalization],
  ["Activation", (t) => ({ value: activate(t, t.inputs[0] ?? "", t.config.activation), shape: t.shape })],
  ["ReLU", relu],
  ["LeakyReLU", leakyRelu],
  ["Softmax", softmax],
  ["ZeroPadding2D", zeroPadding],
  ["GlobalAveragePooling2D", (t) => globalPool(t, "average")],
  ["GlobalAvgPool2D", (t) => globalPool(t, "average")],
  ["GlobalMaxPooling2D", (t) => globalPool(t, "max")],
  ["GlobalMaxPool2D", (t) => globalPool(t, "max")],
  ["AveragePooling2D", (t) => pool(t, "average")],
  ["AvgPool2D", (t) => pool(t, "average")],
  ["MaxPooling2D", (t) => pool(t, "max")],
  ["MaxPool2D", (t) => pool(t, "max")],
  ["Reshape", reshape],
  ["Flatten", flatten],
  ["Permute", permute],
  ["Rescaling", rescaling],
  ["Normalization", normalization],
]);

/** The same numbers at inference: regularisation, and the random changes of training pictures. */
const IDENTITIES = new Set([
  ...["Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization"],
  ...["Identity", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast", "RandomBrightness"],
  ...["RandomTranslation"],
]);

const OPERATORS: ReadonlyMap<string, "add" | "subtract" | "multiply" | "divide"> = new Map([
  ["Add", "add"],
  ["Subtract", "subtract"],
  ["Multiply", "multiply"],
  ["TrueDivide", "divide"],
  ["Divide", "divide"],
  ["math.add", "add"],
  ["math.subtract", "subtract"],
  ["math.multiply", "multiply"],
  ["math.truediv", "divide"],
  ["math.divide", "divide"],
]);

/** Of a sum or product; more come from no network, and each is a node. */
const MOST_OPERANDS = 64;

export function translateLayer(t: LayerTranslation): Translated {
  const { className } = t.call;
  const translate = LAYERS.get(className);
  if (translate !== undefined && t.inputs.length === 1) return translate(t);
  if (IDENTITIES.has(className) && t.inputs.length === 1)
    return { value: t.emit({ type: "identity" }, t.inputs), shape: t.shape };
  // A TensorFlow function called on a layer's result; its name stands in the configuration.
  const operation = className === "TFOpLambda" && typeof t.config.function === "string" ? t.config.function : className;
  const operator = OPERATORS.get(operation);
  const count = t.call.arguments.length;
  const isSum = operator === "add" || operator === "multiply";
  if (operator !== undefined && t.inputs.length > 0 && (count === 2 || (isSum && count > 2 && count <= MOST_OPERANDS)))
    return arithmetic(t, operator);
  return { value: t.emit({ type: "other", name: shorten(operation, 100) }, t.inputs), shape: undefined };
}

/** Strides, dilations and padding of a convolution. */
function windowSettings(t: LayerTranslation) {
  const { strides, subsample, dilation_rate } = t.config;
  refuseChannelsFirst(t);
  return {
    strides: pair(t, "strides", strides ?? subsample ?? 1),
    dilations: pair(t, "dilation_rate", dilation_rate ?? 1),
    padding: windowPadding(t),
  };
}

function biasOf(t: LayerTranslation): readonly string[] {
  return hasFlag(t.config.use_bias ?? t.config.bias) ? [t.weight(["bias"], 1)] : [];
}

function convolution(t: LayerTranslation, layout: KernelLayout, names: readonly string[]): Translated {
  const { config } = t;
  const window = windowSettings(t);
  const groups = layout === "HWIM" ? 1 : count(t, "groups", config.groups ?? 1);
  const kernel = t.weight(names, 4);
  const bias = biasOf(t);
  const operation: GraphOperation = { type: "convolution", layout, ...window, groups };
  const value = t.emit(operation, [...t.inputs, kernel, ...bias]);
  const [kh = 0, kw = 0, channels = 0, multiplier = 0] =
    names.map((name) => t.weights.get(name)).find(Boolean)?.shape ?? [];
  const filters = layout === "HWIM" ? channels * multiplier : multiplier;
  const shape = shapeAfter(t, { kernel: [kh, kw], ...window }, filters);
  return { value: activate(t, value, config.activation), shape };
}

/** A depthwise convolution, which has the window, then a pointwise one, which has the bias and the activation. */
function separableConvolution(t: LayerTranslation): Translated {
  const window = windowSettings(t);
  const depthwise: GraphOperation = { type: "convolution", layout: "HWIM", ...window, groups: 1 };
  const between = t.emit(depthwise, [...t.inputs, t.weight(["depthwise_kernel"], 4)], "depthwise");
  const pointwise: GraphOperation = {
    type: "convolution",
    layout: "HWIO",
    strides: [1, 1],
    dilations: [1, 1],
    padding: "valid",
    groups: 1,
  };
  const value = t.emit(pointwise, [between, t.weight(["pointwise_kernel"], 4), ...biasOf(t)]);
  const [kh = 0, kw = 0] = t.weights.get("depthwise_kernel")?.shape ?? [];
  const [height, width, , filters] = t.weights.get("pointwise_kernel")?.shape ?? [];
  if (height !== 1 || width !== 1) {
    throw configCorrupt(t.file, `layer ${quoted(t.call.path)}: pointwise_kernel`, {
      expected: "a window of 1 × 1",
      found: `${height} × ${width}`,
    });
  }
  const shape = shapeAfter(t, { kernel: [kh, kw], ...window }, filters);
  return { value: activate(t, value, t.config.activation), shape };
}

function dense(t: LayerTranslation): Translated {
  const kernel = t.weight(["kernel"], 2);
  const bias = biasOf(t);
  const value = t.emit({ type: "dense", transposed: false }, [...t.inputs, kernel, ...bias]);
  const units = t.weights.get("kernel")?.shape[1];
  return { value: activate(t, value, t.config.activation), shape: t.shape && [...t.shape.slice(0, -1), units] };
}

function batchNormalization(t: LayerTranslation): Translated {
  const { config, shape } = t;
  const axes = numbersIn(config.axis ?? -1) ?? [];
  // Axes count the batch, which `shape` leaves out; features that are pooled have the axis 1.
  const last = shape === undefined ? 3 : shape.length;
  if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== last))
    throw settingUnknown(t, "axis", "the last one, of channels", config.axis);
  const epsilon = numberIn(config.epsilon ?? 0.001);
  if (epsilon === undefined || !(epsilon >= 0)) throw settingUnknown(t, "epsilon", "a number", config.epsilon);
  const gamma = hasFlag(config.scale) ? t.weight(["gamma"], 1) : "";
  const beta = hasFlag(config.center) ? t.weight(["beta"], 1) : "";
  const mean = t.weight(["moving_mean"], 1);
  const variance = t.weight(["moving_variance"], 1);
  return { value: t.emit({ type: "batchNorm", epsilon }, [...t.inputs, gamma, beta, mean, variance]), shape };
}

/** The node of an activation function, or no node for a linear one of another layer. */
function activate(t: LayerTranslation, value: string, activation: unknown): string {
  const isOwnLayer = t.call.className === "Activation";
  const name = activationNamed(activation);
  if (name === "linear" && !isOwnLayer) return value;
  const operation = activationOperation(t, name, activation);
  return t.emit(operation, [value], isOwnLayer ? undefined : shorten(name ?? "activation", 100));
}

function relu(t: LayerTranslation): Translated {
  return { value: t.emit(reluOperation(t.config), t.inputs), shape: t.shape };
}

function leakyRelu(t: LayerTranslation): Translated {
  return { value: t.emit(leakyOperation(t, t.config), t.inputs), shape: t.shape };
}

function softmax(t: LayerTranslation): Translated {
  const axis = numberIn(t.config.axis ?? -1);
  if (axis !== -1 && axis !== t.shape?.length) throw settingUnknown(t, "axis", "the last one", t.config.axis);
  return { value: t.emit({ type: "softmax" }, t.inputs), shape: t.shape };
}

function zeroPadding(t: LayerTranslation): Translated {
  refuseChannelsFirst(t);
  const { padding } = t.config;
  const sides = numbersIn(padding ?? 1) ?? [];
  const [a = 0, b = a, c, d] = sides;
  if (!isNaturals(sides) || ![1, 2, 4].includes(sides.length))
    throw settingUnknown(t, "padding", "whole numbers", padding);
  const resolved: ExplicitPadding =
    c === undefined || d === undefined
      ? [
          [a, a],
          [b, b],
        ]
      : [
          [a, b],
          [c, d],
        ];
  const value = t.emit({ type: "pad", padding: resolved }, t.inputs);
  const [height, width, channels] = t.shape?.length === 3 ? t.shape : [];
  const grown = (side: number | undefined, [before, after]: Pair) => side && side + before + after;
  return {
    value,
    shape: t.shape?.length === 3 ? [grown(height, resolved[0]), grown(width, resolved[1]), channels] : undefined,
  };
}

function globalPool(t: LayerTranslation, kind: "average" | "max"): Translated {
  refuseChannelsFirst(t);
  const channels = t.shape?.at(-1);
  const keeps = t.config.keepdims === true;
  const value = t.emit({ type: "globalPool", kind, ...(keeps && { keepDims: keeps }) }, t.inputs);
  return { value, shape: t.shape && (keeps ? [1, 1, channels] : [channels]) };
}

function pool(t: LayerTranslation, kind: "average" | "max"): Translated {
  refuseChannelsFirst(t);
  const kernel = pair(t, "pool_size", t.config.pool_size ?? 2);
  const strides = pair(t, "strides", t.config.strides ?? kernel);
  const padding = windowPadding(t);
  const operation = poolOperation(t.call.id, { type: "pool", kind, kernel, strides, padding }, sizeOf(t.shape));
  const shape = shapeAfter(t, { kernel, strides, dilations: [1, 1], padding }, t.shape?.[2]);
  return { value: t.emit(operation, t.inputs), shape };
}

/** Height and width, if both are known. */
function sizeOf(shape: OpenShape | undefined): Pair | undefined {
  const [height, width] = shape?.length === 3 ? shape : [];
  return height === undefined || width === undefined ? undefined : [height, width];
}

/** `[height, width, filters]` after a window; open where the image is. */
function shapeAfter(t: LayerTranslation, window: WindowOperation, filters: number | undefined): OpenShape | undefined {
  if (t.shape?.length !== 3) return undefined;
  const [height, width] = windowOutput(t.call.id, sizeOf(t.shape), window) ?? [];
  return [height, width, filters];
}

function reshape(t: LayerTranslation): Translated {
  const sides = numbersIn(t.config.target_shape) ?? [];
  const shape = sides.map((side) => (side > 0 ? side : undefined));
  const form: ReshapeForm = { kind: "sides", sides: [0, ...sides] };
  return { value: t.emit({ type: "reshape", form }, t.inputs), shape: shape.length > 0 ? shape : undefined };
}

function flatten(t: LayerTranslation): Translated {
  refuseChannelsFirst(t);
  const { shape } = t;
  const isKnown = shape?.every((side) => side !== undefined) === true;
  const count = shape?.reduce<number>((product, side) => product * (side ?? 1), 1);
  const value = t.emit({ type: "reshape", form: { kind: "flatten" } }, t.inputs);
  return { value, shape: isKnown ? [count] : undefined };
}

/** An order of axes is only a matter of form where at most one side is longer than 1. */
function permute(t: LayerTranslation): Translated {
  const dims = numbersIn(t.config.dims) ?? [];
  const shape = t.shape && dims.map((dim) => t.shape?.[dim - 1]);
  const isForm =
    dims.every((dim, i) => dim === i + 1) || (shape !== undefined && shape.filter((side) => side !== 1).length <= 1);
  const form: ReshapeForm = { kind: "transpose", order: [0, ...dims] };
  return { value: t.emit(isForm ? { type: "reshape", form } : { type: "other", name: "Permute" }, t.inputs), shape };
}

/** y = x · scale + offset. */
function rescaling(t: LayerTranslation): Translated {
  const scale = numbersIn(t.config.scale);
  const offset = numbersIn(t.config.offset ?? 0);
  if (scale === undefined || offset === undefined)
    throw settingUnknown(t, "scale and offset", "numbers", t.config.scale);
  const scaled = t.emit({ type: "multiply" }, [...t.inputs, vector(t, "scale", scale)]);
  return { value: t.emit({ type: "add" }, [scaled, vector(t, "offset", offset)], "add"), shape: t.shape };
}

/** y = (x − mean) / max(√variance, 1e-7), the two given when the layer was made or learned by `adapt`. */
function normalization(t: LayerTranslation): Translated {
  const mean = numbersIn(t.config.mean) ?? t.weights.get("mean");
  const variance = numbersIn(t.config.variance) ?? t.weights.get("variance");
  if (mean === undefined || variance === undefined || t.config.invert === true) {
    return { value: t.emit({ type: "other", name: "Normalization" }, t.inputs), shape: t.shape };
  }
  const deviation = (values: ArrayLike<number>) =>
    Float32Array.from(values, (value) => Math.max(Math.sqrt(value), 1e-7));
  const means = "read" in mean ? t.constant("mean", mean.shape, () => mean.read()) : vector(t, "mean", mean);
  const shape = "read" in variance ? variance.shape : [variance.length];
  const deviations = t.constant("deviation", shape, () => deviation("read" in variance ? variance.read() : variance));
  const centred = t.emit({ type: "subtract" }, [...t.inputs, means]);
  return { value: t.emit({ type: "divide" }, [centred, deviations], "divide"), shape: t.shape };
}

function arithmetic(t: LayerTranslation, type: "add" | "subtract" | "multiply" | "divide"): Translated {
  const operands = t.call.arguments.map((value) => (typeof value === "number" ? vector(t, "number", [value]) : value));
  const [first = "", second = "", ...others] = operands;
  // The last one has the layer's own name.
  const pairs = [second, ...others];
  const value = pairs.reduce((before, operand, i) => {
    return t.emit({ type }, [before, operand], i === pairs.length - 1 ? undefined : `${i + 1}`);
  }, first);
  return { value, shape: shapeOfAll(t) };
}

/** The shape of a sum or product; of values of different ranks none is known. */
function shapeOfAll({ call, shapes }: LayerTranslation): OpenShape | undefined {
  const [first, ...others] = shapes.filter((_, i) => typeof call.arguments[i] === "string");
  return others.reduce(
    (sum, shape) => (sum !== undefined && sum.length === shape?.length ? broadcastSides(sum, shape) : undefined),
    first,
  );
}

function vector(t: LayerTranslation, part: string, values: readonly number[]): string {
  return t.constant(part, [values.length], () => Float32Array.from(values));
}

/** A flag that is on unless it says otherwise. */
function hasFlag(value: unknown): boolean {
  return value !== false && value !== 0;
}

function refuseChannelsFirst(t: LayerTranslation): void {
  const format = t.config.data_format ?? t.config.dim_ordering;
  if (format === undefined || format === null || format === "channels_last" || format === "tf" || format === "default")
    return;
  throw settingUnknown(t, "data_format", "channels_last", format);
}

function windowPadding(t: LayerTranslation): "same" | "valid" {
  const padding = t.config.padding ?? t.config.border_mode ?? "valid";
  if (padding === "same" || padding === "valid") return padding;
  throw settingUnknown(t, "padding", "same or valid", padding);
}

function pair(t: LayerTranslation, setting: string, value: unknown): Pair {
  const numbers = numbersIn(value) ?? [];
  const [a = 0, b = a] = numbers;
  if (numbers.length <= 2 && Number.isSafeInteger(a) && Number.isSafeInteger(b) && a > 0 && b > 0) return [a, b];
  throw settingUnknown(t, setting, "one or two whole numbers above 0", value);
}

function count(t: LayerTranslation, setting: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw settingUnknown(t, setting, "a whole number above 0", value);
}
