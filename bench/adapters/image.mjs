/** The image every contender gets: `[1, resolution, resolution, 3]`, float32. */

import { readFileSync } from "node:fs";

export function readImage({ resolution, files }) {
  const bytes = readFileSync(files.image);
  return { shape: [1, resolution, resolution, 3], data: new Float32Array(new Uint8Array(bytes).buffer) };
}
