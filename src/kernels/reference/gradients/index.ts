/** Training on the reference backend: plain loops, one row a call. A page that only runs a network has none of it. */

import { activationGradientRunner } from "./activation.ts";
import { lossRunner } from "./cross-entropy.ts";
import { dropoutRunner } from "./dropout.ts";
import { elementwiseGradientRunner, sumRunner } from "./elementwise.ts";
import {
  backwardRunner,
  forwardRunner,
  normaliseGradientRunner,
  normaliseRunner,
  normGradientRunner,
  normRunner,
} from "./layer.ts";
import { poolGradientRunner } from "./pool.ts";
import type { TrainingRunners } from "./runner.ts";
import { softmaxGradientRunner } from "./softmax.ts";

export type { TrainingOperands, TrainingRunner, TrainingRunners, TrainingStepOptions } from "./runner.ts";

/** The runners of all calls of training. The calls of a run that training uses as they are have theirs in `REFERENCE`. */
export const REFERENCE_TRAINING: TrainingRunners = {
  dropout: dropoutRunner,
  forward: forwardRunner,
  backward: backwardRunner,
  normalise: normaliseRunner,
  norm: normRunner,
  normGradient: normGradientRunner,
  normaliseGradient: normaliseGradientRunner,
  softmaxCrossEntropy: lossRunner,
  activationGradient: activationGradientRunner,
  softmaxGradient: softmaxGradientRunner,
  poolGradient: poolGradientRunner,
  elementwiseGradient: elementwiseGradientRunner,
  sum: sumRunner,
};
