/** Batch norm as scale and shift: y[p, c] = x[p, c] · scale[c] + shift[c]. */

import type { ScaleShiftCall } from "../../operations/kernel-call.ts";
import { activateRange } from "./activation.ts";
import type { Runner } from "./runner.ts";

const fround = Math.fround;

export function scaleShift(call: ScaleShiftCall): Runner {
  return (batch, { inputs: [x], parameters: [scale, shift], output: y }) => {
    const { channels, activation } = call;
    const pixels = batch * call.pixels;
    for (let p = 0; p < pixels; p++) {
      const at = p * channels;
      for (let c = 0; c < channels; c++) y[at + c] = fround(fround(x[at + c] * scale![c]) + shift![c]);
      activateRange(activation, y, at, channels);
    }
  };
}
