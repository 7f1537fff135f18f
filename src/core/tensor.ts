/**
 * Tensors: a typed array, its shape and its element type. Row-major; activations are NHWC.
 *
 * Immutable by convention: no operation writes its input.
 */

import { DepthwiseError } from "./errors.ts";
import { show } from "./options.ts";

export type DType = "float32" | "int32" | "uint8";
export type TypedArray = Float32Array | Int32Array | Uint8Array;
export type Shape = readonly number[];

export interface Tensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** A tensor whose elements are known to be float32. */
export interface FloatTensor extends Tensor {
  readonly dtype: "float32";
  readonly data: Float32Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const side of shape) count *= side;
  return count;
}

/** `[1, 224, 224, 3]`, as shapes stand in messages; of more than eight sides the first. */
export function shapeText(shape: Shape): string {
  return show(shape);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((side, axis) => side === b[axis]);
}

/**
 * A tensor over `data`, which is kept, not copied. A plain array of numbers becomes float32.
 *
 * @param data  as many elements as the shape says
 * @param shape sides, outermost first; each a non-negative integer
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the count differs; `OPTION_INVALID` for a side that is not a
 *         non-negative integer; `DTYPE_MISMATCH` for an array type that is not float32, int32 or uint8
 */
export function tensor(data: Float32Array | readonly number[], shape: Shape): FloatTensor;
export function tensor(data: TypedArray, shape: Shape): Tensor;
export function tensor(data: TypedArray | readonly number[], shape: Shape): Tensor {
  if (!Array.isArray(shape) || !shape.every((side) => Number.isSafeInteger(side) && side >= 0)) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "tensor: shape",
      expected: "an array of non-negative integers",
      found: show(shape),
      advice: "Pass the sides from the outermost inwards, for example [1, 224, 224, 3].",
      fields: { shape },
    });
  }
  const elements = Array.isArray(data) ? Float32Array.from(data as number[]) : (data as TypedArray);
  const dtype = dtypeOf(elements);
  if (elements.length !== elementCount(shape)) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `tensor of shape ${shapeText(shape)}`,
      expected: `${elementCount(shape)} elements`,
      found: `${elements.length}`,
      advice: "The data must hold one element for each place of the shape.",
      fields: { shape, expected: elementCount(shape), found: elements.length },
    });
  }
  return { dtype, shape: [...shape], data: elements };
}

/** Requires a float32 tensor; `what` names it in the error. */
export function asFloat(value: Tensor, what: string): FloatTensor {
  if (value === null || typeof value !== "object" || !ArrayBuffer.isView(value.data) || !Array.isArray(value.shape)) {
    throw new DepthwiseError("DTYPE_MISMATCH", {
      what,
      expected: "a tensor { dtype, shape, data }",
      found: value === null ? "null" : typeof value,
      advice: "Make one with tensor(data, shape).",
    });
  }
  if (value.dtype !== "float32" || !(value.data instanceof Float32Array)) {
    throw new DepthwiseError("DTYPE_MISMATCH", {
      what,
      expected: "float32",
      found: typeof value.dtype === "string" ? value.dtype : show(value.dtype),
      advice: "Convert the values first: tensor(Float32Array.from(x.data), x.shape).",
      fields: { expected: "float32", found: value.dtype },
    });
  }
  if (value.data.length !== elementCount(value.shape)) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what,
      expected: `${elementCount(value.shape)} elements for shape ${shapeText(value.shape)}`,
      found: `${value.data.length}`,
      advice: "Make tensors with tensor(data, shape), which checks the count.",
    });
  }
  return value as FloatTensor;
}

function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array) return "uint8";
  throw new DepthwiseError("DTYPE_MISMATCH", {
    what: "tensor: data",
    expected: "a Float32Array, Int32Array, Uint8Array or an array of numbers",
    found: Object.prototype.toString.call(data).slice(8, -1),
    advice: "Convert it first, for example with Float32Array.from(data).",
  });
}
