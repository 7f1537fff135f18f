/** The image every contender gets, or the batch of images: `[batch, resolution, resolution, 3]`, float32. */

import { readFileSync } from "node:fs";

export function readImage({ resolution, batch = 1, files }) {
  const { buffer, byteOffset, byteLength } = readFileSync(files.image);
  // A view where that can be one: memory is measured too.
  const data = byteOffset % 4 === 0 ? new Float32Array(buffer, byteOffset, byteLength / 4) : undefined;
  return {
    shape: [batch, resolution, resolution, 3],
    data: data ?? new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)),
  };
}
