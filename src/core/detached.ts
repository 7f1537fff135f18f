/** Buffers that were taken away: `postMessage` and `structuredClone` transfer them, `resize` shrinks them. */

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
