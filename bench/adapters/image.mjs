/** The image every contender gets, or the batch of images: `[batch, resolution, resolution, 3]`, float32. */

import { readFileSync } from "node:fs";

export function readImage({ resolution, batch = 1, files }) {
  const bytes = readFileSync(files.image);
  return { shape: [batch, resolution, resolution, 3], data: new Float32Array(new Uint8Array(bytes).buffer) };
}
