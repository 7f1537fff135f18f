/**
 * From a network to one list of training steps over named values: forward, loss, backward. `place` lays them out as it
 * does the steps of a run. What is cheap to compute again (normalised values, what a clamp let through) is not saved.
 */

import { invariant } from "../../core/errors.ts";
import { elementCount } from "../../core/tensor.ts";
import { INPUT } from "../../layers/node.ts";
import { Backward } from "./backward-steps.ts";
import { TrainingDraft } from "./draft.ts";
import { addForward, addLoss } from "./forward-steps.ts";
import { segments, type Trainable } from "./segments.ts";
import { gradientOf, type TrainingSteps, type TrainingStepsOptions } from "./training-step.ts";

/**
 * @throws {DepthwiseError} `NETWORK_INVALID` for a target that is no row of classes, or a layer that is named like a
 *         value of training
 */
export function trainingSteps(network: Trainable, options: TrainingStepsOptions): TrainingSteps {
  const parts = segments(network, options.target);
  const last = parts[parts.length - 1];
  invariant(last !== undefined, "A target is a layer.");
  const draft = new TrainingDraft(network, options);
  draft.value(INPUT, "activation", elementCount(network.inputShape));
  draft.views.set(INPUT, { value: INPUT });
  // The first layer reads it last of all: to keep it costs nothing, and tells what was wrong with it.
  draft.kept.add(INPUT);
  for (const [index, part] of parts.entries()) addForward(draft, part, index);
  const output = draft.plain(last.name, last);
  draft.kept.add(output);
  const backward = new Backward(draft, parts);
  if (options.loss === "softmaxCrossEntropy") addLoss(draft, last, output);
  else draft.value(gradientOf(last.name), "activation", draft.elements(last.name));
  for (const [index, part] of [...parts.entries()].reverse()) if (backward.wants(part.name)) backward.add(part, index);
  if (options.inputGradient === true) draft.kept.add(gradientOf(INPUT));
  return {
    steps: draft.steps,
    values: draft.values,
    kept: draft.kept,
    output,
    gradients: draft.gradients,
    parameters: [...draft.parametersRead],
  };
}
