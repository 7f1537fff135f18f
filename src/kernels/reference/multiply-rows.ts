/**
 * Rows of output channels: the inner loops that the convolutions share.
 *
 * Sums are kept in float64 and rounded once, when a row is stored: a JavaScript engine multiplies float64 faster
 * than it rounds to float32 after each step (measured: 270 against 456 ms for V1's pointwise layers), and the
 * result is the better measuring stick. Innermost runs over contiguous output channels, as the weights lie.
 */

import type { FusedActivation } from "../../operations/activation-names.ts";
import { activateRange } from "./activation.ts";

/** sums[at + oc] = bias[oc], or 0. */
export function startRow(bias: Float32Array | undefined, sums: Float64Array, at: number, channels: number): void {
  for (let oc = 0; oc < channels; oc++) sums[at + oc] = bias === undefined ? 0 : bias[oc];
}

/** y[yAt + oc] = activation(sums[at + oc]), rounded to float32 here and nowhere before. */
export function storeRow(
  sums: Float64Array,
  at: number,
  activation: FusedActivation,
  y: Float32Array,
  yAt: number,
  channels: number,
): void {
  for (let oc = 0; oc < channels; oc++) y[yAt + oc] = sums[at + oc];
  activateRange(activation, y, yAt, channels);
}

/** sums[oc] += Σ(ic) x[ic] · w[ic, oc], ic ascending; four input channels a pass, so that sums move less often. */
export function accumulateRow(
  x: Float32Array,
  xAt: number,
  inChannels: number,
  w: Float32Array,
  wAt: number,
  sums: Float64Array,
  outChannels: number,
): void {
  let ic = 0;
  for (; ic + 4 <= inChannels; ic += 4) {
    const x0 = x[xAt + ic];
    const x1 = x[xAt + ic + 1];
    const x2 = x[xAt + ic + 2];
    const x3 = x[xAt + ic + 3];
    const w0 = wAt + ic * outChannels;
    const w1 = w0 + outChannels;
    const w2 = w1 + outChannels;
    const w3 = w2 + outChannels;
    for (let oc = 0; oc < outChannels; oc++) {
      sums[oc] = sums[oc] + x0 * w[w0 + oc] + x1 * w[w1 + oc] + x2 * w[w2 + oc] + x3 * w[w3 + oc];
    }
  }
  for (; ic < inChannels; ic++) {
    const x0 = x[xAt + ic];
    const w0 = wAt + ic * outChannels;
    for (let oc = 0; oc < outChannels; oc++) sums[oc] += x0 * w[w0 + oc];
  }
}

/** Two pixels at once, x at `xAt` and `xAt + inChannels`: each weight is loaded once for both. Same order of sums. */
export function accumulateTwoRows(
  x: Float32Array,
  xAt: number,
  inChannels: number,
  w: Float32Array,
  sums: Float64Array,
  outChannels: number,
): void {
  const second = xAt + inChannels;
  let ic = 0;
  for (; ic + 4 <= inChannels; ic += 4) {
    const a0 = x[xAt + ic];
    const a1 = x[xAt + ic + 1];
    const a2 = x[xAt + ic + 2];
    const a3 = x[xAt + ic + 3];
    const b0 = x[second + ic];
    const b1 = x[second + ic + 1];
    const b2 = x[second + ic + 2];
    const b3 = x[second + ic + 3];
    const w0 = ic * outChannels;
    const w1 = w0 + outChannels;
    const w2 = w1 + outChannels;
    const w3 = w2 + outChannels;
    for (let oc = 0; oc < outChannels; oc++) {
      const v0 = w[w0 + oc];
      const v1 = w[w1 + oc];
      const v2 = w[w2 + oc];
      const v3 = w[w3 + oc];
      sums[oc] = sums[oc] + a0 * v0 + a1 * v1 + a2 * v2 + a3 * v3;
      sums[outChannels + oc] = sums[outChannels + oc] + b0 * v0 + b1 * v1 + b2 * v2 + b3 * v3;
    }
  }
  for (; ic < inChannels; ic++) {
    const a0 = x[xAt + ic];
    const b0 = x[second + ic];
    const w0 = ic * outChannels;
    for (let oc = 0; oc < outChannels; oc++) {
      sums[oc] += a0 * w[w0 + oc];
      sums[outChannels + oc] += b0 * w[w0 + oc];
    }
  }
}
