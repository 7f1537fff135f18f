/**
 * Depthwise convolution in plain loops:
 *
 *     y[n, oy, ox, c·m + j] = bias[c·m + j] + Σ(u, v) x[n, oy·s + u·d − top, ox·s + v·d − left, c] · w[u, v, c, j]
 *
 * x [n, h, w, channels], w [kh, kw, channels, m], y [n, outH, outW, channels · m]. Every sum runs in float64 and
 * is rounded once: bias first, then u, then v. Taps outside the image add nothing. `sums` is scratch for one row.
 */

import type { DepthwiseCall } from "../../operations/kernel-call.ts";
import { startRow, storeRow } from "./multiply-rows.ts";
import type { Runner } from "./runner.ts";

export function depthwiseConvolution(call: DepthwiseCall): Runner {
  const sums = new Float64Array(call.channels * call.multiplier);
  return (batch, { inputs: [x], parameters: [w, bias], output: y }) => {
    const { window, channels, multiplier, activation } = call;
    const [kh, kw] = window.kernel;
    const [strideY, strideX] = window.stride;
    const [dilationY, dilationX] = window.dilation;
    const [height, width] = window.input;
    const [outHeight, outWidth] = window.output;
    const [[top], [left]] = window.padding;
    const outChannels = channels * multiplier;

    let out = 0;
    for (let n = 0; n < batch; n++) {
      for (let oy = 0; oy < outHeight; oy++) {
        for (let ox = 0; ox < outWidth; ox++) {
          startRow(bias, sums, 0, outChannels);
          for (let u = 0; u < kh; u++) {
            const iy = oy * strideY + u * dilationY - top;
            if (iy < 0 || iy >= height) continue;
            for (let v = 0; v < kw; v++) {
              const ix = ox * strideX + v * dilationX - left;
              if (ix < 0 || ix >= width) continue;
              const xAt = ((n * height + iy) * width + ix) * channels;
              const wAt = (u * kw + v) * outChannels;
              if (multiplier === 1) multiplyChannels(x, xAt, w!, wAt, sums, channels);
              else multiplyGroups(x, xAt, w!, wAt, sums, channels, multiplier);
            }
          }
          storeRow(sums, 0, activation, y, out, outChannels);
          out += outChannels;
        }
      }
    }
  };
}

/** sums[c] += x[c] · w[c]. */
function multiplyChannels(
  x: Float32Array,
  xAt: number,
  w: Float32Array,
  wAt: number,
  sums: Float64Array,
  channels: number,
): void {
  for (let c = 0; c < channels; c++) sums[c] += x[xAt + c] * w[wAt + c];
}

/** sums[c·m + j] += x[c] · w[c, j]. */
function multiplyGroups(
  x: Float32Array,
  xAt: number,
  w: Float32Array,
  wAt: number,
  sums: Float64Array,
  channels: number,
  multiplier: number,
): void {
  for (let c = 0; c < channels; c++) {
    const value = x[xAt + c];
    for (let o = c * multiplier; o < (c + 1) * multiplier; o++) sums[o] += value * w[wAt + o];
  }
}
