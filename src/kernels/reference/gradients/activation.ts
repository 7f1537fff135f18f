/**
 * Gradients of activations: dx = dy · f′(x). At a kink the slope is that of the side that is flat: 0 at 0 and 6 for
 * relu and relu6 (PyTorch's and TensorFlow's), at −3 and 3 for hardSigmoid, and `slope` at 0 for leakyRelu. That of
 * hardSwish is (2x + 3) / 6 at −3 and 3 too (PyTorch 1's). NaN, which lies on no side, gets 0, and the slope of leakyRelu.
 */

import type { FusedActivation } from "../../../operations/activation-names.ts";
import type { ActivationCall } from "../../../operations/kernel-call.ts";
import type { ActivationGradientCall } from "../../../operations/training-call.ts";
import type { TrainingRunner } from "./runner.ts";

export function activationGradientRunner({ of }: ActivationGradientCall): TrainingRunner {
  return (batch, { dy, x, dx }) => activationGradientRange(of, dy!, x!, dx!, batch * of.elements);
}

/** What an activation is, without the size of what it is applied to. */
export type AppliedActivation =
  | { readonly activation: FusedActivation }
  | (Pick<ActivationCall, "activation"> & { readonly activation: "leakyRelu"; readonly slope: number });

/** Of `count` numbers; dx may be dy. */
export function activationGradientRange(
  of: AppliedActivation,
  dy: Float32Array,
  x: Float32Array,
  dx: Float32Array,
  count: number,
): void {
  switch (of.activation) {
    case "linear":
      for (let i = 0; i < count; i++) dx[i] = dy[i];
      return;
    case "relu":
      for (let i = 0; i < count; i++) dx[i] = x[i] > 0 ? dy[i] : 0;
      return;
    case "relu6":
      for (let i = 0; i < count; i++) dx[i] = x[i] > 0 && x[i] < 6 ? dy[i] : 0;
      return;
    case "hardSigmoid":
      for (let i = 0; i < count; i++) dx[i] = x[i] > -3 && x[i] < 3 ? dy[i] / 6 : 0;
      return;
    case "hardSwish":
      for (let i = 0; i < count; i++) dx[i] = x[i] > 3 ? dy[i] : x[i] >= -3 ? (dy[i] * (2 * x[i] + 3)) / 6 : 0;
      return;
    case "leakyRelu":
      for (let i = 0; i < count; i++) dx[i] = x[i] > 0 ? dy[i] : dy[i] * of.slope;
      return;
  }
}
