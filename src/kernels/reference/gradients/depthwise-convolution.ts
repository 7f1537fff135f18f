/**
 * Gradients of a depthwise convolution. With dz of y, for each tap (u, v) that output pixel o sees at input pixel i:
 *
 *     dx[i, c]       += Σ(j) dz[o, c·m + j] · w[u, v, c, j]
 *     dw[u, v, c, j] += x[i, c] · dz[o, c·m + j]
 *
 * Sums run in float64 over oy, ox, u, v (dw: over the examples first) and are rounded once.
 */

import type { DepthwiseCall } from "../../../operations/kernel-call.ts";
import { eachTap } from "./each-tap.ts";
import type { LayerGradients } from "./layer-gradients.ts";
import { writeSums } from "./runner.ts";

export function depthwiseGradients(call: DepthwiseCall): LayerGradients {
  const { window, channels, multiplier } = call;
  const inputElements = window.input[0] * window.input[1] * channels;
  const outputPixels = window.output[0] * window.output[1];
  const outChannels = channels * multiplier;
  return {
    inputElements,
    outputPixels,
    outputChannels: outChannels,
    input: (batch, dz, w, dx) => {
      const sums = new Float64Array(inputElements);
      for (let n = 0; n < batch; n++) {
        sums.fill(0);
        eachTap(window, (out, tap, pixel) => {
          let zAt = (n * outputPixels + out) * outChannels;
          let wAt = tap * outChannels;
          for (let c = 0; c < channels; c++) {
            let sum = 0;
            for (let j = 0; j < multiplier; j++) sum += dz[zAt++] * w[wAt++];
            sums[pixel * channels + c] += sum;
          }
        });
        writeSums(sums, dx, n * inputElements);
      }
    },
    kernel: (batch, x, dz, dw, adds) => {
      const sums = new Float64Array(window.kernel[0] * window.kernel[1] * outChannels);
      for (let n = 0; n < batch; n++) {
        eachTap(window, (out, tap, pixel) => {
          const xAt = n * inputElements + pixel * channels;
          let zAt = (n * outputPixels + out) * outChannels;
          let wAt = tap * outChannels;
          for (let c = 0; c < channels; c++) {
            const value = x[xAt + c];
            for (let j = 0; j < multiplier; j++) sums[wAt++] += value * dz[zAt++];
          }
        });
      }
      writeSums(sums, dw, 0, adds);
    },
  };
}
