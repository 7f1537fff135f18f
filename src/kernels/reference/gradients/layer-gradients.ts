/** What the gradients of a layer with a kernel are, for each family of them. */

import { writeSums } from "./runner.ts";

/** `dz` is the gradient of the layer's output, before any activation. */
export interface LayerGradients {
  /** Elements of one example. */
  readonly inputElements: number;
  /** Pixels of one example of the output. */
  readonly outputPixels: number;
  readonly outputChannels: number;
  /** Writes dx, the gradient of the input. */
  input(batch: number, dz: Float32Array, w: Float32Array, dx: Float32Array): void;
  /** Writes dw, the gradient of the kernel, summed over the batch. */
  kernel(batch: number, x: Float32Array, dz: Float32Array, dw: Float32Array, adds: boolean): void;
}

/** db[c] = Σ(p) dz[p, c]: of any bias. */
export function biasGradient(
  dz: Float32Array,
  pixels: number,
  db: Float32Array,
  channels: number,
  adds: boolean,
): void {
  const sums = new Float64Array(channels);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) sums[c] += dz[p * channels + c];
  }
  writeSums(sums, db, 0, adds);
}
