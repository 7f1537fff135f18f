/** How the rows of a depthwise layer are cut into chunks, in plain words. */

import type { Window } from "../../../src/core/window.ts";

export interface Layer {
  readonly window: Window;
  readonly channels: number;
  readonly multiplier: number;
}

/** How a batch is cut. */
export interface Cutting {
  /** Of this run. */
  readonly batch: number;
  /** Laid out for so many. */
  readonly room: number;
  /** Images that count as one; above 1 an image is one chunk. */
  readonly images: number;
  /** Output rows of a chunk. */
  readonly rows: number;
  /** Chunks of a group. */
  readonly per: number;
  /** Rows in scratch beyond what the window needs. */
  readonly spare: number;
  /** Order of chunks, or of groups. */
  readonly shuffled: number;
}

export interface Share {
  readonly start: number;
  readonly end: number;
  readonly firstRow: number;
  readonly endRow: number;
}

export function perImageOf({ window }: Layer, { images, rows }: Cutting): number {
  return images > 1 ? 1 : Math.ceil(window.output[0] / rows);
}

/** The chunks of the whole room, in plain words. */
export function sharesOf(layer: Layer, cutting: Cutting): readonly Share[] {
  const { input, output, stride } = layer.window;
  const { batch, room, images, rows } = cutting;
  const perImage = perImageOf(layer, cutting);
  const clip = (row: number, height: number) => Math.min(row, batch * height);
  return Array.from({ length: Math.ceil(room / images) * perImage }, (_, chunk) => {
    const n = Math.floor(chunk / perImage);
    const k = chunk % perImage;
    const isLast = k === perImage - 1;
    return {
      start: clip(n * images * output[0] + k * rows, output[0]),
      end: clip(isLast ? (n + 1) * images * output[0] : n * images * output[0] + (k + 1) * rows, output[0]),
      firstRow: clip(n * images * input[0] + k * rows * stride[0], input[0]),
      endRow: clip(isLast ? (n + 1) * images * input[0] : n * images * input[0] + (k + 1) * rows * stride[0], input[0]),
    };
  });
}

/** Input rows under the windows of output rows, and output rows whose windows touch input rows; ascending. */
export function inputRowsOf({ window }: Layer, { start, end }: Share): number[] {
  const { input, output, stride, dilation, kernel, padding } = window;
  const rows = new Set<number>();
  for (let row = start; row < end; row++) {
    const image = Math.floor(row / output[0]);
    for (let u = 0; u < kernel[0]; u++) {
      const iy = (row % output[0]) * stride[0] + u * dilation[0] - padding[0][0];
      if (iy >= 0 && iy < input[0]) rows.add(image * input[0] + iy);
    }
  }
  return [...rows].sort((a, b) => a - b);
}

export function outputRowsOf({ window }: Layer, { firstRow, endRow }: Share): number[] {
  const { input, output, stride, dilation, kernel, padding } = window;
  const rows = new Set<number>();
  for (let row = firstRow; row < endRow; row++) {
    const image = Math.floor(row / input[0]);
    for (let u = 0; u < kernel[0]; u++) {
      const at = (row % input[0]) + padding[0][0] - u * dilation[0];
      if (at >= 0 && at % stride[0] === 0 && at / stride[0] < output[0]) rows.add(image * output[0] + at / stride[0]);
    }
  }
  return [...rows].sort((a, b) => a - b);
}
