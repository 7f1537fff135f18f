/** One check of a tensor that is to be a parameter, for all doors that take some. */

import { isDetached } from "../core/buffers.ts";
import { show } from "../core/options.ts";
import { className, typedArray } from "../core/realms.ts";
import { elementCount, type FloatTensor, type Shape, sameShape, shapeText } from "../core/tensor.ts";

/**
 * What is wrong with a tensor in the place of a parameter of this shape, in words; undefined if nothing is. A
 * Float32Array may be of another realm: a frame, or a worker's.
 */
export function parameterFault(value: unknown, shape: Shape): string | undefined {
  if (!isTensorLike(value)) return `expected a tensor { dtype, shape, data }, found ${className(value)}`;
  const { dtype, shape: found, data } = value;
  if (dtype !== "float32") return `expected float32, found ${typeof dtype === "string" ? dtype : show(dtype)}`;
  if (!sameShape(found, shape)) return `expected shape ${shapeText(shape)}, found ${shapeText(found)}`;
  const array = typedArray(data);
  if (array?.kind !== "Float32Array") return `expected a Float32Array, found ${array?.kind ?? className(data)}`;
  const { buffer, length: said } = data as Float32Array;
  const { length } = array;
  const count = elementCount(shape);
  // One that says another length than it has would be read beyond its end.
  if (length === count && said === count) return undefined;
  const taken = isDetached(buffer) ? ", since its buffer was transferred" : "";
  return `expected ${count} numbers for shape ${shapeText(shape)}, found ${length === count ? show(said) : length}${taken}`;
}

/** The shape of whatever stands under a name, for messages. */
export function shapeOf(value: unknown): string {
  return isTensorLike(value) ? shapeText(value.shape) : "";
}

function isTensorLike(value: unknown): value is Pick<FloatTensor, "shape"> & { dtype: unknown; data: unknown } {
  return (
    typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape) && "data" in value
  );
}
