/** What the gradients of all operations check and allocate alike. */

import type { FloatTensor, Shape, Tensor } from "../../core/tensor.ts";
import { expectShape, produce } from "../../eager/run.ts";
import { activationGradientRange } from "../../kernels/reference/gradients/activation.ts";
import type { FusedActivation } from "../../operations/activation-names.ts";

/** The gradient of an operation of one input. */
export interface InputGradient {
  /** Of the input's shape. */
  readonly dx: FloatTensor;
}

/** The gradient of what an operation gave. */
export function expectUpstream(owner: string, upstream: Tensor, output: Shape): FloatTensor {
  return expectShape(owner, "upstream", upstream, output, "It has the shape of the operation's output.");
}

/**
 * The gradient of what an operation gave before its activation.
 *
 * @param before computes that, asked only where there is an activation
 */
export function beforeActivation(
  activation: FusedActivation,
  upstream: FloatTensor,
  before: () => FloatTensor,
): Float32Array {
  if (activation === "linear") return upstream.data;
  const { data: z } = before();
  return produce(upstream.shape, (dz) => activationGradientRange({ activation }, upstream.data, z, dz, dz.length)).data;
}
