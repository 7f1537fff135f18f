/** TensorFlow's operations in the vocabulary of `ModelGraph`. Source: the op definitions of TensorFlow 1.15 and 2.16. */

import { poolOperation } from "../feature-map-sizes.ts";
import type { GraphOperation } from "../graph.ts";
import { cast } from "../protobuf/cast.ts";
import {
  derived,
  type GraphBuilder,
  type GraphStep,
  type Operator,
  reading,
  reshaped,
  senseless,
  step,
  sumSteps,
  type Translation,
  translateBy,
  transposed,
} from "../protobuf/graph-builder.ts";
import type { StoredDType } from "../stored-tensor.ts";
import { explicit, floatAttribute, paddingOf, requireNhwc, windowSides } from "./graph-def-attributes.ts";
import { fakeQuantization, rangeQuantization } from "./graph-def-quantization.ts";
import type { GraphDefNode } from "./node.ts";

/** Inputs as values: control inputs left out, `:0` dropped. */
type Translate = (node: GraphDefNode, graph: GraphBuilder) => Translation | undefined;

/**
 * What a node becomes.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for a node with too few or too many inputs, or senseless attributes;
 *         `ARCHITECTURE_UNKNOWN` for NCHW
 */
export function translateGraphDefNode(node: GraphDefNode, graph: GraphBuilder): Translation {
  return translateBy(OPERATIONS, node, graph, graph);
}

const identity = reading(1, { type: "identity" });
const relu = reading(1, { type: "activation", function: "relu" });
const relu6 = reading(1, { type: "activation", function: "relu6" });
const add = reading(2, { type: "add" });

const OPERATIONS = new Map<string, Operator<GraphDefNode, GraphBuilder>>([
  ["Identity", [1, 1, identity]],
  ["Snapshot", [1, 1, identity]],
  ["StopGradient", [1, 1, identity]],
  ["PreventGradient", [1, 1, identity]],
  ["CheckNumerics", [1, 1, identity]],
  ["Cast", [1, 1, castTo]],
  ["FakeQuantWithMinMaxVars", [3, 3, fakeQuantize]],
  ["FakeQuantWithMinMaxArgs", [1, 1, identity]],
  ["FakeQuantWithMinMaxVarsPerChannel", [3, 3, identity]],
  ["Conv2D", [2, 2, convolution]],
  ["_FusedConv2D", [2, Infinity, fused(convolution)]],
  ["DepthwiseConv2dNative", [2, 2, depthwiseConvolution]],
  ["FusedDepthwiseConv2dNative", [2, Infinity, fused(depthwiseConvolution)]],
  ["_FusedDepthwiseConv2dNative", [2, Infinity, fused(depthwiseConvolution)]],
  ["MatMul", [2, 2, dense]],
  ["_FusedMatMul", [2, Infinity, fused(dense)]],
  ["BiasAdd", [2, 2, addBias]],
  ["BiasAddV1", [2, 2, add]],
  ["Add", [2, 2, add]],
  ["AddV2", [2, 2, add]],
  ["AddN", [1, Infinity, addAll]],
  ["Sub", [2, 2, reading(2, { type: "subtract" })]],
  ["Mul", [2, 2, reading(2, { type: "multiply" })]],
  ["RealDiv", [2, 2, reading(2, { type: "divide" })]],
  ["Div", [2, 2, reading(2, { type: "divide" })]],
  ["Rsqrt", [1, 1, reading(1, { type: "rsqrt" })]],
  ["FusedBatchNorm", [5, 5, batchNorm]],
  ["FusedBatchNormV2", [5, 5, batchNorm]],
  ["FusedBatchNormV3", [5, 5, batchNorm]],
  ["Relu", [1, 1, relu]],
  ["Relu6", [1, 1, relu6]],
  ["LeakyRelu", [1, 1, (node) => step(leakyRelu(floatAttribute(node, "alpha")), ...node.inputs.slice(0, 1))]],
  ["Pad", [2, 2, pad]],
  ["PadV2", [3, 3, pad]],
  ["AvgPool", [1, 1, pool("average")]],
  ["MaxPool", [1, 1, pool("max")]],
  ["Mean", [2, 2, reduce("average")]],
  ["Max", [2, 2, reduce("max")]],
  ["Reshape", [2, 2, reshape]],
  ["Squeeze", [1, 1, squeeze]],
  ["ExpandDims", [1, 2, expandDims]],
  ["Transpose", [2, 2, transpose]],
  ["Softmax", [1, 1, reading(1, { type: "softmax" })]],
  ["Dequantize", [3, 3, dequantize]],
]);

const TYPES: ReadonlyMap<string, StoredDType> = new Map([
  ["DT_FLOAT", "F32"],
  ["DT_DOUBLE", "F64"],
  ["DT_HALF", "F16"],
  ["DT_BFLOAT16", "BF16"],
  ["DT_INT8", "I8"],
  ["DT_UINT8", "U8"],
  ["DT_INT16", "I16"],
  ["DT_UINT16", "U16"],
  ["DT_INT32", "I32"],
  ["DT_INT64", "I64"],
  ["DT_BOOL", "BOOL"],
]);

function castTo({ inputs: [x = ""], attributes }: GraphDefNode, graph: GraphBuilder): Translation {
  const type = attributes.get("DstT")?.type ?? "no type";
  return cast(x, TYPES.get(type), type, graph);
}

function convolution(node: GraphDefNode, graph: GraphBuilder): readonly GraphStep[] {
  return window(node, graph, "HWIO");
}

function depthwiseConvolution(node: GraphDefNode, graph: GraphBuilder): readonly GraphStep[] {
  return window(node, graph, "HWIM");
}

function window(node: GraphDefNode, graph: GraphBuilder, layout: "HWIO" | "HWIM"): readonly GraphStep[] {
  requireNhwc(node, graph);
  const strides = windowSides(node, graph, "strides");
  const dilations = node.attributes.has("dilations") ? windowSides(node, graph, "dilations") : ([1, 1] as const);
  const padding = paddingOf(node, graph);
  return step({ type: "convolution", layout, strides, dilations, padding, groups: 1 }, ...node.inputs.slice(0, 2));
}

function dense(node: GraphDefNode): readonly GraphStep[] | undefined {
  const isSet = (name: string) => node.attributes.get(name)?.b === true;
  if (isSet("transpose_a")) return undefined;
  return step({ type: "dense", transposed: isSet("transpose_b") }, ...node.inputs.slice(0, 2));
}

const MAX_FUSED = 8;

/** `fused_ops` names what follows; each takes its operands from the inputs after the kernel. */
function fused(translate: (node: GraphDefNode, graph: GraphBuilder) => readonly GraphStep[] | undefined): Translate {
  return (node, graph) => {
    const steps = [...(translate(node, graph) ?? [])];
    if (steps.length === 0) return undefined;
    const operands = node.inputs.slice(2);
    const take = (count: number) => {
      const taken = operands.splice(0, count);
      if (taken.length === count) return taken;
      throw senseless(node, graph, "inputs", "an operand for each of fused_ops", `${node.inputs.length} inputs`);
    };
    const names = node.attributes.get("fused_ops")?.list?.s ?? [];
    if (names.length > MAX_FUSED) throw senseless(node, graph, "fused_ops", `at most ${MAX_FUSED}`, `${names.length}`);
    for (const name of names) {
      switch (name) {
        case "BiasAdd":
        case "Add":
          steps.push({ operation: { type: "add" }, inputs: take(1) });
          break;
        case "FusedBatchNorm":
          steps.push({
            operation: { type: "batchNorm", epsilon: floatAttribute(node, "epsilon") ?? 0.0001 },
            inputs: take(4),
          });
          break;
        case "Relu":
          steps.push({ operation: { type: "activation", function: "relu" }, inputs: [] });
          break;
        case "Relu6":
          steps.push({ operation: { type: "activation", function: "relu6" }, inputs: [] });
          break;
        case "LeakyRelu":
          steps.push({ operation: leakyRelu(floatAttribute(node, "leakyrelu_alpha")), inputs: [] });
          break;
        default:
          steps.push({ operation: { type: "other", name }, inputs: operands.splice(0) });
      }
    }
    return steps;
  };
}

function leakyRelu(alpha: number | undefined): GraphOperation {
  return { type: "activation", function: "leakyRelu", slope: alpha ?? 0.2 };
}

function addBias(node: GraphDefNode, graph: GraphBuilder): Translation | undefined {
  requireNhwc(node, graph);
  return add(node);
}

function addAll(node: GraphDefNode): Translation | undefined {
  return node.inputs.length === 1 ? identity(node) : sumSteps(node.inputs);
}

function batchNorm(node: GraphDefNode, graph: GraphBuilder): Translation {
  requireNhwc(node, graph);
  const isTraining = node.attributes.get("is_training");
  // The statistics of the batch at hand, which no constant can replace. True is what the attribute is if left out.
  if (isTraining === undefined || isTraining.b === true) {
    return step({ type: "other", name: `${node.op} in training mode` }, ...node.inputs);
  }
  const epsilon = floatAttribute(node, "epsilon") ?? 0.0001;
  return step({ type: "batchNorm", epsilon }, ...node.inputs.slice(0, 5));
}

function pad(node: GraphDefNode, graph: GraphBuilder): Translation | undefined {
  const [x = "", pads, value] = node.inputs;
  const isZero = value === undefined || graph.numbers(value)?.every((number) => number === 0) === true;
  const padding = explicit(graph.numbers(pads));
  return isZero && padding !== undefined ? step({ type: "pad", padding }, x) : undefined;
}

function pool(kind: "average" | "max"): Translate {
  return (node, graph) => {
    requireNhwc(node, graph);
    const [x = ""] = node.inputs;
    const strides = windowSides(node, graph, "strides");
    const operation = { type: "pool", kind, kernel: windowSides(node, graph, "ksize"), strides } as const;
    const size = graph.sizes.of(x);
    return step(poolOperation(node.name, { ...operation, padding: paddingOf(node, graph) }, size), x);
  };
}

function reduce(kind: "average" | "max"): Translate {
  return (node, graph) => {
    const axes = graph.numbers(node.inputs[1])?.map((axis) => (axis < 0 ? axis + 4 : axis));
    const isSpatial = axes?.length === 2 && axes.includes(1) && axes.includes(2);
    const keepDims = node.attributes.get("keep_dims")?.b === true;
    return isSpatial
      ? step({ type: "globalPool", kind, ...(keepDims && { keepDims }) }, node.inputs[0] ?? "")
      : undefined;
  };
}

function reshape(node: GraphDefNode, graph: GraphBuilder): Translation {
  const [x = "", shape] = node.inputs;
  const source = graph.constant(x);
  const sidesOf = graph.numbers(shape);
  const constant = source && sidesOf && reshaped(source, sidesOf);
  return constant ?? step(sidesOf === undefined ? { type: "reshape" } : reshapeTo(sidesOf), x);
}

const reshapeTo = (sides: readonly number[]): GraphOperation => ({ type: "reshape", form: { kind: "sides", sides } });

function squeeze({ attributes, inputs }: GraphDefNode): Translation {
  const axes = (attributes.get("squeeze_dims") ?? attributes.get("axis"))?.list?.i ?? [];
  return step({ type: "reshape", form: { kind: "squeeze", axes } }, ...inputs);
}

function expandDims({ inputs: [x = "", axis] }: GraphDefNode, graph: GraphBuilder): Translation {
  const axes = graph.numbers(axis);
  return step(axes === undefined ? { type: "reshape" } : { type: "reshape", form: { kind: "unsqueeze", axes } }, x);
}

function transpose(node: GraphDefNode, graph: GraphBuilder): Translation | undefined {
  const [x = "", order] = node.inputs;
  const source = graph.constant(x);
  const axes = graph.numbers(order);
  if (source !== undefined) return axes && transposed(source, axes);
  // Only the channels may move: height and width in another order are another picture.
  const isPoint = graph.sizes.of(x)?.every((side) => side === 1) === true;
  const keepsOrder = axes === undefined || axes.length !== 4 || axes.indexOf(1) < axes.indexOf(2);
  const form = axes === undefined ? {} : { form: { kind: "transpose", order: axes } as const };
  return isPoint || keepsOrder ? step({ type: "reshape", ...form }, x) : undefined;
}

function dequantize(node: GraphDefNode, graph: GraphBuilder): Translation | undefined {
  const [x, least, greatest] = node.inputs;
  const source = graph.constant(x);
  const [min] = graph.numbers(least) ?? [];
  const [max] = graph.numbers(greatest) ?? [];
  const { attributes } = node;
  const isPerChannel = (attributes.get("axis")?.i ?? -1) !== -1;
  if (source === undefined || min === undefined || max === undefined || isPerChannel) return undefined;
  if (min === max) return derived(source, source.shape, (values) => values.map(() => min));
  const mode = attributes.get("mode")?.s ?? "MIN_COMBINED";
  const quantization = rangeQuantization({ min, max }, attributes.get("T")?.type ?? "", mode);
  if (quantization === undefined) return undefined;
  graph.quantization.set(node.name, quantization);
  const {
    scale: [scale = 1],
    zeroPoint: [zero = 0],
  } = quantization;
  return derived(source, source.shape, (values) => values.map((q) => (q - zero) * scale));
}

function fakeQuantize(node: GraphDefNode, graph: GraphBuilder): Translation | undefined {
  const [, least, greatest] = node.inputs;
  const [min] = graph.numbers(least) ?? [];
  const [max] = graph.numbers(greatest) ?? [];
  const bits = node.attributes.get("num_bits")?.i ?? 8;
  if (min !== undefined && max !== undefined && min < max && bits >= 2 && bits <= 16) {
    graph.quantization.set(node.name, fakeQuantization({ min, max }, bits));
  }
  return identity(node);
}
