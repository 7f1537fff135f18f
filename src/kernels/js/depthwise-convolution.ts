/**
 * Depthwise convolution with a 3 × 3 kernel and multiplier 1, all nine taps in one step:
 *
 *     y[n, oy, ox, c] = bias[c] + Σ(u, v) x[n, oy·s + u·d − top, ox·s + v·d − left, c] · w[u, v, c]
 *
 * x [n, h, w, channels], w [3, 3, channels, 1]. Sums run in float64, bias first, then u, then v, and are rounded once:
 * the bits of the reference loops, which take over for other kernels. Weights are constants as `convolution.ts`
 * explains. V1's layers take 23 and 18 ms on Node 20 and 24, against 53 and 35; rows padded with zeros in float64, which
 * have no edges, are 6 % slower than this.
 */

import type { DepthwiseCall } from "../../operations/kernel-call.ts";
import { type Runner, referenceKernel } from "../reference/index.ts";
import { copyRow, type KernelAndBias, loadBias, storeSums } from "./rows.ts";
import { tapsOf } from "./window-taps.ts";

/** Most channels at a time. */
const CHANNELS = 256;

const weights = /* @__PURE__ */ Array.from({ length: 9 }, () => new Float64Array(CHANNELS));
const biases = new Float64Array(CHANNELS);
const sums = new Float64Array(CHANNELS);
const addNine = /* @__PURE__ */ makeAddNine(weights, biases, sums);

export function depthwiseConvolution(call: DepthwiseCall): Runner {
  const { window, channels, multiplier, activation } = call;
  const [kh, kw] = window.kernel;
  if (kh !== 3 || kw !== 3 || multiplier !== 1) return referenceKernel(call);
  const findTaps = tapsOf(window);
  const taps = new Int32Array(9);

  return (batch, { inputs, parameters, output }) => {
    const [x] = inputs;
    const [w, bias] = parameters as KernelAndBias;
    const pixels = batch * window.output[0] * window.output[1];
    for (let c = 0; c < channels; c += CHANNELS) {
      const count = Math.min(CHANNELS, channels - c);
      for (let tap = 0; tap < 9; tap++) copyRow(w, tap * channels + c, count, weights[tap], 0);
      loadBias(bias, c, count, biases);
      for (let p = 0; p < pixels; p++) {
        if (findTaps(p, taps)) addNine(x, taps, channels, c, count);
        else {
          sums.set(biases);
          for (let tap = 0; tap < 9; tap++) {
            if (taps[tap] >= 0) addOne(x, taps[tap] * channels + c, weights[tap], count);
          }
        }
        storeSums(sums, count, activation, output, p * channels + c);
      }
    }
  };
}

/** sums[c] = biases[c] + the products of all nine taps. */
function makeAddNine([w0, w1, w2, w3, w4, w5, w6, w7, w8]: Float64Array[], biases: Float64Array, sums: Float64Array) {
  return (x: Float32Array, taps: Int32Array, channels: number, from: number, count: number): void => {
    const a0 = taps[0] * channels + from;
    const a1 = taps[1] * channels + from;
    const a2 = taps[2] * channels + from;
    const a3 = taps[3] * channels + from;
    const a4 = taps[4] * channels + from;
    const a5 = taps[5] * channels + from;
    const a6 = taps[6] * channels + from;
    const a7 = taps[7] * channels + from;
    const a8 = taps[8] * channels + from;
    for (let c = 0; c < count; c++) {
      const top = biases[c] + x[a0 + c] * w0[c] + x[a1 + c] * w1[c] + x[a2 + c] * w2[c];
      const middle = top + x[a3 + c] * w3[c] + x[a4 + c] * w4[c] + x[a5 + c] * w5[c];
      sums[c] = middle + x[a6 + c] * w6[c] + x[a7 + c] * w7[c] + x[a8 + c] * w8[c];
    }
  };
}

/** sums[c] += x[c] · w[c]: at the edges, where taps outside the image add nothing. */
function addOne(x: Float32Array, at: number, w: Float64Array, count: number): void {
  for (let c = 0; c < count; c++) sums[c] += x[at + c] * w[c];
}
