/** Batch norm on tensors. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { asFloat, type FloatTensor, type Tensor } from "../core/tensor.ts";
import { scaleShift } from "../kernels/reference/scale-shift.ts";
import type { FusedActivation } from "../operations/activation-names.ts";
import { batchNorm as batchNormOperation, scaleAndShift } from "../operations/batch-norm.ts";
import type { ScaleShiftCall } from "../operations/kernel-call.ts";
import { lastAxis } from "../operations/operation.ts";
import { commonOptions, compute, expectShape } from "./run.ts";

/** Each `[channels]`. Without gamma it counts as 1, without beta as 0. */
export interface BatchNormWeights {
  readonly gamma?: Tensor;
  readonly beta?: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * Batch norm with given statistics, over the last axis:
 * `output = gamma · (input − mean) / √(variance + epsilon) + beta`.
 *
 * @param input   `[batch, …, channels]`, float32
 * @param weights `mean` and `variance`, and `gamma` and `beta` where there are any, each `[channels]`
 * @param options `epsilon`, default 0.001; `activation`
 * @returns the input's shape, a new tensor
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OPTION_INVALID`
 */
export function batchNorm(
  input: Tensor,
  weights: BatchNormWeights,
  options: { readonly epsilon?: number; readonly activation?: FusedActivation } = {},
): FloatTensor {
  const owner = "batchNorm";
  const { activation } = commonOptions(owner, options, ["epsilon", "activation"]);
  const x = asFloat(input, `${owner}: input`);
  if (x.shape.length < 2) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${owner}: input`,
      expected: "shape [batch, …, channels]",
      found: `rank ${x.shape.length}`,
    });
  }
  const channels = lastAxis(x.shape);
  if (typeof weights !== "object" || weights === null) {
    throw optionError(owner, "weights", "{ mean, variance, gamma?, beta? }", weights);
  }
  const attributes = batchNormOperation.check(owner, { epsilon: options.epsilon });
  const numbers = (what: string, value: Tensor) =>
    expectShape(owner, what, value, [channels], `The input has ${channels} channels.`).data;
  const { scale, shift } = scaleAndShift(
    {
      gamma: weights.gamma && numbers("gamma", weights.gamma),
      beta: weights.beta && numbers("beta", weights.beta),
      mean: numbers("mean", weights.mean),
      variance: numbers("variance", weights.variance),
    },
    attributes.epsilon,
  );
  const call = batchNormOperation.call(owner, attributes, [x.shape], x.shape) as ScaleShiftCall;
  const parameters = [Float32Array.from(scale), Float32Array.from(shift)];
  return compute(x.shape, scaleShift({ ...call, activation }), [x.data], parameters);
}
