/**
 * Operators of TFLite as operations of a graph; what has no counterpart there stays `other` under its own name.
 *
 * Numbers of fields as in schema.fbs of TensorFlow Lite, one list for the options of each operator.
 */

import { damaged } from "../../core/file-error.ts";
import { shortestDecimal } from "../../core/shortest-decimal.ts";
import { poolOperation } from "../feature-map-sizes.ts";
import type { ActivationFunction, GraphOperation, Pair } from "../graph.ts";
import { integersOf } from "./constant.ts";
import { type FlatTable, readFloat32, readInt8, readInt32 } from "./flatbuffer.ts";
import { fusedActivationName } from "./names.ts";
import type { TfliteModel, TfliteOperator, TfliteTensor } from "./schema.ts";

export interface TranslatedOperator {
  readonly operation: GraphOperation;
  /** "RELU6"; "NONE" if nothing is fused. */
  readonly fused: string;
  /** How many of the operator's inputs the operation reads; all, if not said. */
  readonly inputs?: number;
}

interface OperatorSite {
  readonly options: FlatTable | undefined;
  /** For messages. */
  readonly what: string;
  /** The tensor of an input. */
  tensor(input: number): TfliteTensor | undefined;
  /** That of the result. */
  readonly result: TfliteTensor | undefined;
}

type Translate = (site: OperatorSite) => GraphOperation | undefined;

interface Row {
  readonly translate: Translate;
  /** Least and most inputs that an operator of this kind has. */
  readonly counts: readonly [least: number, most: number];
  /** Field of the options that holds the fused activation. */
  readonly fused?: number;
  /** Inputs that carry the numbers; those after them say how, and are in the operation. */
  readonly inputs?: number;
}

const CONVOLUTION = { padding: 0, strideWidth: 1, strideHeight: 2, fused: 3, dilationWidth: 4, dilationHeight: 5 };
const DEPTHWISE = { padding: 0, strideWidth: 1, strideHeight: 2, fused: 4, dilationWidth: 5, dilationHeight: 6 };
const POOL = { padding: 0, strideWidth: 1, strideHeight: 2, width: 3, height: 4, fused: 5 };
const DENSE = { fused: 0, weightsFormat: 1, keepDims: 2 };
const ARITHMETIC = { fused: 0 };
const SOFTMAX = { beta: 0 };
const LEAKY_RELU = { alpha: 0 };
const REDUCE = { keepDims: 0 };

const identity: Row = { counts: [1, 1], translate: () => ({ type: "identity" }), inputs: 1 };
const view: Row = { counts: [1, 2], translate: reshape, inputs: 1 };
const activation = (name: ActivationFunction): Row => ({
  counts: [1, 1],
  translate: () => ({ type: "activation", function: name }),
});
const arithmetic = (type: "add" | "subtract" | "multiply" | "divide"): Row => ({
  counts: [2, 2],
  translate: () => ({ type }),
  fused: ARITHMETIC.fused,
});

const ROWS: { readonly [name: string]: Row } = {
  CONV_2D: { counts: [2, 3], translate: convolution, fused: CONVOLUTION.fused },
  DEPTHWISE_CONV_2D: { counts: [2, 3], translate: depthwise, fused: DEPTHWISE.fused },
  FULLY_CONNECTED: { counts: [2, 3], translate: dense, fused: DENSE.fused },
  AVERAGE_POOL_2D: { counts: [1, 1], translate: (site) => pool(site, "average"), fused: POOL.fused },
  MAX_POOL_2D: { counts: [1, 1], translate: (site) => pool(site, "max"), fused: POOL.fused },
  MEAN: { counts: [2, 2], translate: (site) => reduce(site, "average"), inputs: 1 },
  REDUCE_MAX: { counts: [2, 2], translate: (site) => reduce(site, "max"), inputs: 1 },
  RESHAPE: view,
  SQUEEZE: view,
  EXPAND_DIMS: view,
  SOFTMAX: { counts: [1, 1], translate: softmax },
  QUANTIZE: identity,
  DEQUANTIZE: identity,
  ADD: arithmetic("add"),
  SUB: arithmetic("subtract"),
  MUL: arithmetic("multiply"),
  DIV: arithmetic("divide"),
  PAD: { counts: [2, 2], translate: pad, inputs: 1 },
  RELU: activation("relu"),
  RELU6: activation("relu6"),
  HARD_SWISH: activation("hardSwish"),
  LEAKY_RELU: { counts: [1, 1], translate: leakyRelu },
};

/**
 * @throws {DepthwiseError} `FILE_CORRUPT` for too few or too many inputs, no output, or a stride, dilation or window
 *         below 1
 */
export function translateOperator(operator: TfliteOperator, model: TfliteModel, what: string): TranslatedOperator {
  const { name, options, inputs, outputs } = operator;
  const row = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
  const result = model.tensors[outputs[0] ?? -1];
  const operation = row?.translate({ options, what, result, tensor: (input) => model.tensors[inputs[input] ?? -1] });
  if (row !== undefined) checkCounts(operator, row.counts, what);
  if (row === undefined || operation === undefined) return { operation: { type: "other", name }, fused: "NONE" };
  const fused = row.fused === undefined || options === undefined ? 0 : readInt8(options, row.fused, 0);
  return { operation, fused: fusedActivationName(fused), ...(row.inputs === undefined ? {} : { inputs: row.inputs }) };
}

function checkCounts({ name, inputs, outputs }: TfliteOperator, [least, most]: Row["counts"], what: string): void {
  const present = inputs.slice(0, least).filter((index) => index !== -1).length;
  if (present < least) throw damaged(what, `a ${name} reads at least ${least}, and here ${present}`);
  if (inputs.length > most) throw damaged(what, `a ${name} reads at most ${most}, and here ${inputs.length}`);
  if (outputs.length === 0) throw damaged(what, `a ${name} without a result`);
}

function convolution(site: OperatorSite): GraphOperation {
  const channels = site.tensor(0)?.shape.at(-1) ?? 0;
  const kernelChannels = site.tensor(1)?.shape.at(-1) ?? 0;
  // The file does not say how many groups there are: a kernel sees as many channels as it has.
  const isGrouped = kernelChannels > 0 && channels > kernelChannels && channels % kernelChannels === 0;
  const groups = isGrouped ? channels / kernelChannels : 1;
  return { type: "convolution", layout: "OHWI", groups, ...windowOf(site, CONVOLUTION) };
}

function depthwise(site: OperatorSite): GraphOperation {
  return { type: "convolution", layout: "1HWC", groups: 1, ...windowOf(site, DEPTHWISE) };
}

/** Strides, dilations and padding of a convolution. */
function windowOf(site: OperatorSite, fields: typeof CONVOLUTION) {
  return {
    strides: pairOf(site, fields.strideHeight, fields.strideWidth, "stride"),
    dilations: pairOf(site, fields.dilationHeight, fields.dilationWidth, "dilation", 1),
    padding: paddingOf(site, fields.padding),
  };
}

function dense({ options }: OperatorSite): GraphOperation | undefined {
  const isSet = (field: number) => options !== undefined && readInt8(options, field, 0) !== 0;
  if (isSet(DENSE.weightsFormat)) return undefined;
  return { type: "dense", transposed: true, ...(isSet(DENSE.keepDims) ? {} : { flattens: true }) };
}

function pool(site: OperatorSite, kind: "average" | "max"): GraphOperation {
  const kernel = pairOf(site, POOL.height, POOL.width, "window");
  const strides = pairOf(site, POOL.strideHeight, POOL.strideWidth, "stride");
  const padding = paddingOf(site, POOL.padding);
  const { shape = [], signature = [] } = site.tensor(0) ?? {};
  // A side that is left open has some length in the shape, mostly 1.
  const isOpen = signature.length === shape.length && signature.slice(1, 3).some((side) => side < 0);
  const [, height, width] = isOpen ? [] : shape;
  const size = height === undefined || width === undefined ? undefined : ([height, width] as const);
  return poolOperation(site.what, { type: "pool", kind, kernel, strides, padding }, size);
}

/** The result's own shape says what becomes of the sides; one that is left open is not stated. */
function reshape({ result }: OperatorSite): GraphOperation {
  const { shape, signature } = result ?? { shape: [], signature: [] };
  const isOpen = signature.length === shape.length && signature.slice(1).some((side) => side < 0);
  if (shape.length === 0 || isOpen) return { type: "reshape" };
  return { type: "reshape", form: { kind: "sides", sides: shape } };
}

function reduce(site: OperatorSite, kind: "average" | "max"): GraphOperation | undefined {
  const rank = site.tensor(0)?.shape.length ?? 0;
  const axes = integers(site, 1)?.map((axis) => (axis < 0 ? axis + rank : axis));
  const isSpatial = rank === 4 && axes?.length === 2 && axes.includes(1) && axes.includes(2);
  const keepDims = site.options !== undefined && readInt8(site.options, REDUCE.keepDims, 0) !== 0;
  return isSpatial ? { type: "globalPool", kind, ...(keepDims && { keepDims }) } : undefined;
}

function softmax({ options }: OperatorSite): GraphOperation | undefined {
  const beta = options === undefined ? 1 : readFloat32(options, SOFTMAX.beta, 0);
  return beta === 1 ? { type: "softmax" } : undefined;
}

function leakyRelu({ options }: OperatorSite): GraphOperation {
  const slope = options === undefined ? 0 : readFloat32(options, LEAKY_RELU.alpha, 0);
  return { type: "activation", function: "leakyRelu", slope: shortestDecimal(slope) };
}

/** Of the image alone, and known without running the network. */
function pad(site: OperatorSite): GraphOperation | undefined {
  const paddings = integers(site, 1);
  if (paddings?.length !== 8 || paddings.some((side) => side < 0)) return undefined;
  const [batchBefore, batchAfter, top = 0, bottom = 0, left = 0, right = 0, channelsBefore, channelsAfter] = paddings;
  if (batchBefore !== 0 || batchAfter !== 0 || channelsBefore !== 0 || channelsAfter !== 0) return undefined;
  return {
    type: "pad",
    padding: [
      [top, bottom],
      [left, right],
    ],
  };
}

function integers(site: OperatorSite, input: number): readonly number[] | undefined {
  const tensor = site.tensor(input);
  return tensor === undefined ? undefined : integersOf(tensor);
}

function paddingOf({ options }: OperatorSite, field: number): "same" | "valid" {
  return options !== undefined && readInt8(options, field, 0) === 1 ? "valid" : "same";
}

function pairOf({ options, what }: OperatorSite, vertical: number, horizontal: number, noun: string, absent = 0): Pair {
  const read = (field: number) => (options === undefined ? absent : readInt32(options, field, absent));
  const pair = [read(vertical), read(horizontal)] as const;
  if (pair.some((value) => value < 1)) throw damaged(what, `a ${noun} of ${pair.join(" × ")}`);
  return pair;
}
