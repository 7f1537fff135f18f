/**
 * QuantizeLinear and DequantizeLinear of ONNX: q = saturate(round(x / scale) + zero point), x = (q − zero point) · scale,
 * with one scale for a tensor or one for each place along an axis.
 */

import { quoted } from "../../core/file-error.ts";
import { elementCount } from "../../core/tensor.ts";
import type { GraphConstant, ValueQuantization } from "../graph.ts";
import { derived, type GraphBuilder, senseless, step, type Translation } from "../protobuf/graph-builder.ts";
import type { StoredDType } from "../stored-tensor.ts";
import type { OnnxNode } from "./node.ts";

/** Names of the types, and their ranges. */
const INTEGERS: { readonly [Type in StoredDType]?: readonly [name: string, least: number, greatest: number] } = {
  U8: ["uint8", 0, 255],
  I8: ["int8", -128, 127],
  U16: ["uint16", 0, 65535],
  I16: ["int16", -32768, 32767],
  I32: ["int32", -(2 ** 31), 2 ** 31 - 1],
};

/** Constants become their values; for other values the scale is noted and the numbers stay what they stand for. */
export function dequantizeLinear(
  node: OnnxNode,
  graph: GraphBuilder,
  dtypes: ReadonlyMap<string, StoredDType>,
): Translation | undefined {
  const [x = ""] = node.inputs;
  const source = graph.constant(x);
  const quantization = quantizationOf(node, graph, dtypes, dtypes.get(x) ?? "U8");
  if (quantization === undefined) return undefined;
  if (source === undefined) {
    graph.quantization.set(x, quantization);
    return step({ type: "identity" }, x);
  }
  const { scale, zeroPoint } = quantization;
  const placeOf = places(node, graph, source, quantization);
  graph.quantization.set(node.outputs[0] ?? "", quantization);
  const dequantize = (q: number, i: number) => {
    const place = placeOf(i);
    return (q - (zeroPoint[place] ?? 0)) * (scale[place] ?? 1);
  };
  return derived(source, source.shape, (values) => values.map(dequantize));
}

/** @param dtypes also gets the type of a constant that is quantized in the graph */
export function quantizeLinear(
  node: OnnxNode,
  graph: GraphBuilder,
  dtypes: Map<string, StoredDType>,
): Translation | undefined {
  const [x = "", , zero = ""] = node.inputs;
  const [result = ""] = node.outputs;
  const dtype = dtypes.get(zero) ?? "U8";
  const quantization = quantizationOf(node, graph, dtypes, dtype);
  const [, least, greatest] = INTEGERS[dtype] ?? [];
  if (quantization === undefined || least === undefined || greatest === undefined) return undefined;
  const source = graph.constant(x);
  if (source === undefined) {
    graph.quantization.set(result, quantization);
    return step({ type: "identity" }, x);
  }
  dtypes.set(result, dtype);
  const { scale, zeroPoint } = quantization;
  const placeOf = places(node, graph, source, quantization);
  const quantize = (value: number, i: number) => {
    const place = placeOf(i);
    const q = roundHalfToEven(value / (scale[place] ?? 1)) + (zeroPoint[place] ?? 0);
    return Math.min(Math.max(q, least), greatest);
  };
  return derived(source, source.shape, (values) => values.map(quantize));
}

/** Scales and zero points of a node, if they are constants and not of the kind with blocks. */
function quantizationOf(
  node: OnnxNode,
  graph: GraphBuilder,
  dtypes: ReadonlyMap<string, StoredDType>,
  dtype: StoredDType,
): ValueQuantization | undefined {
  const [, scaleName, zeroName = ""] = node.inputs;
  const scales = graph.constant(scaleName);
  const zeros = zeroName === "" ? undefined : graph.constant(zeroName);
  const isInBlocks = (node.attributes.get("block_size")?.i ?? 0) !== 0 || (scales?.shape.length ?? 0) > 1;
  if (scales === undefined || isInBlocks || (zeroName !== "" && zeros === undefined)) return undefined;
  graph.charge(8 * elementCount(scales.shape), `scales of node ${quoted(node.name)}`);
  const scale = graph.numbers(scaleName, Infinity) ?? [];
  const zeroPoint = zeros === undefined ? scale.map(() => 0) : (graph.numbers(zeroName, Infinity) ?? []);
  if (scale.length === 0 || zeroPoint.length !== scale.length) {
    throw senseless(node, graph, "zero point", `${scale.length} numbers, as many as scales`, [zeroPoint.length]);
  }
  const [name = "uint8"] = INTEGERS[dtypes.get(zeroName) ?? dtype] ?? [];
  const axis = scale.length === 1 ? {} : { axis: node.attributes.get("axis")?.i ?? 1 };
  return { dtype: name, scale, zeroPoint, ...axis };
}

/** Which scale belongs to an element of a constant. */
function places(
  node: OnnxNode,
  graph: GraphBuilder,
  { shape }: GraphConstant,
  { scale, axis }: ValueQuantization,
): (index: number) => number {
  if (axis === undefined) return () => 0;
  const at = axis < 0 ? axis + shape.length : axis;
  if (shape[at] !== scale.length) {
    throw senseless(node, graph, "scale", `${shape[at] ?? "one for each place of axis"} numbers`, [scale.length]);
  }
  const stride = elementCount(shape.slice(at + 1));
  return (index) => Math.floor(index / stride) % scale.length;
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
