/**
 * Standard convolution in plain loops:
 *
 *     y[n, oy, ox, oc] = bias[oc] + Σ(u, v, ic) x[n, oy·s + u·d − top, ox·s + v·d − left, ic] · w[u, v, ic, oc]
 *
 * x [n, h, w, inChannels], w [kh, kw, inChannels, outChannels], y [n, outH, outW, outChannels].
 * Every sum runs in float64 and is rounded once: bias first, then u, v, ic in this order. Taps outside the image
 * add nothing. `sums` is scratch for one row of output channels.
 */

import type { ConvolutionCall } from "../../operations/kernel-call.ts";
import { accumulateRow, startRow, storeRow } from "./multiply-rows.ts";
import type { Runner } from "./runner.ts";

export function convolution(call: ConvolutionCall): Runner {
  const sums = new Float64Array(call.outChannels);
  return (batch, { inputs: [x], parameters: [w, bias], output: y }) => {
    const { window, inChannels, outChannels, activation } = call;
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
          startRow(bias, sums, 0, outChannels);
          for (let u = 0; u < kh; u++) {
            const iy = oy * strideY + u * dilationY - top;
            if (iy < 0 || iy >= height) continue;
            for (let v = 0; v < kw; v++) {
              const ix = ox * strideX + v * dilationX - left;
              if (ix < 0 || ix >= width) continue;
              const xAt = ((n * height + iy) * width + ix) * inChannels;
              const wAt = (u * kw + v) * inChannels * outChannels;
              accumulateRow(x, xAt, inChannels, w!, wAt, sums, outChannels);
            }
          }
          storeRow(sums, 0, activation, y, out, outChannels);
          out += outChannels;
        }
      }
    }
  };
}
