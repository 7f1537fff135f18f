/** Activations that run within a kernel: as the clamp at its end, or on its output after it. */

import type { FusedActivation } from "../../operations/activation-names.ts";
import type { AfterActivation } from "./lowered.ts";

/** Activations that are a clamp, and its bounds; that of `linear` clamps nothing. */
export const CLAMPS = {
  linear: { low: -Infinity, high: Infinity },
  relu: { low: 0, high: Infinity },
  relu6: { low: 0, high: 6 },
} as const satisfies {
  readonly [A in Exclude<FusedActivation, AfterActivation>]: { readonly low: number; readonly high: number };
};

export const isClamp = (name: FusedActivation): name is keyof typeof CLAMPS => name in CLAMPS;
