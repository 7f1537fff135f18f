/** Activations on a range of numbers, in place or from one array to another. NaN stays NaN. */

import type { FusedActivation } from "../../operations/activation-names.ts";
import type { ActivationCall } from "../../operations/kernel-call.ts";
import type { Runner } from "./runner.ts";

const fround = Math.fround;

export function activation(call: ActivationCall): Runner {
  return (batch, { inputs: [x], output: y }) => {
    const elements = batch * call.elements;
    for (let i = 0; i < elements; i++) y[i] = x[i];
    if (call.activation === "leakyRelu") leakRange(call.slope, y, 0, elements);
    else activateRange(call.activation, y, 0, elements);
  };
}

/** Multiplies what is below 0 by the slope, in y[at … at + count − 1]. */
export function leakRange(slope: number, y: Float32Array, at: number, count: number): void {
  const end = at + count;
  for (let i = at; i < end; i++) if (y[i] < 0) y[i] *= slope;
}

/** Applies an activation to y[at … at + count − 1] in place. */
export function activateRange(name: FusedActivation, y: Float32Array, at: number, count: number): void {
  const end = at + count;
  switch (name) {
    case "linear":
      return;
    case "relu":
      for (let i = at; i < end; i++) if (y[i] < 0) y[i] = 0;
      return;
    case "relu6":
      for (let i = at; i < end; i++) {
        const value = y[i];
        if (value < 0) y[i] = 0;
        else if (value > 6) y[i] = 6;
      }
      return;
    case "hardSigmoid":
      for (let i = at; i < end; i++) y[i] = hardSigmoid(y[i]);
      return;
    case "hardSwish":
      for (let i = at; i < end; i++) y[i] = fround(y[i] * hardSigmoid(y[i]));
      return;
  }
}

function hardSigmoid(value: number): number {
  return fround(Math.min(Math.max(fround(value + 3), 0), 6) / 6);
}
