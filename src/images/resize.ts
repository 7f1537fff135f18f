/**
 * Resizing, once and in integers or plain float64, so that Node and every browser agree to the bit.
 *
 * `antialiased` is Pillow's BILINEAR: a triangle filter that widens when shrinking, horizontal pass first, bytes in
 * between, coefficients in fixed point of 22 bits. Source: Pillow, `src/libImaging/Resample.c` (the arithmetic).
 * `plain` is TensorFlow's and PyTorch's bilinear: two taps an axis, edges clamped, no antialiasing.
 */

import { checkKnownOptions, oneOf, optionError, positiveInteger, show } from "../core/options.ts";
import { checkPixelCount, checkPixels, MAX_PIXELS, type Pixels } from "./pixels.ts";

/** Bits behind the point: 32 less 8 of the pixel and 2 for sums. */
const PRECISION_BITS = 22;

/** A part of the resized image, in its pixels. */
export interface PixelWindow {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes as Pillow's BILINEAR does, byte for byte.
 *
 * @param width   of the resized image, in pixels; `height` likewise
 * @param options `window`: the part to compute, default all of it. The bytes are those of a crop afterwards, but a
 *                strip of 10,000 × 1 pixels blown up to 256 rows does not have to exist for its middle.
 * @throws {DepthwiseError} `OPTION_INVALID` for sizes that are no positive integers; `IMAGE_TOO_LARGE` if more than
 *         16383² pixels would come out
 */
export function resizeAntialiased(
  pixels: Pixels,
  width: number,
  height: number,
  options: { readonly window?: PixelWindow } = {},
): Pixels {
  checkKnownOptions("resizeAntialiased", options, ["window"]);
  checkPixels("resizeAntialiased", pixels);
  const window = checkWindow(width, height, options.window);
  const columns = triangleFilters(pixels.width, width, window.left, window.width);
  const rows = triangleFilters(pixels.height, height, window.top, window.height);
  // The vertical pass reads these rows only, so the horizontal one makes no others.
  const top = rows[0]?.start ?? 0;
  const last = rows.at(-1);
  const bottom = last === undefined ? top : last.start + last.coefficients.length;
  const between = filterRows(pixels, columns, top, bottom);
  return { width: window.width, height: window.height, data: filterColumns(between, 3 * window.width, rows, top) };
}

/** Where a pixel's centre lies. `halfPixel` is today's rule, `legacy` TensorFlow 1's, `alignCorners` maps ends to ends. */
export type Centers = "halfPixel" | "legacy" | "alignCorners";

/**
 * Resizes with two taps an axis, not rounded. Output pixel i lies at input
 *
 *     halfPixel     (i + 0.5) · in / out − 0.5
 *     legacy        i · in / out
 *     alignCorners  i · (in − 1) / (out − 1)
 *
 * clamped to the image; fractions weigh the two neighbours, columns first, in float64.
 *
 * @param options `centers`, default `halfPixel`; `window`: the part to compute, default all of it
 * @returns `3 · width · height` values of 0 to 255, rows first
 * @throws {DepthwiseError} `OPTION_INVALID`; `IMAGE_TOO_LARGE` if more than 16383² pixels would come out
 */
export function resizePlain(
  pixels: Pixels,
  width: number,
  height: number,
  options: { readonly centers?: Centers; readonly window?: PixelWindow } = {},
): Float32Array {
  checkKnownOptions("resizePlain", options, ["centers", "window"]);
  checkPixels("resizePlain", pixels);
  const centers = oneOf("resize", "centers", options.centers ?? "halfPixel", ["halfPixel", "legacy", "alignCorners"]);
  const window = checkWindow(width, height, options.window);
  const columns = taps(pixels.width, width, centers, window.left, window.width);
  const rows = taps(pixels.height, height, centers, window.top, window.height);
  const { data } = pixels;
  const result = new Float32Array(3 * window.width * window.height);
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

function checkWindow(width: number, height: number, window: PixelWindow | undefined): PixelWindow {
  positiveInteger("resize", "width", width);
  positiveInteger("resize", "height", height);
  const checked = window === undefined ? { left: 0, top: 0, width, height } : window;
  if (typeof checked !== "object" || checked === null) {
    throw optionError("resize", "window", "{ left, top, width, height }", checked);
  }
  positiveInteger("resize", "window.width", checked.width);
  positiveInteger("resize", "window.height", checked.height);
  if (!isInside(checked.left, checked.width, width) || !isInside(checked.top, checked.height, height)) {
    const { left, top } = checked;
    const found = `${checked.width} × ${checked.height} at ${show(left)}, ${show(top)}`;
    throw optionError("resize", "window", `a part of the ${width} × ${height} pixels`, found);
  }
  checkPixelCount("resize", checked.width, checked.height, MAX_PIXELS);
  return checked;
}

function isInside(start: number, length: number, whole: number): boolean {
  return Number.isSafeInteger(start) && start >= 0 && start + length <= whole;
}

interface Tap {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly weight: number;
}

/** Of output pixels `from` to `from + count`. */
function taps(input: number, output: number, centers: Centers, from: number, count: number): readonly Tap[] {
  return Array.from({ length: count }, (_, k) => {
    const i = from + k;
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

/** The triangle filters of output pixels `from` to `from + count` along one axis. */
function triangleFilters(input: number, output: number, from: number, count: number): readonly Filter[] {
  const scale = input / output;
  const filterScale = Math.max(scale, 1);
  return Array.from({ length: count }, (_, k) => {
    const center = (from + k + 0.5) * scale;
    const start = Math.max(Math.trunc(center - filterScale + 0.5), 0);
    const end = Math.min(Math.trunc(center + filterScale + 0.5), input);
    const weights = new Float64Array(end - start);
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      sum += weights[i] = Math.max(1 - Math.abs((start + i - center + 0.5) * (1 / filterScale)), 0);
    }
    // Stored without what is behind the point.
    const coefficients = Int32Array.from(weights, (weight) => (weight / (sum || 1)) * (1 << PRECISION_BITS) + 0.5);
    return { start, coefficients };
  });
}

/** The horizontal pass over rows `top` to `bottom` of the image. */
function filterRows({ data, width }: Pixels, filters: readonly Filter[], top: number, bottom: number): Uint8Array {
  const result = new Uint8Array(3 * filters.length * (bottom - top));
  let to = 0;
  for (let y = top; y < bottom; y++) {
    for (const { start, coefficients } of filters) {
      let from = 3 * (y * width + start);
      // Rounds: half of the last place that is cut off.
      let red = 1 << (PRECISION_BITS - 1);
      let green = red;
      let blue = red;
      for (let i = 0; i < coefficients.length; i++) {
        const coefficient = coefficients[i] as number;
        red += (data[from] as number) * coefficient;
        green += (data[from + 1] as number) * coefficient;
        blue += (data[from + 2] as number) * coefficient;
        from += 3;
      }
      result[to++] = toByte(red);
      result[to++] = toByte(green);
      result[to++] = toByte(blue);
    }
  }
  return result;
}

/** The vertical pass: `source` has `stride` bytes a row and begins with row `top` of the image. */
function filterColumns(source: Uint8Array, stride: number, filters: readonly Filter[], top: number): Uint8Array {
  const result = new Uint8Array(stride * filters.length);
  const sums = new Int32Array(stride);
  let to = 0;
  for (const { start, coefficients } of filters) {
    sums.fill(1 << (PRECISION_BITS - 1));
    // Row by row: memory is read in order.
    for (let i = 0; i < coefficients.length; i++) {
      const coefficient = coefficients[i] as number;
      const from = (start - top + i) * stride;
      for (let x = 0; x < stride; x++) sums[x] = (sums[x] as number) + (source[from + x] as number) * coefficient;
    }
    for (let x = 0; x < stride; x++) result[to++] = toByte(sums[x] as number);
  }
  return result;
}

/** Weights are positive, so a sum is never below 0; rounded coefficients can bring it a little above 255. */
function toByte(sum: number): number {
  return Math.min(sum >> PRECISION_BITS, 255);
}
