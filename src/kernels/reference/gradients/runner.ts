/** What a runner of a step of training is: operands by their roles in `operations/training-call.ts`. */

import type { ByKernel } from "../../../operations/kernel-call.ts";
import type { TrainingCall } from "../../../operations/training-call.ts";

/** Values by role. An array may be longer than the batch needs: the first examples count. */
export type TrainingOperands = Readonly<Record<string, Float32Array | undefined>>;

export interface TrainingStepOptions {
  /** Gradients of parameters are added to what is there, as for the later parts of an accumulated batch. */
  readonly adds: boolean;
  /** The gradient of the loss is multiplied by it. */
  readonly scale: number;
}

/** Computes a call on so many examples. Its scratch is its own. */
export type TrainingRunner = (batch: number, operands: TrainingOperands, options: TrainingStepOptions) => void;

/** One row a kernel. */
export type TrainingRunners = ByKernel<TrainingCall, TrainingRunner>;

/** Scratch that grows to the largest batch seen. */
export function growing(): (length: number) => Float32Array {
  let scratch = new Float32Array(0);
  return (length) => {
    if (scratch.length < length) scratch = new Float32Array(length);
    return scratch;
  };
}

/** y[at + i] = sums[i], rounded here and nowhere before; with `adds` the sum goes to what is there. */
export function writeSums(sums: Float64Array, y: Float32Array, at: number, adds = false): void {
  for (let i = 0; i < sums.length; i++) y[at + i] = adds ? y[at + i] + sums[i] : sums[i];
}
