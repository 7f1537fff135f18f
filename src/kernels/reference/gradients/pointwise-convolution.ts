/**
 * Gradients of a pointwise convolution, and of a dense layer, which is one of a single pixel:
 *
 *     dx[p, ic]  = Σ(oc) dz[p, oc] · w[ic, oc]
 *     dw[ic, oc] = Σ(p) x[p, ic] · dz[p, oc]
 *
 * Sums run in float64, oc and p ascending, and are rounded once.
 */

import type { PointwiseCall } from "../../../operations/kernel-call.ts";
import type { LayerGradients } from "./layer-gradients.ts";
import { writeSums } from "./runner.ts";

export function pointwiseGradients(call: PointwiseCall): LayerGradients {
  const { pixels, inChannels, outChannels } = call;
  return {
    inputElements: pixels * inChannels,
    outputPixels: pixels,
    outputChannels: outChannels,
    input: (batch, dz, w, dx) => {
      for (let p = 0; p < batch * pixels; p++) {
        const zAt = p * outChannels;
        let wAt = 0;
        for (let ic = 0; ic < inChannels; ic++) {
          let sum = 0;
          for (let oc = 0; oc < outChannels; oc++) sum += dz[zAt + oc] * w[wAt++];
          dx[p * inChannels + ic] = sum;
        }
      }
    },
    kernel: (batch, x, dz, dw, adds) => {
      const sums = new Float64Array(inChannels * outChannels);
      for (let p = 0; p < batch * pixels; p++) {
        const zAt = p * outChannels;
        let wAt = 0;
        for (let ic = 0; ic < inChannels; ic++) {
          const value = x[p * inChannels + ic];
          for (let oc = 0; oc < outChannels; oc++) sums[wAt++] += value * dz[zAt + oc];
        }
      }
      writeSums(sums, dw, 0, adds);
    },
  };
}
