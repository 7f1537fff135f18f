/**
 * The resizing of `images/resize.ts` (Pillow's BILINEAR, to the byte), made for tens of thousands of pictures in a row:
 * a part of the picture is read where it stands, rows between the passes keep their memory, and the vertical pass goes
 * over whole rows. Three times as fast; apart, so that pages that classify single pictures do not carry it.
 */

import type { CropWindow } from "./draws.ts";

/** Bits behind the point: 32 less 8 of the pixel and 2 for sums. */
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);

/** What the filters of one axis are: for each output pixel the first input pixel, and as many coefficients each. */
interface Axis {
  readonly starts: Int32Array;
  /** `taps` an output pixel. */
  readonly coefficients: Int32Array;
  readonly taps: number;
}

/** Bytes, `channels` a pixel: 1 or 3. */
export interface Bytes {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** What is made of a picture: a part of it, stretched to a size, of which a window is kept. */
export interface Geometry {
  readonly part: CropWindow;
  readonly full: { readonly width: number; readonly height: number };
  /** Where the window begins in the stretched part. */
  readonly left: number;
  readonly top: number;
}

export type Stretch = (source: Bytes, geometry: Geometry) => Uint8Array;

/**
 * Stretches pictures to windows of one size.
 *
 * @returns a function that gives `channels · width · height` bytes, rows first, until it is called again
 */
export function stretcher(width: number, height: number): Stretch {
  let result = new Uint8Array(0);
  let between = new Uint8Array(0);
  let sums = new Int32Array(0);
  const columnsOf = remembered(axisOf);
  const rowsOf = remembered(axisOf);
  return (source, { part, full, left, top }) => {
    const { channels } = source;
    const stride = channels * width;
    const columns = columnsOf(part.width, full.width, left, width);
    const rows = rowsOf(part.height, full.height, top, height);
    // The vertical pass reads these rows only, so the horizontal one makes no others.
    const first = rows.starts[0] ?? 0;
    const count = (rows.starts[height - 1] ?? 0) + rows.taps - first;
    if (result.length !== stride * height) result = new Uint8Array(stride * height);
    if (between.length < stride * count) between = new Uint8Array(stride * count);
    if (sums.length !== stride) sums = new Int32Array(stride);
    const read = { left: part.left, top: part.top + first, width: part.width, height: count };
    if (channels === 3) threeChannels(source, read, columns, width, between);
    else oneChannel(source, read, columns, width, between);
    vertical(between, stride, rows, first, sums, result);
    return result;
  };
}

/** Pictures of one size follow each other in most data sets. */
function remembered(make: (...sizes: [number, number, number, number]) => Axis): typeof make {
  let last: { readonly sizes: readonly number[]; readonly axis: Axis } | undefined;
  return (...sizes) => {
    if (last?.sizes.every((size, index) => size === sizes[index]) !== true) last = { sizes, axis: make(...sizes) };
    return last.axis;
  };
}

/** The triangle filters of `resizeAntialiased` for outputs `from` to `from + count`, without zeros at their ends. */
function axisOf(input: number, output: number, from: number, count: number): Axis {
  const scale = input / output;
  const reach = Math.max(scale, 1);
  const taps = Math.min(input, Math.ceil(2 * reach));
  const starts = new Int32Array(count);
  const coefficients = new Int32Array(count * taps);
  const weights = new Float64Array(Math.ceil(2 * reach) + 1);
  for (let place = 0; place < count; place++) {
    const center = (from + place + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), input);
    let sum = 0;
    for (let x = start; x < end; x++) {
      const weight = Math.max(1 - Math.abs((x - center + 0.5) * (1 / reach)), 0);
      weights[x - start] = weight;
      sum += weight;
    }
    // Within the picture, also where its last pixels have fewer neighbours.
    const first = Math.min((weights[0] ?? 0) > 0 ? start : start + 1, input - taps);
    starts[place] = first;
    for (let x = start; x < end; x++) {
      const weight = weights[x - start] ?? 0;
      if (weight > 0) coefficients[place * taps + x - first] = Math.trunc((weight / sum) * (1 << PRECISION_BITS) + 0.5);
    }
  }
  return { starts, coefficients, taps };
}

function threeChannels(source: Bytes, part: CropWindow, axis: Axis, width: number, target: Uint8Array): void {
  const { data } = source;
  const { starts, coefficients, taps } = axis;
  let to = 0;
  for (let y = 0; y < part.height; y++) {
    const row = 3 * ((part.top + y) * source.width + part.left);
    for (let x = 0; x < width; x++) {
      let from = row + 3 * (starts[x] ?? 0);
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let k = x * taps; k < x * taps + taps; k++) {
        const coefficient = coefficients[k] ?? 0;
        red = (red + (data[from] ?? 0) * coefficient) | 0;
        green = (green + (data[from + 1] ?? 0) * coefficient) | 0;
        blue = (blue + (data[from + 2] ?? 0) * coefficient) | 0;
        from += 3;
      }
      target[to] = toByte(red);
      target[to + 1] = toByte(green);
      target[to + 2] = toByte(blue);
      to += 3;
    }
  }
}

function oneChannel(source: Bytes, part: CropWindow, axis: Axis, width: number, target: Uint8Array): void {
  const { data } = source;
  const { starts, coefficients, taps } = axis;
  let to = 0;
  for (let y = 0; y < part.height; y++) {
    const row = (part.top + y) * source.width + part.left;
    for (let x = 0; x < width; x++) {
      let from = row + (starts[x] ?? 0);
      let sum = HALF;
      for (let k = x * taps; k < x * taps + taps; k++) sum = (sum + (data[from++] ?? 0) * (coefficients[k] ?? 0)) | 0;
      target[to++] = toByte(sum);
    }
  }
}

/** Two rows at a time: enlarging needs no more, and then no sums are kept. `source` begins with row `firstRow`. */
function vertical(
  source: Uint8Array,
  stride: number,
  axis: Axis,
  firstRow: number,
  sums: Int32Array,
  target: Uint8Array,
): void {
  const { starts, coefficients, taps } = axis;
  for (let y = 0; y < starts.length; y++) {
    if (taps > 2) sums.fill(HALF);
    for (let k = 0; k < taps; k += 2) {
      const first = coefficients[y * taps + k] ?? 0;
      const second = k + 1 < taps ? (coefficients[y * taps + k + 1] ?? 0) : 0;
      const upper = ((starts[y] ?? 0) - firstRow + k) * stride;
      const lower = k + 1 < taps ? upper + stride : upper;
      const to = y * stride;
      if (taps <= 2) {
        for (let x = 0; x < stride; x++) {
          const sum = HALF + (source[upper + x] ?? 0) * first + (source[lower + x] ?? 0) * second;
          target[to + x] = toByte(sum);
        }
      } else {
        for (let x = 0; x < stride; x++) {
          sums[x] = (sums[x] ?? 0) + (source[upper + x] ?? 0) * first + (source[lower + x] ?? 0) * second;
        }
      }
    }
    if (taps > 2) for (let x = 0; x < stride; x++) target[y * stride + x] = toByte(sums[x] ?? 0);
  }
}

/** Weights are positive, so a sum is never below 0; rounded coefficients can bring it a little above 255. */
function toByte(sum: number): number {
  return Math.min(sum >> PRECISION_BITS, 255);
}
