/** Buffers of a caller: some were taken away (`postMessage` and `structuredClone` transfer, `resize` shrinks), some are shared. */

import { optionError } from "./options.ts";
import { isSharedBuffer } from "./realms.ts";

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

/** Widest element of a tensor: a view that begins at a multiple of this can be looked at as any type. */
const ALIGNMENT = 8;

/**
 * A view of the same memory where that will do, otherwise a copy: of shared memory, which another thread may change
 * between check and use, and of a view that begins at an odd place, as Node's small Buffers do in their pool.
 */
export function ownBytes(source: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const view = bytesOf("source", source);
  return isOwn(view) && view.byteOffset % ALIGNMENT === 0 ? view : new Uint8Array(view);
}

function isOwn(view: Uint8Array): view is Uint8Array<ArrayBuffer> {
  return !isSharedBuffer(view.buffer);
}
