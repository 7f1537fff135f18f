/**
 * Gradients of a standard convolution, the forward loop read backwards. With dz of y, for each tap (u, v) that output
 * pixel o sees at input pixel i:
 *
 *     dx[i, ic]       += Σ(oc) dz[o, oc] · w[u, v, ic, oc]
 *     dw[u, v, ic, oc] += x[i, ic] · dz[o, oc]
 *
 * Sums run in float64 over oy, ox, u, v (dw: over the examples first) and are rounded once.
 */

import type { ConvolutionCall } from "../../../operations/kernel-call.ts";
import { eachTap } from "./each-tap.ts";
import type { LayerGradients } from "./layer-gradients.ts";
import { writeSums } from "./runner.ts";

export function convolutionGradients(call: ConvolutionCall): LayerGradients {
  const { window, inChannels, outChannels } = call;
  const inputElements = window.input[0] * window.input[1] * inChannels;
  const outputPixels = window.output[0] * window.output[1];
  const weights = inChannels * outChannels;
  return {
    inputElements,
    outputPixels,
    outputChannels: outChannels,
    input: (batch, dz, w, dx) => {
      const sums = new Float64Array(inputElements);
      for (let n = 0; n < batch; n++) {
        sums.fill(0);
        eachTap(window, (out, tap, pixel) => {
          const zAt = (n * outputPixels + out) * outChannels;
          let wAt = tap * weights;
          for (let ic = 0; ic < inChannels; ic++) {
            let sum = 0;
            for (let oc = 0; oc < outChannels; oc++) sum += dz[zAt + oc] * w[wAt++];
            sums[pixel * inChannels + ic] += sum;
          }
        });
        writeSums(sums, dx, n * inputElements);
      }
    },
    kernel: (batch, x, dz, dw, adds) => {
      const sums = new Float64Array(window.kernel[0] * window.kernel[1] * weights);
      for (let n = 0; n < batch; n++) {
        eachTap(window, (out, tap, pixel) => {
          const zAt = (n * outputPixels + out) * outChannels;
          const xAt = n * inputElements + pixel * inChannels;
          let wAt = tap * weights;
          for (let ic = 0; ic < inChannels; ic++) {
            const value = x[xAt + ic];
            for (let oc = 0; oc < outChannels; oc++) sums[wAt++] += value * dz[zAt + oc];
          }
        });
      }
      writeSums(sums, dw, 0, adds);
    },
  };
}
