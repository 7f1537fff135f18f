/** Bytes given in memory, as readers want them: plain, aligned, nobody else's to change. */

import { bytesIn } from "../../core/tensor.ts";

/** Widest element of a tensor: a view that begins at a multiple of this can be looked at as any type. */
const ALIGNMENT = 8;

/**
 * A view of the same memory where that will do, otherwise a copy: of shared memory, which another thread may change
 * between check and use, and of a view that begins at an odd place, as Node's small Buffers do in their pool.
 */
export function ownBytes(source: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const view = bytesIn("source", source);
  return isOwn(view) && view.byteOffset % ALIGNMENT === 0 ? view : new Uint8Array(view);
}

function isOwn(view: Uint8Array): view is Uint8Array<ArrayBuffer> {
  return typeof SharedArrayBuffer === "undefined" || !(view.buffer instanceof SharedArrayBuffer);
}

/** One array of several, `length` bytes in all. */
export function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
