/**
 * Tensors: a typed array, its shape and its element type. Row-major; activations are NHWC.
 *
 * Immutable by convention: no operation writes its input.
 */

import { isDetached } from "./buffers.ts";
import { DepthwiseError } from "./errors.ts";
import { show } from "./options.ts";
import { className, isFloat32Array } from "./realms.ts";

/** What the elements of a tensor are. */
export type DType = "float32" | "int32" | "uint8";
export type TypedArray = Float32Array | Int32Array | Uint8Array;
/** Sizes of the axes, outermost first: `[batch, height, width, channels]` for images. */
export type Shape = readonly number[];

/** Numbers with a shape: `data` in row-major order, the last axis fastest. Plain data, made by `tensor`. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** No layer reads more sides than three; each layer behind a reshape would carry more along. */
export const MOST_SIDES = 8;

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
  // Not `every`: a shape made by hand may have holes.
  return a.length === b.length && a.findIndex((side, axis) => side !== b[axis]) < 0;
}

/**
 * A tensor over `data`, which is kept, not copied. A plain array of numbers becomes float32.
 *
 * @param data  as many elements as the shape says; NaN and infinity are numbers too
 * @param shape sides, outermost first; each a non-negative integer
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the count differs, or the data's buffer was transferred;
 *         `OPTION_INVALID` for a side that is not a non-negative integer, or more elements than can be counted;
 *         `DTYPE_MISMATCH` for an array type that is not float32, int32 or uint8, and for an element that is no number
 */
export function tensor(data: Float32Array | readonly number[], shape: Shape): FloatTensor;
export function tensor(data: TypedArray, shape: Shape): Tensor;
export function tensor(data: TypedArray | readonly number[], shape: Shape): Tensor {
  if (!isShape(shape)) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "tensor: shape",
      expected: "an array of non-negative integers, with a product that can be counted",
      found: show(shape),
      advice: "Pass the sides from the outermost inwards, for example [1, 224, 224, 3].",
      fields: { shape },
    });
  }
  const elements = Array.isArray(data) ? fromNumbers(data) : ofThisRealm(data);
  const expected = elementCount(shape);
  if (elements.length !== expected || isDetached(elements.buffer)) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `tensor of shape ${shapeText(shape)}`,
      expected: `${expected} elements`,
      found: lengthText(elements),
      advice: "The data must hold one element for each place of the shape.",
      fields: { shape, expected, found: elements.length },
    });
  }
  return { dtype: dtypeOf(elements), shape: [...shape], data: elements };
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
  if (value.dtype !== "float32" || !isFloat32Array(value.data)) {
    throw new DepthwiseError("DTYPE_MISMATCH", {
      what,
      expected: "float32",
      found:
        value.dtype === "float32"
          ? className(value.data)
          : typeof value.dtype === "string"
            ? value.dtype
            : show(value.dtype),
      advice: "Convert the values first: tensor(Float32Array.from(x.data), x.shape).",
      fields: { expected: "float32", found: value.dtype },
    });
  }
  if (!isShape(value.shape) || value.data.length !== elementCount(value.shape) || isDetached(value.data.buffer)) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what,
      expected: `as many elements as shape ${show(value.shape)} says`,
      found: lengthText(value.data),
      advice: "Make tensors with tensor(data, shape), which checks the count.",
    });
  }
  return value as FloatTensor;
}

/** Sides whose product can be counted; a hole is none, so no method that passes over holes. */
function isShape(shape: unknown): shape is Shape {
  if (!Array.isArray(shape)) return false;
  let count = 1;
  for (const side of shape) {
    if (!(Number.isSafeInteger(side) && side >= 0)) return false;
    count *= side;
  }
  return Number.isSafeInteger(count);
}

/** Checked first: of what is no number `Float32Array.from` makes NaN, or 1, without a word. */
function fromNumbers(data: readonly unknown[]): Float32Array {
  let index = 0;
  for (const value of data) {
    if (typeof value !== "number") {
      throw new DepthwiseError("DTYPE_MISMATCH", {
        what: `tensor: data[${index}]`,
        expected: "a number",
        found: show(value),
        advice: Array.isArray(value) ? "Pass the numbers in one row: rows.flat()." : "Convert it first.",
        fields: { index, found: value },
      });
    }
    index++;
  }
  return Float32Array.from(data as readonly number[]);
}

const TYPES = [Float32Array, Int32Array, Uint8Array] as const;

/** Arrays of another realm (a frame, Jest) are no instances of our classes: ours over the same memory take their place. */
function ofThisRealm(data: unknown): TypedArray {
  for (const Ours of ArrayBuffer.isView(data) ? TYPES : []) {
    if (data instanceof Ours) return data;
    if (!ArrayBuffer.isView(data) || className(data) !== Ours.name) continue;
    // Shared memory as well, which the types keep apart.
    const buffer = data.buffer as ArrayBuffer;
    const length = data.byteLength / Ours.BYTES_PER_ELEMENT;
    return length === 0 ? new Ours() : new Ours(buffer, data.byteOffset, length);
  }
  throw new DepthwiseError("DTYPE_MISMATCH", {
    what: "tensor: data",
    expected: "a Float32Array, Int32Array, Uint8Array or an array of numbers",
    found: className(data),
    advice: "Convert it first, for example with Float32Array.from(data).",
  });
}

function lengthText(data: TypedArray): string {
  return isDetached(data.buffer) ? "0, for its buffer was transferred" : `${data.length}`;
}

function dtypeOf(data: TypedArray): DType {
  if (isFloat32Array(data)) return "float32";
  return data instanceof Int32Array ? "int32" : "uint8";
}
