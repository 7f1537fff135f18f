/**
 * Ranges of TensorFlow's quantized values: the least and the greatest value that whole numbers stand for.
 *
 * The Graph Transform Tool (`quantize_weights`) leaves constants of 8 bits with such a range. q counted from the lowest
 * whole number on:
 *
 *     MIN_COMBINED   min + q · (max − min) / 255
 *     MIN_FIRST      round(min / scale) · scale + q · scale,   scale = (max − min) / 255
 *
 * Source: TensorFlow, documentation of `tf.quantization.dequantize` and core/kernels/quantization_utils.h.
 */

import type { ValueQuantization } from "../graph.ts";

/** `min` below `max`. */
export interface QuantizedRange {
  readonly min: number;
  readonly max: number;
}

/** Name, lowest whole number and count of steps, by type. */
const TYPES: Readonly<Record<string, { readonly dtype: string; readonly lowest: number; readonly steps: number }>> = {
  DT_QUINT8: { dtype: "uint8", lowest: 0, steps: 255 },
  DT_QINT8: { dtype: "int8", lowest: -128, steps: 255 },
  DT_QUINT16: { dtype: "uint16", lowest: 0, steps: 65535 },
  DT_QINT16: { dtype: "int16", lowest: -32768, steps: 65535 },
};

/**
 * Scale and zero point (not always whole) of a range; undefined for no range, or a type or a mode that is not read.
 *
 * @param type `DT_QUINT8` and others
 */
export function rangeQuantization(
  { min, max }: QuantizedRange,
  type: string,
  mode: string,
): ValueQuantization | undefined {
  const row = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (row === undefined || !(min < max) || (mode !== "MIN_FIRST" && mode !== "MIN_COMBINED")) return undefined;
  const { dtype, lowest, steps } = row;
  const scale = (max - min) / steps;
  const least = mode === "MIN_FIRST" ? roundAwayFromZero(min / Math.fround(scale)) : min / scale;
  return { dtype, scale: [scale], zeroPoint: [lowest - least] };
}

/** TensorFlow's rounding; it takes the scale as a float32 there. */
function roundAwayFromZero(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** Scale and zero point of values that were trained to be quantized to `bits` bits. */
export function fakeQuantization({ min, max }: QuantizedRange, bits: number): ValueQuantization {
  const scale = (max - min) / (2 ** bits - 1);
  return { dtype: bits <= 8 ? "uint8" : "uint16", scale: [scale], zeroPoint: [Math.round(0 - min / scale)] };
}
