/**
 * Pointwise convolution and dense layers, a matrix product:
 *
 *     y[p, oc] = bias[oc] + Σ(ic) x[p, ic] · w[ic, oc]
 *
 * x [pixels, inChannels], w [inChannels, outChannels], y [pixels, outChannels]. Bias first, then ic ascending.
 * `sums` is scratch for two rows of output channels.
 */

import type { PointwiseCall } from "../../operations/kernel-call.ts";
import { accumulateRow, accumulateTwoRows, startRow, storeRow } from "./multiply-rows.ts";
import type { Runner } from "./runner.ts";

export function pointwiseConvolution(call: PointwiseCall): Runner {
  const sums = new Float64Array(2 * call.outChannels);
  return (batch, { inputs: [x], parameters: [w, bias], output: y }) => {
    const { inChannels, outChannels, activation } = call;
    const pixels = batch * call.pixels;
    let p = 0;
    for (; p + 2 <= pixels; p += 2) {
      startRow(bias, sums, 0, outChannels);
      startRow(bias, sums, outChannels, outChannels);
      accumulateTwoRows(x, p * inChannels, inChannels, w!, sums, outChannels);
      storeRow(sums, 0, activation, y, p * outChannels, outChannels);
      storeRow(sums, outChannels, activation, y, (p + 1) * outChannels, outChannels);
    }
    if (p < pixels) {
      startRow(bias, sums, 0, outChannels);
      accumulateRow(x, p * inChannels, inChannels, w!, 0, sums, outChannels);
      storeRow(sums, 0, activation, y, p * outChannels, outChannels);
    }
  };
}
