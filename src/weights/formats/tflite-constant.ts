/**
 * Constants of a TFLite file as float32.
 *
 *     real = scale · (q − zero point)
 *
 * with one scale for the tensor or one for each index along an axis; computed in float64, rounded once. Source: the
 * comments of QuantizationParameters in schema.fbs of TensorFlow Lite.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { elementCount, shapeText } from "../../core/tensor.ts";
import { decodeFloat16 } from "../float16.ts";
import type { GraphConstant, ValueQuantization } from "../graph/graph.ts";
import { corruptFile } from "./tflite-flatbuffer.ts";
import type { TfliteTensor } from "./tflite-schema.ts";

interface Encoding {
  readonly bytes: number;
  read(view: DataView, at: number): number;
}

const PLAIN = { scale: [1], zeroPoint: [0], axis: undefined };

/** Little-endian, at any alignment. */
const ENCODINGS: { readonly [dtype: string]: Encoding } = {
  float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  int8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  int16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  int32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  int64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  float16: {
    bytes: 2,
    read: (view, at) => decodeFloat16(new Uint8Array(view.buffer, view.byteOffset + at, 2))[0] ?? 0,
  },
};

/**
 * A constant under the name of its value.
 *
 * The shape is checked here against the bytes; a type that is not read is refused by `read` alone, since a network may
 * hold constants that nobody asks for.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`
 */
export function tfliteConstant(tensor: TfliteTensor, name: string, file: string): GraphConstant {
  const { dtype, shape, data, obstacle } = tensor;
  const encoding = Object.hasOwn(ENCODINGS, dtype) ? ENCODINGS[dtype] : undefined;
  const what = `${file}: constant ${JSON.stringify(name)}`;
  if (shape.some((side) => side < 0)) throw corruptFile(what, `a side below 0 in ${shapeText(shape)}`);
  if (encoding !== undefined && obstacle === undefined && elementCount(shape) * encoding.bytes !== data.length) {
    const expected = `${dtype} ${shapeText(shape)} takes ${elementCount(shape) * encoding.bytes} bytes`;
    throw corruptFile(what, `${expected}, but it has ${data.length}`);
  }
  return {
    name,
    shape,
    read() {
      if (encoding === undefined || obstacle !== undefined) throw unreadable(what, dtype, obstacle);
      // As bits: a NaN keeps its payload.
      if (dtype === "float32") return new Float32Array(data.slice().buffer);
      if (dtype === "float16") return decodeFloat16(data);
      return dequantize(tensor, encoding, what);
    },
  };
}

/** The whole numbers of a small constant, such as a list of axes; undefined for any other value. */
export function integersOf({ dtype, data }: TfliteTensor): readonly number[] | undefined {
  const encoding = dtype === "int32" || dtype === "int64" ? ENCODINGS[dtype] : undefined;
  if (encoding === undefined || data.length === 0 || data.length % encoding.bytes !== 0 || data.length > 256) {
    return undefined;
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length / encoding.bytes }, (_, i) => encoding.read(view, i * encoding.bytes));
}

/** Why what a quantization says does not fit its tensor; undefined if it does. */
export function quantizationFault(
  { scale, zeroPoint, axis }: ValueQuantization,
  shape: readonly number[],
): string | undefined {
  if (zeroPoint.length !== scale.length) return `${scale.length} scales, but ${zeroPoint.length} zero points`;
  if (axis === undefined || shape[axis] === scale.length) return undefined;
  return `${scale.length} scales along dimension ${axis} of ${shapeText(shape)}`;
}

function dequantize(tensor: TfliteTensor, { bytes, read }: Encoding, what: string): Float32Array {
  const { quantization, shape, data } = tensor;
  // Numbers without a scale stand for themselves; float64 has none.
  const { scale, zeroPoint, axis } = (tensor.dtype !== "float64" ? quantization : undefined) ?? PLAIN;
  const fault = quantization && quantizationFault(quantization, shape);
  if (fault !== undefined) throw corruptFile(what, fault);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const result = new Float32Array(elementCount(shape));
  const inner = axis === undefined ? result.length : elementCount(shape.slice(axis + 1));
  for (let start = 0, channel = 0; start < result.length; start += inner, channel = (channel + 1) % scale.length) {
    const step = scale[channel] ?? 1;
    const zero = zeroPoint[channel] ?? 0;
    for (let i = start; i < start + inner; i++) result[i] = step * (read(view, i * bytes) - zero);
  }
  return result;
}

function unreadable(what: string, dtype: string, obstacle: string | undefined): DepthwiseError {
  return new DepthwiseError("FORMAT_UNKNOWN", {
    what,
    expected: `numbers of a type that is read (${Object.keys(ENCODINGS).join(", ")})`,
    found: obstacle === undefined ? dtype : `${dtype}, ${obstacle}`,
    advice: "Convert the model again without this kind of quantization.",
    fields: { dtype },
  });
}
