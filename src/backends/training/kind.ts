/** What a call of training is to a profile. */

import type { AnyTrainingCall } from "../../plan/training/training-plan.ts";
import type { TrainingPart } from "./bound-training.ts";

/** Of steps that are one thing; those of layers with a kernel are told apart by their parts where a backend has them. */
export function partKind(call: AnyTrainingCall): TrainingPart["kind"] {
  switch (call.kernel) {
    case "forward":
    case "backward":
      return call.of.kernel === "depthwiseConv2d" ? "depthwise" : "product";
    case "norm":
    case "normalise":
    case "normGradient":
    case "normaliseGradient":
    case "activation":
    case "activationGradient":
      return "norm";
    default:
      return "other";
  }
}
