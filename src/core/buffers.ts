/** Buffers that were taken away: `postMessage` and `structuredClone` transfer them, `resize` shrinks them. */

import { optionError } from "./options.ts";

/** Numbers of any kind: they are read as float32. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** Whether a buffer has no memory any more. Not every engine has `ArrayBuffer.prototype.detached`. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/**
 * What a typed array is and how many numbers it holds, of whatever realm; undefined for anything else. Asked of the
 * array itself: a class made of one may say of its `length` and `constructor` what it likes.
 */
export function typedArray(value: unknown): { readonly kind: string; readonly length: number } | undefined {
  const intrinsic = (name: string | symbol): unknown =>
    Reflect.get(Object.getPrototypeOf(Uint8Array.prototype) as object, name, value);
  if (!ArrayBuffer.isView(value)) return undefined;
  const kind = intrinsic(Symbol.toStringTag);
  return typeof kind === "string" ? { kind, length: intrinsic("length") as number } : undefined;
}

/**
 * The bytes that a caller passed, as they are now.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a buffer that has gone already
 */
export function bytesOf(owner: string, source: ArrayBufferLike | ArrayBufferView): Uint8Array {
  try {
    if (!ArrayBuffer.isView(source)) return new Uint8Array(source);
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  } catch {
    const advice = "Pass the bytes before postMessage transfers them, or pass a copy.";
    throw optionError(owner, "bytes", "a buffer that is there", "one that was transferred", advice);
  }
}
