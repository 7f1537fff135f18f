/**
 * Pools over windows and over whole images. Padding never counts: the average divides by the pixels inside the
 * image, the maximum starts at minus infinity. A window wholly outside gives 0.
 */

import type { GlobalPoolCall, PoolCall } from "../../operations/kernel-call.ts";
import type { Runner } from "./runner.ts";

const fround = Math.fround;

export function pool(call: PoolCall): Runner {
  return (batch, { inputs: [x], output: y }) => {
    const { window, channels } = call;
    const isMax = call.kernel === "maxPool";
    const [kh, kw] = window.kernel;
    const [strideY, strideX] = window.stride;
    const [dilationY, dilationX] = window.dilation;
    const [height, width] = window.input;
    const [outHeight, outWidth] = window.output;
    const [[top], [left]] = window.padding;

    let out = 0;
    for (let n = 0; n < batch; n++) {
      for (let oy = 0; oy < outHeight; oy++) {
        for (let ox = 0; ox < outWidth; ox++) {
          y.fill(isMax ? Number.NEGATIVE_INFINITY : 0, out, out + channels);
          let inside = 0;
          const [y0, x0] = [oy * strideY - top, ox * strideX - left];
          const [u1, v1] = [tapsUpTo(height - y0, kh, dilationY), tapsUpTo(width - x0, kw, dilationX)];
          for (let u = tapsUpTo(-y0, kh, dilationY); u < u1; u++) {
            const iy = y0 + u * dilationY;
            for (let v = tapsUpTo(-x0, kw, dilationX); v < v1; v++) {
              const ix = x0 + v * dilationX;
              inside++;
              const xAt = ((n * height + iy) * width + ix) * channels;
              if (isMax) keepLargest(x, xAt, y, out, channels);
              else addChannels(x, xAt, y, out, channels);
            }
          }
          if (inside === 0) y.fill(0, out, out + channels);
          else if (!isMax) divideChannels(y, out, channels, inside);
          out += channels;
        }
      }
    }
  };
}

/** How many of the taps lie less than so many pixels from the first. A pool has no weights that bound its window. */
export function tapsUpTo(distance: number, taps: number, dilation: number): number {
  return Math.min(Math.ceil(Math.max(distance, 0) / dilation), taps);
}

/** x [n, pixels, channels] to y [n, channels]. */
export function globalPool(call: GlobalPoolCall): Runner {
  return (batch, { inputs: [x], output: y }) => {
    const { pixels, channels } = call;
    const isMax = call.kernel === "globalMaxPool";
    for (let n = 0; n < batch; n++) {
      const out = n * channels;
      y.fill(isMax ? Number.NEGATIVE_INFINITY : 0, out, out + channels);
      for (let p = 0; p < pixels; p++) {
        const xAt = (n * pixels + p) * channels;
        if (isMax) keepLargest(x, xAt, y, out, channels);
        else addChannels(x, xAt, y, out, channels);
      }
      if (!isMax) divideChannels(y, out, channels, pixels);
    }
  };
}

function addChannels(x: Float32Array, xAt: number, y: Float32Array, yAt: number, channels: number): void {
  for (let c = 0; c < channels; c++) y[yAt + c] = fround(y[yAt + c] + x[xAt + c]);
}

/** Math.max, not a comparison: NaN must survive. */
function keepLargest(x: Float32Array, xAt: number, y: Float32Array, yAt: number, channels: number): void {
  for (let c = 0; c < channels; c++) y[yAt + c] = Math.max(y[yAt + c], x[xAt + c]);
}

function divideChannels(y: Float32Array, yAt: number, channels: number, count: number): void {
  for (let c = 0; c < channels; c++) y[yAt + c] = fround(y[yAt + c] / count);
}
