/**
 * Constants of a TFLite file as float32.
 *
 *     real = scale · (q − zero point)
 *
 * with one scale for the tensor or one for each index along an axis; computed in float64, rounded once. Source: the
 * comments of QuantizationParameters in schema.fbs of TensorFlow Lite.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { damaged, quoted } from "../../core/file-error.ts";
import { elementCount, shapeText } from "../../core/tensor.ts";
import type { GraphConstant, ValueQuantization } from "../graph.ts";
import { DTYPE_BYTES, READ, type Read, type StoredDType, toFloat32 } from "../stored-tensor.ts";
import type { TfliteTensor } from "./schema.ts";

const PLAIN = { scale: [1], zeroPoint: [0], axis: undefined };

/** Types that are read, by their names here. */
const DTYPES: { readonly [dtype: string]: StoredDType } = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  int8: "I8",
  uint8: "U8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
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
  const stored = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
  const what = `${file}: constant ${quoted(name)}`;
  if (shape.some((side) => side < 0)) throw damaged(what, `a side below 0 in ${shapeText(shape)}`);
  const bytes = stored && elementCount(shape) * DTYPE_BYTES[stored];
  if (bytes !== undefined && obstacle === undefined && bytes !== data.length) {
    throw damaged(what, `${dtype} ${shapeText(shape)} takes ${bytes} bytes, but it has ${data.length}`);
  }
  return {
    name,
    shape,
    read() {
      if (stored === undefined || obstacle !== undefined) throw unreadable(what, dtype, obstacle);
      const read = READ[stored];
      // What is a float is never quantized.
      if (read === undefined || stored === "F32") return toFloat32({ name, dtype: stored, shape, bytes: data });
      return dequantize(tensor, read, what);
    },
  };
}

/** The whole numbers of a small constant, such as a list of axes; undefined for any other value. */
export function integersOf({ dtype, data }: TfliteTensor): readonly number[] | undefined {
  const stored = dtype === "int32" ? "I32" : dtype === "int64" ? "I64" : undefined;
  if (stored === undefined || data.length === 0 || data.length > 256) return undefined;
  const count = data.length / DTYPE_BYTES[stored];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Number.isInteger(count) ? Array.from({ length: count }, (_, i) => READ[stored]?.(view, i) ?? 0) : undefined;
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

function dequantize(tensor: TfliteTensor, read: Read, what: string): Float32Array {
  const { quantization, shape, data } = tensor;
  // Numbers without a scale stand for themselves; float64 has none.
  const { scale, zeroPoint, axis } = (tensor.dtype !== "float64" ? quantization : undefined) ?? PLAIN;
  const fault = quantization && quantizationFault(quantization, shape);
  if (fault !== undefined) throw damaged(what, fault);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const result = new Float32Array(elementCount(shape));
  const inner = axis === undefined ? result.length : elementCount(shape.slice(axis + 1));
  for (let start = 0, channel = 0; start < result.length; start += inner, channel = (channel + 1) % scale.length) {
    const step = scale[channel] ?? 1;
    const zero = zeroPoint[channel] ?? 0;
    for (let i = start; i < start + inner; i++) result[i] = step * (read(view, i) - zero);
  }
  return result;
}

function unreadable(what: string, dtype: string, obstacle: string | undefined): DepthwiseError {
  return new DepthwiseError("FORMAT_UNKNOWN", {
    what,
    expected: `numbers of a type that is read (${Object.keys(DTYPES).join(", ")})`,
    found: obstacle === undefined ? dtype : `${dtype}, ${obstacle}`,
    advice: "Convert the model again without this kind of quantization.",
    fields: { dtype },
  });
}
