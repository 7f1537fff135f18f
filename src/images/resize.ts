/**
 * Resizing, once and in integers or plain float64, so that Node and every browser agree to the bit.
 *
 * `antialiased` is Pillow's BILINEAR: a triangle filter that widens when shrinking, horizontal pass first, bytes in
 * between, coefficients in fixed point of 22 bits. Source: Pillow, `src/libImaging/Resample.c` (the arithmetic).
 * `plain` is TensorFlow's and PyTorch's bilinear: two taps an axis, edges clamped, no antialiasing.
 */

import { oneOf, positiveInteger } from "../core/options.ts";
import type { Pixels } from "./pixels.ts";

/** Bits behind the point: 32 less 8 of the pixel and 2 for sums. */
const PRECISION_BITS = 22;

/** Resizes as Pillow's BILINEAR does, byte for byte. */
export function resizeAntialiased(pixels: Pixels, width: number, height: number): Pixels {
  positiveInteger("resize", "width", width);
  positiveInteger("resize", "height", height);
  const horizontal = width === pixels.width ? pixels : resizeAxis(pixels, width, "horizontal");
  return height === pixels.height ? horizontal : resizeAxis(horizontal, height, "vertical");
}

/** Where a pixel's centre lies. `halfPixel` is today's rule, `legacy` TensorFlow 1's, `alignCorners` maps ends to ends. */
export type Centers = "halfPixel" | "legacy" | "alignCorners";

/**
 * Resizes with two taps an axis, not rounded.
 *
 * @returns `3 · width · height` values of 0 to 255, rows first
 */
export function resizePlain(
  pixels: Pixels,
  width: number,
  height: number,
  options: { readonly centers?: Centers } = {},
): Float32Array {
  const centers = oneOf("resize", "centers", options.centers ?? "halfPixel", ["halfPixel", "legacy", "alignCorners"]);
  const columns = taps(pixels.width, positiveInteger("resize", "width", width), centers);
  const rows = taps(pixels.height, positiveInteger("resize", "height", height), centers);
  const { data } = pixels;
  const result = new Float32Array(3 * width * height);
  let to = 0;
  for (const row of rows) {
    const upper = row.first * pixels.width;
    const lower = row.second * pixels.width;
    for (const column of columns) {
      for (let c = 0; c < 3; c++) {
        const a = data[3 * (upper + column.first) + c] ?? 0;
        const b = data[3 * (upper + column.second) + c] ?? 0;
        const d = data[3 * (lower + column.first) + c] ?? 0;
        const e = data[3 * (lower + column.second) + c] ?? 0;
        const top = a + (b - a) * column.weight;
        const bottom = d + (e - d) * column.weight;
        result[to++] = top + (bottom - top) * row.weight;
      }
    }
  }
  return result;
}

interface Tap {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly weight: number;
}

function taps(input: number, output: number, centers: Centers): readonly Tap[] {
  return Array.from({ length: output }, (_, i) => {
    let source = ((i + 0.5) * input) / output - 0.5;
    if (centers === "legacy") source = (i * input) / output;
    if (centers === "alignCorners") source = output === 1 ? 0 : (i * (input - 1)) / (output - 1);
    const at = Math.min(Math.max(source, 0), input - 1);
    const first = Math.floor(at);
    return { first, second: Math.min(first + 1, input - 1), weight: at - first };
  });
}

interface Filter {
  readonly start: number;
  /** Fixed-point coefficients of the pixels from `start` on. */
  readonly coefficients: Int32Array;
}

/** The triangle filter of each output pixel along one axis. */
function triangleFilters(input: number, output: number): readonly Filter[] {
  const scale = input / output;
  const filterScale = Math.max(scale, 1);
  return Array.from({ length: output }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - filterScale + 0.5), 0);
    const end = Math.min(Math.trunc(center + filterScale + 0.5), input);
    const weights: number[] = [];
    let sum = 0;
    for (let x = start; x < end; x++) {
      const weight = Math.max(1 - Math.abs((x - center + 0.5) * (1 / filterScale)), 0);
      weights.push(weight);
      sum += weight;
    }
    const coefficients = Int32Array.from(weights, (weight) => {
      const normalised = sum === 0 ? weight : weight / sum;
      return Math.trunc(normalised * (1 << PRECISION_BITS) + 0.5);
    });
    return { start, coefficients };
  });
}

function resizeAxis(pixels: Pixels, size: number, axis: "horizontal" | "vertical"): Pixels {
  const isHorizontal = axis === "horizontal";
  const width = isHorizontal ? size : pixels.width;
  const height = isHorizontal ? pixels.height : size;
  const filters = triangleFilters(isHorizontal ? pixels.width : pixels.height, size);
  const step = isHorizontal ? 3 : 3 * pixels.width;
  const source = pixels.data;
  const data = new Uint8Array(3 * width * height);
  const half = 1 << (PRECISION_BITS - 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const filter = filters[isHorizontal ? x : y];
      if (filter === undefined) continue;
      const { start, coefficients } = filter;
      const from = isHorizontal ? 3 * (y * pixels.width + start) : 3 * (start * pixels.width + x);
      for (let c = 0; c < 3; c++) {
        let sum = half;
        for (let k = 0; k < coefficients.length; k++) {
          sum += (source[from + k * step + c] ?? 0) * (coefficients[k] ?? 0);
        }
        data[3 * (y * width + x) + c] = Math.min(Math.max(sum >> PRECISION_BITS, 0), 255);
      }
    }
  }
  return { width, height, data };
}
