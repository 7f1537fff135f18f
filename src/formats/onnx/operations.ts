/** ONNX's operators in the vocabulary of `ModelGraph`. Source: ONNX's Operators.md, opsets 7 to 21. */

import { shorten } from "../../core/errors.ts";
import type { Shape } from "../../core/tensor.ts";
import { poolOperation } from "../feature-map-sizes.ts";
import type { ImageLayout } from "../graph.ts";
import { cast } from "../protobuf/cast.ts";
import {
  type GraphBuilder,
  type Operator,
  otherStep,
  reading,
  reshaped,
  senseless,
  step,
  sumSteps,
  type Translation,
  translateBy,
  transposed,
} from "../protobuf/graph-builder.ts";
import { isNaturals, type StoredDType } from "../stored-tensor.ts";
import type { OnnxNode } from "./node.ts";
import { dequantizeLinear, quantizeLinear } from "./quantization.ts";
import { windowOf } from "./window.ts";

export interface Surroundings {
  readonly graph: GraphBuilder;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Of the node's first input. */
  readonly layout: ImageLayout;
  readonly dtypes: Map<string, StoredDType>;
}

type Translate = (node: OnnxNode, surroundings: Surroundings) => Translation | undefined;

/**
 * What a node becomes.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for a node with too few or too many inputs, or senseless attributes;
 *         `ARCHITECTURE_UNKNOWN` for pads that depend on a size that is not stated
 */
export function translateOnnxNode(node: OnnxNode, surroundings: Surroundings): Translation {
  return translateBy(OPERATIONS, node, surroundings.graph, surroundings);
}

const identity = reading(1, { type: "identity" });
const RELU = { type: "activation", function: "relu" } as const;
const RELU6 = { type: "activation", function: "relu6" } as const;

const OPERATIONS = new Map<string, Operator<OnnxNode, Surroundings>>([
  ["Identity", [1, 1, identity]],
  ["Dropout", [1, 3, identity]],
  ["Cast", [1, 1, castTo]],
  ["Conv", [2, 3, convolution]],
  ["BatchNormalization", [5, 5, batchNorm]],
  ["Relu", [1, 1, reading(1, RELU)]],
  ["Clip", [1, 3, clip]],
  ["LeakyRelu", [1, 1, leakyRelu]],
  ["HardSwish", [1, 1, reading(1, { type: "activation", function: "hardSwish" })]],
  ["HardSigmoid", [1, 1, hardSigmoid]],
  ["Gemm", [2, 3, gemm]],
  ["MatMul", [2, 2, matMul]],
  ["Add", [2, 2, reading(2, { type: "add" })]],
  ["Sub", [2, 2, reading(2, { type: "subtract" })]],
  ["Mul", [2, 2, reading(2, { type: "multiply" })]],
  ["Div", [2, 2, reading(2, { type: "divide" })]],
  ["Sum", [1, Infinity, sum]],
  ["Pad", [1, 4, pad]],
  ["GlobalAveragePool", [1, 1, reading(1, { type: "globalPool", kind: "average", keepDims: true })]],
  ["GlobalMaxPool", [1, 1, reading(1, { type: "globalPool", kind: "max", keepDims: true })]],
  ["AveragePool", [1, 1, pool("average")]],
  ["MaxPool", [1, 1, pool("max")]],
  ["ReduceMean", [1, 2, reduce("average")]],
  ["ReduceMax", [1, 2, reduce("max")]],
  ["Flatten", [1, 1, flatten]],
  ["Reshape", [1, 2, reshape]],
  ["Squeeze", [1, 2, along("squeeze")]],
  ["Unsqueeze", [1, 2, along("unsqueeze")]],
  ["Transpose", [1, 1, transpose]],
  ["Softmax", [1, 1, softmax]],
  ["QuantizeLinear", [2, 3, (node, { graph, dtypes }) => quantizeLinear(node, graph, dtypes)]],
  ["DequantizeLinear", [2, 3, (node, { graph, dtypes }) => dequantizeLinear(node, graph, dtypes)]],
]);

/** By the number of TensorProto.DataType. */
const TYPES: readonly (readonly [name: string, dtype?: StoredDType])[] = [
  ["no type"],
  ["FLOAT", "F32"],
  ["UINT8", "U8"],
  ["INT8", "I8"],
  ["UINT16", "U16"],
  ["INT16", "I16"],
  ["INT32", "I32"],
  ["INT64", "I64"],
  ["STRING"],
  ["BOOL", "BOOL"],
  ["FLOAT16", "F16"],
  ["DOUBLE", "F64"],
  ["UINT32"],
  ["UINT64"],
  ["COMPLEX64"],
  ["COMPLEX128"],
  ["BFLOAT16", "BF16"],
];

function castTo({ inputs: [x = ""], attributes }: OnnxNode, { graph }: Surroundings): Translation {
  const to = attributes.get("to")?.i ?? 0;
  const [name, dtype] = TYPES[to] ?? [`type ${to}`];
  return cast(x, dtype, name, graph);
}

/** An operation that would run with other attributes: these are what is wrong with it. */
function otherBy(node: OnnxNode, ...attributes: readonly (readonly [name: string, value: unknown])[]): Translation {
  const texts = attributes.map(([name, value]) => `${name}=${shorten(String(value), 40)}`);
  return otherStep(texts.length === 0 ? node.op : `${node.op} with ${texts.join(" and ")}`, node.inputs);
}

/** As it was written: 0.2 is another number in float32. */
function float(value: number): number {
  return Number(value.toPrecision(7));
}

function convolution(node: OnnxNode, { graph }: Surroundings): Translation | undefined {
  const shape = graph.shape(node.inputs[1]);
  // One of another rank is no convolution of images.
  if (shape !== undefined && shape.length !== 4) return otherKernel(node, shape);
  const [, , kh, kw] = shape ?? [];
  const window = windowOf(node, graph, kh === undefined || kw === undefined ? undefined : [kh, kw]);
  if (window === undefined) return otherKernel(node, shape);
  const { strides, dilations, padding } = window;
  const groups = node.attributes.get("group")?.i ?? 1;
  if (!Number.isSafeInteger(groups) || groups < 1) throw senseless(node, graph, "group", "at least 1", [groups]);
  const inputs = node.inputs.slice(0, 3).filter((value) => value !== "");
  return step({ type: "convolution", layout: "OIHW", strides, dilations, padding, groups }, ...inputs);
}

/** Its name alone would be that of an operation that does run here. */
function otherKernel({ op, inputs }: OnnxNode, shape: Shape | undefined): Translation {
  const why = shape === undefined ? "whose kernel is computed" : `with a kernel of ${shape.length} sides`;
  return otherStep(`${op} ${why}`, inputs);
}

function batchNorm(node: OnnxNode): Translation {
  const { attributes } = node;
  // The statistics of the batch at hand, which no constant can replace.
  if (attributes.get("training_mode")?.i === 1) {
    return step({ type: "other", name: `${node.op} in training mode` }, ...node.inputs);
  }
  return step({ type: "batchNorm", epsilon: attributes.get("epsilon")?.f ?? 1e-5 }, ...node.inputs.slice(0, 5));
}

/** Bounds are attributes up to opset 10, inputs from 11 on; either may be left out. */
function clip(node: OnnxNode, { graph }: Surroundings): Translation | undefined {
  const [x = "", low = "", high = ""] = node.inputs;
  const bound = (input: string, attribute: string, otherwise: number) =>
    input === "" ? (node.attributes.get(attribute)?.f ?? otherwise) : graph.numbers(input)?.[0];
  const min = bound(low, "min", -Infinity);
  const max = bound(high, "max", Infinity);
  if (min === undefined || max === undefined) return undefined;
  const isUnbounded = max >= FLOAT32_MAX;
  if (min === 0 && max === 6) return step(RELU6, x);
  if (min === 0 && isUnbounded) return step(RELU, x);
  if (min <= -FLOAT32_MAX && isUnbounded) return step({ type: "identity" }, x);
  const bounds = [["min", float(min)] as const, ["max", float(max)] as const];
  return otherBy(node, ...bounds.filter(([, bound]) => Math.abs(bound) < FLOAT32_MAX));
}

/** What exporters write for "no bound". */
const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

function leakyRelu(node: OnnxNode): Translation {
  const slope = node.attributes.get("alpha")?.f ?? Math.fround(0.01);
  return step({ type: "activation", function: "leakyRelu", slope }, node.inputs[0] ?? "");
}

/** Another slope than ours by default: max(0, min(1, 0.2 x + 0.5)). */
function hardSigmoid(node: OnnxNode): Translation {
  const [alpha, beta] = [node.attributes.get("alpha")?.f ?? 0.2, node.attributes.get("beta")?.f ?? 0.5];
  if (Math.fround(alpha) !== Math.fround(1 / 6)) return otherBy(node, ["alpha", float(alpha)]);
  if (beta !== 0.5) return otherBy(node, ["beta", float(beta)]);
  return step({ type: "activation", function: "hardSigmoid" }, node.inputs[0] ?? "");
}

function gemm(node: OnnxNode): Translation {
  const { attributes } = node;
  const inputs = node.inputs.slice(0, 3).filter((value) => value !== "");
  const isTransposed = (name: string) => (attributes.get(name)?.i ?? 0) !== 0;
  if (isTransposed("transA")) return otherBy(node, ["transA", 1]);
  for (const name of inputs.length === 3 ? ["alpha", "beta"] : ["alpha"]) {
    const factor = attributes.get(name)?.f ?? 1;
    if (factor !== 1) return otherBy(node, [name, float(factor)]);
  }
  return step({ type: "dense", transposed: isTransposed("transB") }, ...inputs);
}

function matMul(node: OnnxNode, { graph }: Surroundings): Translation {
  const [x = "", kernel = ""] = node.inputs;
  const shape = graph.shape(kernel);
  return shape?.length === 2 ? step({ type: "dense", transposed: false }, x, kernel) : otherKernel(node, shape);
}

function sum(node: OnnxNode): Translation | undefined {
  return node.inputs.length === 1 ? identity(node) : sumSteps(node.inputs);
}

/** Pads and value are attributes up to opset 10, inputs from 11 on; the axes they are for may be named from 18 on. */
function pad(node: OnnxNode, { graph, layout }: Surroundings): Translation | undefined {
  const [x = "", padsName = "", valueName = "", axesName = ""] = node.inputs;
  const { attributes } = node;
  const mode = attributes.get("mode")?.s ?? "constant";
  const pads = padsName === "" ? attributes.get("pads")?.ints : graph.numbers(padsName);
  const value = valueName === "" ? (attributes.get("value")?.f ?? 0) : graph.numbers(valueName)?.[0];
  const axes = axesName === "" ? [0, 1, 2, 3] : graph.numbers(axesName)?.map((axis) => (axis < 0 ? axis + 4 : axis));
  if (mode !== "constant") return otherBy(node, ["mode", mode]);
  if (value !== 0 || pads === undefined || axes === undefined) return undefined;
  if (pads.length !== 2 * axes.length || !isNaturals(pads)) return undefined;
  const spatial: readonly number[] = layout === "NCHW" ? [2, 3] : [1, 2];
  const side = (axis: number) => {
    const at = axes.indexOf(axis);
    return at === -1 ? ([0, 0] as const) : ([pads[at] ?? 0, pads[at + axes.length] ?? 0] as const);
  };
  if ([0, 1, 2, 3].some((axis) => !spatial.includes(axis) && side(axis).some((pixels) => pixels !== 0)))
    return undefined;
  const [vertical = 0, horizontal = 0] = spatial;
  return step({ type: "pad", padding: [side(vertical), side(horizontal)], layout }, x);
}

function pool(kind: "average" | "max"): Translate {
  return (node, { graph }) => {
    const window = windowOf(node, graph, undefined);
    if (window === undefined) return undefined;
    const { kernel, strides, dilations, padding } = window;
    if (dilations.some((side) => side !== 1)) return otherBy(node, ["dilations", dilations]);
    const [x = ""] = node.inputs;
    const operation = poolOperation(node.name, { type: "pool", kind, kernel, strides, padding }, graph.sizes.of(x));
    if (operation.type === "globalPool") return step(operation, x);
    const isSet = (name: string) => (node.attributes.get(name)?.i ?? 0) !== 0;
    const isPadded = typeof padding !== "string" && padding.flat().some((side) => side !== 0);
    const countsPads = kind === "average" && isSet("count_include_pad") && (isPadded || padding === "same");
    if (isSet("ceil_mode")) return otherBy(node, ["ceil_mode", 1]);
    return countsPads ? otherBy(node, ["count_include_pad", 1]) : step(operation, x);
  };
}

/** Axes are an attribute up to opset 17, an input from 18 on. */
function reduce(kind: "average" | "max"): Translate {
  return (node, { graph, layout }) => {
    const [x = "", axesName = ""] = node.inputs;
    const given = axesName === "" ? node.attributes.get("axes")?.ints : graph.numbers(axesName);
    const axes = given?.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
    const keepDims = (node.attributes.get("keepdims")?.i ?? 1) !== 0;
    const isImage = axes?.join() === (layout === "NCHW" ? "2,3" : "1,2");
    if (isImage) return step({ type: "globalPool", kind, ...(keepDims && { keepDims }), layout }, x);
    return axes === undefined ? undefined : otherBy(node, ["axes", given]);
  };
}

function reshape(node: OnnxNode, { graph }: Surroundings): Translation {
  const [x = "", shape] = node.inputs;
  const source = graph.constant(x);
  // A side of 0 is the source's own.
  const sides = graph.numbers(shape)?.map((side, axis) => (side === 0 ? (source?.shape[axis] ?? 0) : side));
  const constant = source && sides && reshaped(source, sides);
  const stated = graph.numbers(shape) ?? (shape === undefined ? node.attributes.get("shape")?.ints : undefined);
  return (
    constant ??
    step(stated === undefined ? { type: "reshape" } : { type: "reshape", form: { kind: "sides", sides: stated } }, x)
  );
}

/** All behind the batch in a row: another axis than the first would join it with the batch, or leave rows. */
function flatten(node: OnnxNode): Translation {
  const axis = node.attributes.get("axis")?.i ?? 1;
  if (axis !== 1) return otherBy(node, ["axis", axis]);
  return step({ type: "reshape", form: { kind: "flatten" } }, node.inputs[0] ?? "");
}

/** Axes are an attribute up to opset 12, an input from 13 on. */
function along(kind: "squeeze" | "unsqueeze"): Translate {
  return (node, { graph }) => {
    const [x = "", axesName = ""] = node.inputs;
    const axes = axesName === "" ? (node.attributes.get("axes")?.ints ?? []) : graph.numbers(axesName);
    return step(axes === undefined ? { type: "reshape" } : { type: "reshape", form: { kind, axes } }, x);
  };
}

/** Up to opset 12 over all behind the batch, from 13 on over the last axis, if not said. */
function softmax({ attributes, inputs }: OnnxNode, { opset }: Surroundings): Translation {
  return step({ type: "softmax", axis: attributes.get("axis")?.i ?? (opset < 13 ? 1 : -1) }, ...inputs);
}

function transpose(node: OnnxNode, { graph, layout }: Surroundings): Translation | undefined {
  const [x = ""] = node.inputs;
  const source = graph.constant(x);
  const perm = node.attributes.get("perm")?.ints;
  if (source !== undefined) return transposed(source, perm ?? source.shape.map((_, axis) => axis).reverse());
  // Only the channels may move: height and width in another order are another picture.
  const [height, width] = layout === "NCHW" ? ([2, 3] as const) : ([1, 2] as const);
  const isPoint = graph.sizes.of(x)?.every((side) => side === 1) === true;
  const keepsOrder = perm === undefined || perm.length !== 4 || perm.indexOf(height) < perm.indexOf(width);
  const order = perm ?? [3, 2, 1, 0];
  return isPoint || keepsOrder ? step({ type: "reshape", form: { kind: "transpose", order } }, x) : undefined;
}
