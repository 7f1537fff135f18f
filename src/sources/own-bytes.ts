/** Bytes given in memory, as readers want them: plain, aligned, nobody else's to change. */

import { bytesOf } from "../core/buffers.ts";
import { isArrayBuffer, isSharedBuffer, isURL } from "../core/realms.ts";

/** Widest element of a tensor: a view that begins at a multiple of this can be looked at as any type. */
const ALIGNMENT = 8;

/** Bytes that were copied when they were passed: a model keeps views of them, and their caller may go on. */
export class HeldBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes);
  }
}

/**
 * A source as it is now, for whoever opens it later.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a buffer that was transferred
 */
export function held<Source>(source: Source): Source | HeldBytes | URL {
  if (isURL(source)) return new URL(source.href);
  return isBytes(source) ? new HeldBytes(bytesOf("source", source)) : source;
}

export function isBytes(source: unknown): source is ArrayBufferLike | ArrayBufferView {
  return ArrayBuffer.isView(source) || isArrayBuffer(source) || isSharedBuffer(source);
}

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
