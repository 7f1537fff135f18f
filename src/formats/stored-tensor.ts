/**
 * Tensors as a file stores them: a name, a type of element, a shape, and bytes that nobody has converted yet.
 *
 * Elements are little-endian and row-major, without gaps.
 */

import { DepthwiseError, invariant } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import { isNatural } from "../core/json.ts";
import { isListOf, optionError } from "../core/options.ts";
import { isUint8Array } from "../core/realms.ts";
import { elementCount, type Shape, shapeText } from "../core/tensor.ts";
import { decodeBFloat16, decodeFloat16 } from "./float16.ts";

/** Bytes an element takes, by type; the names are those of safetensors. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2: 1,
  F8_E5M2FNUZ: 1,
  F8_E8M0: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const satisfies Record<string, number>;

export type StoredDType = keyof typeof DTYPE_BYTES;

/** A tensor as a file has it, not yet decoded; `toFloat32` decodes it. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: Shape;
  /** A view into the file, not a copy. */
  readonly bytes: Uint8Array;
}

/** What a file of tensors holds: its own remarks, and the tensors in the order of the file. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Whether these can be the sides of a tensor. */
export function isNaturals(value: unknown): value is readonly number[] {
  return isListOf(value, isNatural);
}

/**
 * Whether the bytes of a shape can be counted, whatever its type. Zeros are left out: one of them must not hide a
 * product that no file can hold.
 */
export function isCountable(shape: Shape): boolean {
  return Number.isSafeInteger(8 * elementCount(shape.filter((side) => side !== 0)));
}

export type Read = (view: DataView, index: number) => number;

/** Reads element `index` as it stands in the file; 16-bit floats are decoded in one go instead. */
export const READ: { readonly [T in StoredDType]?: Read } = {
  F64: (view, i) => view.getFloat64(8 * i, true),
  F32: (view, i) => view.getFloat32(4 * i, true),
  I64: (view, i) => Number(view.getBigInt64(8 * i, true)),
  I32: (view, i) => view.getInt32(4 * i, true),
  I16: (view, i) => view.getInt16(2 * i, true),
  I8: (view, i) => view.getInt8(i),
  U64: (view, i) => Number(view.getBigUint64(8 * i, true)),
  U32: (view, i) => view.getUint32(4 * i, true),
  U16: (view, i) => view.getUint16(2 * i, true),
  U8: (view, i) => view.getUint8(i),
  BOOL: (view, i) => (view.getUint8(i) === 0 ? 0 : 1),
};

/**
 * The values of a stored tensor as float32, in the order of the file.
 *
 * float32 that lies on a multiple of 4 bytes comes back as a view of the file; everything else is a copy. float16
 * and bfloat16 are exact. float64 and integers round to the nearest float32, and a float64 too large for float32
 * becomes infinite, which `firstNonFinite` finds. Booleans become 0 and 1.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for what is no stored tensor; `DTYPE_MISMATCH` for 8-bit floats; `SHAPE_MISMATCH` if the bytes are not as many as
 *         shape and type say
 */
export function toFloat32(stored: StoredTensor): Float32Array {
  const { name, dtype, shape, bytes } = checkStored(stored);
  const count = elementCount(shape);
  if (bytes.byteLength !== count * DTYPE_BYTES[dtype]) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `tensor ${quoted(name)} of shape ${shapeText(shape)} and type ${dtype}`,
      expected: `${count * DTYPE_BYTES[dtype]} bytes`,
      found: `${bytes.byteLength}`,
      advice: "Pass a tensor as a reader returned it.",
      fields: { tensor: name, shape, dtype, found: bytes.byteLength },
    });
  }
  if (dtype === "F32") return floats(bytes);
  if (dtype === "F16") return decodeFloat16(bytes);
  if (dtype === "BF16") return decodeBFloat16(bytes);
  if (dtype.startsWith("F8_")) {
    throw new DepthwiseError("DTYPE_MISMATCH", {
      what: `tensor ${quoted(name)}`,
      expected: "a type that can become float32 here",
      found: dtype,
      advice: "8-bit floats are not read: convert the tensor to F16 or F32 where the file was made.",
      fields: { tensor: name, dtype },
    });
  }
  const read = READ[dtype];
  invariant(read !== undefined, `There is no conversion from ${dtype} to float32.`);
  return convert(bytes, count, read);
}

/** Anybody can write a stored tensor by hand; a reader's own are sound. */
function checkStored(stored: StoredTensor): StoredTensor {
  const wrong = (part: string, expected: string, found: unknown) => {
    return optionError("toFloat32", part, expected, found, "Pass a tensor as a reader returned it.");
  };
  if (typeof stored !== "object" || stored === null) throw wrong("tensor", "{ name, dtype, shape, bytes }", stored);
  const { name, dtype, shape, bytes } = stored;
  if (typeof name !== "string") throw wrong("name", "a string", name);
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BYTES, dtype)) throw wrong("dtype", "such as F32", dtype);
  if (!isNaturals(shape)) throw wrong("shape", "an array of whole numbers", shape);
  if (!isUint8Array(bytes)) throw wrong("bytes", "a Uint8Array", bytes);
  return stored;
}

/** Index of the first value that is infinite or not a number; -1 if all are finite. */
export function firstNonFinite(values: Float32Array): number {
  // A float64 holds the sum of any array of finite float32 there can be; eight at a time, for a loop that starts cold.
  let sum = 0;
  const end = values.length - (values.length % 8);
  for (let i = 0; i < end; i += 8) {
    sum += (values[i] as number) + (values[i + 1] as number) + (values[i + 2] as number) + (values[i + 3] as number);
    sum +=
      (values[i + 4] as number) + (values[i + 5] as number) + (values[i + 6] as number) + (values[i + 7] as number);
  }
  for (let i = end; i < values.length; i++) sum += values[i] as number;
  if (Number.isFinite(sum)) return -1;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) return i;
  }
  return -1;
}

function floats(bytes: Uint8Array): Float32Array {
  const count = bytes.byteLength / 4;
  if (!isLittleEndian()) return convert(bytes, count, (view, i) => view.getFloat32(4 * i, true));
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  // Bytes are copied, not numbers: a NaN keeps its payload. (`slice` of a Node Buffer would not copy.)
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return new Float32Array(copy.buffer);
}

function convert(bytes: Uint8Array, count: number, read: Read): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i);
  return values;
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}
