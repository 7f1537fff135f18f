/** Batch norm as training computes it, and its gradient. */

import { DepthwiseError } from "../../core/errors.ts";
import { belowOne, oneOf, optionError } from "../../core/options.ts";
import { asFloat, type FloatTensor, shapeText, type Tensor } from "../../core/tensor.ts";
import type { BatchNormWeights } from "../../eager/normalization.ts";
import { commonOptions, expectShape, produce } from "../../eager/run.ts";
import { activateRange } from "../../kernels/reference/activation.ts";
import { measureMoments, movedVariance } from "../../kernels/reference/gradients/batch-norm.ts";
import {
  batchNormBackward,
  batchNormForward,
  moveStatistic,
  type Statistics,
} from "../../kernels/reference/gradients/batch-norm-values.ts";
import type { FusedActivation } from "../../operations/activation-names.ts";
import { batchNorm as batchNormOperation } from "../../operations/batch-norm.ts";
import { lastAxis } from "../../operations/operation.ts";
import { beforeActivation, expectUpstream } from "./run.ts";

/** How a batch norm is computed in training. */
export interface BatchNormTrainingOptions {
  /**
   * `train` (default): statistics of this batch, over all axes but the last, through which the gradient flows.
   * `frozen`: the moving statistics, which are constants.
   */
  readonly mode?: "train" | "frozen";
  /** New moving statistics are momentum · moving + (1 − momentum) · batch. At least 0, below 1; default 0.9. */
  readonly momentum?: number;
  /** Default 0.001. */
  readonly epsilon?: number;
  /** Applied last. Default `linear`. */
  readonly activation?: FusedActivation;
}

/** What batch norm gives in training. All but `y` are `[channels]`. */
export interface BatchNormResult {
  readonly y: FloatTensor;
  /** In mode `train`. */
  readonly batchMean?: FloatTensor;
  /** In mode `train`; biased: divided by the number of values of a channel. */
  readonly batchVariance?: FloatTensor;
  /** The moving statistics after this step; in mode `frozen` as they were. */
  readonly movingMean: FloatTensor;
  /** Moved by the biased batch variance, as in Keras 3. */
  readonly movingVarianceBiased: FloatTensor;
  /** Moved by n / (n − 1) of it, as in PyTorch and TensorFlow's fused batch norm. */
  readonly movingVarianceUnbiased: FloatTensor;
}

/**
 * Batch norm over the last axis, as training computes it: `y = gamma · (x − mean) / √(variance + epsilon) + beta`.
 * Source: Ioffe and Szegedy 2015, algorithm 1.
 *
 * @param input      `[batch, …, channels]`, float32; in mode `train` at least two values a channel
 * @param parameters `mean` and `variance`, the moving ones, and `gamma` and `beta` where there are any, each `[channels]`
 * @throws {DepthwiseError} `SHAPE_MISMATCH`, also for one value a channel; `DTYPE_MISMATCH`; `OPTION_INVALID`
 */
export function batchNorm(
  input: Tensor,
  parameters: BatchNormWeights,
  options: BatchNormTrainingOptions = {},
): BatchNormResult {
  const checked = check("batchNorm", input, parameters, options);
  const { x, n, channels, moving, momentum, activation } = checked;
  const { statistics, batch } = measure(checked);
  const y = produce(x.shape, (into) => {
    batchNormForward(x.data, n, statistics, into);
    activateRange(activation, into, 0, into.length);
  });
  const copy = (from: Float32Array | Float64Array) => produce([channels], (into) => into.set(from));
  if (batch === undefined) {
    return {
      y,
      movingMean: copy(moving.mean),
      movingVarianceBiased: copy(moving.variance),
      movingVarianceUnbiased: copy(moving.variance),
    };
  }
  const moved = (from: Float32Array, by: Float64Array) =>
    produce([channels], (into) => moveStatistic(momentum, from, by, into));
  return {
    y,
    batchMean: copy(batch.mean),
    batchVariance: copy(batch.variance),
    movingMean: moved(moving.mean, batch.mean),
    movingVarianceBiased: moved(moving.variance, movedVariance(batch.variance, n, "biased")),
    movingVarianceUnbiased: moved(moving.variance, movedVariance(batch.variance, n, "unbiased")),
  };
}

/** The gradients of batch norm. */
export interface BatchNormGradient {
  /** Of the input's shape. */
  readonly dx: FloatTensor;
  /** `[channels]`, where there is a gamma. */
  readonly dgamma?: FloatTensor;
  /** `[channels]`, where there is a beta. */
  readonly dbeta?: FloatTensor;
}

/**
 * Gradient of `batchNorm`, over all n values of a channel, with x̂ = (x − mean) / √(variance + epsilon):
 *
 *     dbeta = Σ dy      dgamma = Σ dy · x̂      dx = gamma / √(variance + epsilon) · (dy − dbeta / n − x̂ · dgamma / n)
 *
 * In mode `frozen` dx lacks the two sums. Source: Ioffe and Szegedy 2015, §3.
 *
 * @param upstream   of the input's shape, float32
 * @param input      `[batch, …, channels]`, float32
 * @param parameters as for `batchNorm`
 * @param options    as for `batchNorm`; the moving statistics do not move, so `momentum` is checked and not used
 * @throws {DepthwiseError} as `batchNorm`
 */
export function batchNormGradient(
  upstream: Tensor,
  input: Tensor,
  parameters: BatchNormWeights,
  options: BatchNormTrainingOptions = {},
): BatchNormGradient {
  const owner = "batchNormGradient";
  const checked = check(owner, input, parameters, options);
  const { x, n, channels, gamma, beta, activation } = checked;
  const dy = expectUpstream(owner, upstream, x.shape);
  const { statistics, batch } = measure(checked);
  const dz = beforeActivation(activation, dy, () =>
    produce(x.shape, (into) => batchNormForward(x.data, n, statistics, into)),
  );
  const [dgamma, dbeta] = [produce([channels], () => {}), produce([channels], () => {})];
  const dx = produce(x.shape, (into) => {
    const gradients = { dx: into, dgamma: dgamma.data, dbeta: dbeta.data };
    batchNormBackward(dz, x.data, n, statistics, batch === undefined, gradients);
  });
  return { dx, ...(gamma && { dgamma }), ...(beta && { dbeta }) };
}

function check(owner: string, input: Tensor, parameters: BatchNormWeights, options: BatchNormTrainingOptions) {
  const { activation } = commonOptions(owner, options, ["mode", "momentum", "epsilon", "activation"]);
  const mode = oneOf(owner, "mode", options.mode ?? "train", ["train", "frozen"]);
  const momentum = belowOne(owner, "momentum", options.momentum ?? 0.9);
  const { epsilon } = batchNormOperation.check(owner, { epsilon: options.epsilon });
  const x = asFloat(input, `${owner}: input`);
  if (x.shape.length < 2) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${owner}: input`,
      expected: "shape [batch, …, channels]",
      found: `rank ${x.shape.length}`,
    });
  }
  const channels = lastAxis(x.shape);
  if (typeof parameters !== "object" || parameters === null) {
    throw optionError(owner, "parameters", "{ mean, variance, gamma?, beta? }", parameters);
  }
  const numbers = (what: string, value: Tensor) =>
    expectShape(owner, what, value, [channels], `The input has ${channels} channels.`).data;
  const gamma = parameters.gamma && numbers("gamma", parameters.gamma);
  const beta = parameters.beta && numbers("beta", parameters.beta);
  const moving = { mean: numbers("mean", parameters.mean), variance: numbers("variance", parameters.variance) };
  const n = channels === 0 ? 0 : x.data.length / channels;
  if (mode === "train" && n < 2) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${owner}: input`,
      expected: "at least two values of each channel",
      found: shapeText(x.shape),
      advice: "One value has no variance: use a larger batch, or mode 'frozen'.",
      fields: { owner, shape: x.shape },
    });
  }
  return { isTrain: mode === "train", x, n, channels, epsilon, gamma, beta, moving, momentum, activation };
}

/** The statistics to normalise by, and those of the batch where it is they. */
function measure({ isTrain, x, n, channels, epsilon, gamma, beta, moving }: ReturnType<typeof check>) {
  const batch = isTrain ? measureMoments(x.data, n, channels) : undefined;
  const statistics: Statistics = { epsilon, gamma, beta, ...(batch ?? moving) };
  return { statistics, batch };
}
