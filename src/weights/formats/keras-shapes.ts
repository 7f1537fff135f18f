/** Shapes of pictures on their way through a Keras model, as far as the file states its input. */

import type { Pair } from "../graph/graph.ts";
import type { OpenShape } from "./keras-flatten.ts";

interface LaidWindow {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: "same" | "valid";
  readonly filters: number | undefined;
}

/** `[height, width, filters]` after a window; open where the side before it is. */
export function windowShape(shape: OpenShape | undefined, window: LaidWindow): OpenShape | undefined {
  if (shape?.length !== 3) return undefined;
  return [side(shape[0], window, 0), side(shape[1], window, 1), window.filters];
}

/** The shape after a pool, and whether it is one window that covers the whole picture. */
export function poolShape(
  shape: OpenShape | undefined,
  kernel: Pair,
  strides: Pair,
  padding: "same" | "valid",
): { readonly shape: OpenShape | undefined; readonly coversAll: boolean } {
  const after = windowShape(shape, { kernel, strides, dilations: [1, 1], padding, filters: shape?.[2] });
  const coversAll =
    shape?.length === 3 && kernel.every((length, axis) => length === shape[axis] && after?.[axis] === 1);
  return { shape: after, coversAll };
}

function side(
  length: number | undefined,
  { kernel, strides, dilations, padding }: LaidWindow,
  axis: 0 | 1,
): number | undefined {
  if (length === undefined) return undefined;
  const span = padding === "same" ? 1 : (kernel[axis] - 1) * dilations[axis] + 1;
  const windows = Math.floor((length - span) / strides[axis]) + 1;
  return windows > 0 ? windows : undefined;
}
