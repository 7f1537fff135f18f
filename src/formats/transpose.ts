/** Other frameworks' layouts into ours: HWIO, `[kh, kw, in, multiplier]`, `[1, 1, in, out]`. */

import { DepthwiseError } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import { elementCount, type Shape, shapeText } from "../core/tensor.ts";

/**
 * `as-is` ours already; `oihw` PyTorch's convolution; `depthwise-oihw` PyTorch's depthwise `[in · multiplier, 1, kh,
 * kw]`, read with a multiplier of 1; `linear` PyTorch's `[out, in]`; `dense` Keras' `[in, out]`.
 */
export type WeightLayout = "as-is" | "oihw" | "depthwise-oihw" | "linear" | "dense";

export interface Laid {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/**
 * Brings values into our layout; `name` is for the error.
 *
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the rank does not fit the layout
 */
export function transpose(name: string, data: Float32Array, shape: Shape, layout: WeightLayout): Laid {
  switch (layout) {
    case "as-is":
      return { data, shape };
    case "dense": {
      if (shape.length === 4 && shape[0] === 1 && shape[1] === 1) return { data, shape };
      const [input = 0, output = 0] = expectRank(name, shape, 2);
      return { data, shape: [1, 1, input, output] };
    }
    case "linear": {
      const [output = 0, input = 0] = expectRank(name, shape, 2);
      return { data: permute(data, [output, input], [1, 0]), shape: [1, 1, input, output] };
    }
    case "oihw": {
      const [output = 0, input = 0, kh = 0, kw = 0] = expectRank(name, shape, 4);
      return { data: permute(data, shape, [2, 3, 1, 0]), shape: [kh, kw, input, output] };
    }
    case "depthwise-oihw": {
      const [channels = 0, one, kh = 0, kw = 0] = expectRank(name, shape, 4);
      if (one !== 1) throw unlikely(name, "[channels, 1, kh, kw]", shape);
      return { data: permute(data, shape, [2, 3, 0, 1]), shape: [kh, kw, channels, 1] };
    }
  }
}

function expectRank(name: string, shape: Shape, rank: number): Shape {
  if (shape.length === rank) return shape;
  throw unlikely(name, `rank ${rank}`, shape);
}

function unlikely(name: string, expected: string, shape: Shape): DepthwiseError {
  return new DepthwiseError("SHAPE_MISMATCH", {
    what: `tensor ${quoted(name)}`,
    expected,
    found: shapeText(shape),
    advice: "These names are known from another layout; the file is not what it seems.",
  });
}

/** Axis i of the result is axis `order[i]` of the source. */
export function permute(data: Float32Array, shape: Shape, order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const sides = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const result = new Float32Array(data.length);
  const index = sides.map(() => 0);
  let source = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = data[source] ?? 0;
    for (let axis = sides.length - 1; axis >= 0; axis--) {
      const step = steps[axis] ?? 0;
      const next = (index[axis] ?? 0) + 1;
      source += step;
      if (next < (sides[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      source -= step * next;
      index[axis] = 0;
    }
  }
  return result;
}
