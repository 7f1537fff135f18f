/**
 * Standard and pointwise convolution as a matrix product, in tiles of 5 pixels × at most 256 output channels:
 *
 *     y[p, oc] = bias[oc] + Σ(k) row(p)[k] · w[k, oc]
 *
 * `row(p)` is what an output pixel sees, `[u, v, ic]`, 0 outside the image; w [kh · kw · inChannels, outChannels]. Sums
 * run in float64, bias first, then k ascending, and are rounded once: the bits of the reference loops, which take over
 * where the tiles do not fit.
 *
 * What is hot lies in float64 arrays that closures, made once, never see change. V8 compiles their addresses and
 * lengths into the code; arrays of one length that are read at one index then share one check, and a step is 10
 * multiplies, 10 adds and hardly more. It loses sight of them in top-level variables, which bundlers declare by `var`,
 * and in a nest of loops: hence one scratch for all kernels, and one loop a function. V1's pointwise layers take 134 and
 * 111 ms on Node 20 and 24 so, twice that without the constants, 267 and 230 in the reference loops.
 */

import type { ConvolutionCall } from "../../operations/kernel-call.ts";
import { type Operands, type Runner, referenceKernel } from "../reference/index.ts";
import { copyRow, type KernelAndBias, loadBias, storeSums } from "./rows.ts";
import { tapsOf } from "./window-taps.ts";

/** Nearly whole tiles of 7 × 7, 14 × 14 … pixels. Tiles of 4 or 6 pixels, and steps of 4 k, are up to 5 % slower. */
const PIXELS = 5;
/** Most channels a tile; 128 is as fast. */
const COLUMNS = 256;
/** Rows are shorter than this. */
const DEPTH = 4096;
/** Numbers in each of the two arrays of weights, 512 KB together; half of it is 8 % slower. */
const WEIGHTS = 32_768;

type Gather = (x: Float32Array, p: number, row: Float64Array) => void;

const convolve = /* @__PURE__ */ makeConvolve();

export function convolution(call: ConvolutionCall): Runner {
  const { window, inChannels } = call;
  const taps = new Int32Array(window.kernel[0] * window.kernel[1]);
  const findTaps = tapsOf(window);
  const depth = taps.length * inChannels;
  const isPadded = window.padding.flat().some((pixels) => pixels > 0);
  const reference = referenceKernel(call);

  function gather(x: Float32Array, p: number, row: Float64Array): void {
    if (!findTaps(p, taps)) row.fill(0, 0, depth);
    for (let tap = 0; tap < taps.length; tap++) {
      if (taps[tap] >= 0) copyRow(x, taps[tap] * inChannels, inChannels, row, tap * inChannels);
    }
    // The last step of an odd depth reads one more.
    row[depth] = 0;
  }

  return (batch, operands) => {
    const pixels = batch * window.output[0] * window.output[1];
    // Fewer pixels, a dense layer's one above all, would not pay for the way of the weights.
    if (pixels < PIXELS || depth >= DEPTH || (isPadded && zerosMatter(operands))) reference(batch, operands);
    else convolve(call, pixels, depth, gather, operands);
  };
}

/** Whether adding 0 · w can change a sum: where w is infinite or NaN, and where a sum begins with −0. */
function zerosMatter({ parameters }: Operands): boolean {
  const [w, bias] = parameters as KernelAndBias;
  return !w.every(Number.isFinite) || bias?.some((value) => Object.is(value, -0)) === true;
}

function makeConvolve() {
  const arrays = (count: number, length: number) => Array.from({ length: count }, () => new Float64Array(length));
  const rows = arrays(PIXELS, DEPTH);
  const sums = arrays(PIXELS, COLUMNS);
  /** Even k in the first, odd k in the second. */
  const weights = arrays(2, WEIGHTS);
  const biases = new Float64Array(COLUMNS);
  const [x0, x1, x2, x3, x4] = rows;
  const [s0, s1, s2, s3, s4] = sums;
  const [w0, w1] = weights;

  /** s[oc] += x[k] · w[k, oc] + x[k + 1] · w[k + 1, oc], in this order, for the five pixels. */
  function addTwo(k: number, at: number, width: number): void {
    const a0 = x0[k];
    const a1 = x1[k];
    const a2 = x2[k];
    const a3 = x3[k];
    const a4 = x4[k];
    const b0 = x0[k + 1];
    const b1 = x1[k + 1];
    const b2 = x2[k + 1];
    const b3 = x3[k + 1];
    const b4 = x4[k + 1];
    // The mask changes nothing: it tells V8 that base + oc cannot overflow, which is worth 4 %.
    const base = at & 0xffff;
    for (let oc = 0; oc < width; oc++) {
      const v0 = w0[base + oc];
      const v1 = w1[base + oc];
      s0[oc] = s0[oc] + a0 * v0 + b0 * v1;
      s1[oc] = s1[oc] + a1 * v0 + b1 * v1;
      s2[oc] = s2[oc] + a2 * v0 + b2 * v1;
      s3[oc] = s3[oc] + a3 * v0 + b3 * v1;
      s4[oc] = s4[oc] + a4 * v0 + b4 * v1;
    }
  }

  return (call: ConvolutionCall, pixels: number, depth: number, gather: Gather, operands: Operands): void => {
    const { outChannels, activation } = call;
    const { inputs, parameters, output } = operands;
    const [x] = inputs;
    const [w, bias] = parameters as KernelAndBias;
    const columns = Math.min(outChannels, COLUMNS, Math.floor(WEIGHTS / Math.ceil(depth / 2)));
    for (let oc = 0; oc < outChannels; oc += columns) {
      const width = Math.min(columns, outChannels - oc);
      loadBias(bias, oc, width, biases);
      for (let k = 0; k < depth; k++) copyRow(w, k * outChannels + oc, width, weights[k & 1], (k >> 1) * width);
      // The last step of an odd depth adds 0 · −0 too, which leaves every sum as it is.
      w1.fill(-0, (depth >> 1) * width, ((depth >> 1) + 1) * width);
      for (let p = 0; p < pixels; p += PIXELS) {
        // The last tile reaches back over pixels that are done, and computes the same bits again.
        const first = Math.min(p, pixels - PIXELS);
        for (let i = 0; i < PIXELS; i++) {
          gather(x, first + i, rows[i]);
          sums[i].set(biases);
        }
        for (let k = 0, at = 0; k < depth; k += 2, at += width) addTwo(k, at, width);
        for (let i = 0; i < PIXELS; i++) storeSums(sums[i], width, activation, output, (first + i) * outChannels + oc);
      }
    }
  };
}
