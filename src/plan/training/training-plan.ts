/**
 * A training plan: forward, backward and update as one list of steps, laid out for one batch by the code that lays out a
 * run. Plain data, the same for every backend.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { checkBytes } from "../../core/memory.ts";
import type { Shape } from "../../core/tensor.ts";
import { INPUT } from "../../layers/node.ts";
import type { KernelCall } from "../../operations/kernel-call.ts";
import type { TrainingCall } from "../../operations/training-call.ts";
import type { GradientNormCall, UpdateCall } from "../../operations/update-call.ts";
import { place } from "../place.ts";
import type { PlannedValue } from "../plan.ts";
import { takenName } from "./draft.ts";
import type { Trainable } from "./segments.ts";
import type { TrainingStep, TrainingSteps, TrainingStepsOptions } from "./training-step.ts";
import { trainingSteps } from "./training-steps.ts";

/** A call of any step of training. */
export type AnyTrainingCall = TrainingCall | KernelCall | GradientNormCall | UpdateCall;

export interface TrainingPlan {
  readonly network: string;
  /** Most examples of a step. */
  readonly batch: number;
  readonly input: string;
  /** Shape of one example of it. */
  readonly inputShape: Shape;
  readonly steps: readonly TrainingStep<AnyTrainingCall>[];
  readonly values: ReadonlyMap<string, PlannedValue>;
  /** The value that the loss reads. */
  readonly output: string;
  /** The gradients of the parameters that are trained, by the parameters' names. */
  readonly gradients: ReadonlyMap<string, string>;
  /** The parameters that steps read. */
  readonly parameters: readonly string[];
  readonly arenaBytes: number;
}

/** Bytes: a vector load never straddles two values. */
const ALIGNMENT = 16;

/**
 * Appends steps to a list, with the values that they alone have.
 *
 * @throws {DepthwiseError} as `trainingSteps`, also for a layer that is named like one of the values appended;
 *         `NETWORK_INVALID` if nothing is trained; `MEMORY_EXCEEDED` for more than can be addressed
 */
export function trainingPlan(
  network: Trainable,
  batch: number,
  options: TrainingStepsOptions,
  append: (list: TrainingSteps) => Appended = () => ({ steps: [], values: new Map() }),
): TrainingPlan {
  const list = trainingSteps(network, options);
  if (list.gradients.size === 0 && options.inputGradient !== true) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `train: ${network.name}`,
      expected: "at least one parameter to train on the way to its output",
      found: "none",
      advice: "Look at the option train: it takes names of parameters, or a function that says true of some.",
    });
  }
  const more = append(list);
  for (const name of more.values.keys()) if (list.values.has(name)) throw takenName(network.name, name);
  const steps = [...list.steps, ...more.steps];
  const values = new Map([...list.values, ...more.values]);
  const kept = new Set([...list.kept, ...more.values.keys()]);
  // What is kept shares its memory with nothing, so its place need not be looked for: it lies behind all that comes and
  // goes. In one arena, planning 800 layers took half a minute.
  const passing = new Map([...values].filter(([name]) => !kept.has(name)));
  const placeable = steps.map(({ reads, writes, inPlace }) => ({
    reads: Object.values(reads),
    writes: Object.values(writes),
    ...(inPlace === undefined ? {} : { inPlace }),
  }));
  const {
    spans,
    offsets,
    arenaBytes: passingBytes,
  } = place({ steps: placeable, values: passing, kept: new Set() }, batch);
  const always = { from: -1, to: steps.length };
  let arenaBytes = passingBytes;
  const keptAt = new Map<string, number>();
  for (const name of kept) {
    const { kind, elements } = values.get(name) ?? { kind: "scratch", elements: 0 };
    arenaBytes = ALIGNMENT * Math.ceil(arenaBytes / ALIGNMENT);
    keptAt.set(name, arenaBytes);
    arenaBytes += 4 * elements * (kind === "activation" ? batch : 1);
  }
  const what = `train: ${network.name} with batch ${batch}: activations and gradients`;
  checkBytes(what, arenaBytes, "Use a smaller alpha, input or batch.", { batch });
  return {
    network: network.name,
    batch,
    input: INPUT,
    inputShape: network.inputShape,
    steps,
    values: new Map(
      [...values].map(([name, value]): [string, PlannedValue] => [
        name,
        kept.has(name)
          ? { ...value, ...always, offset: keptAt.get(name) }
          : { ...value, ...(spans.get(name) ?? always), offset: offsets.get(name) },
      ]),
    ),
    output: list.output,
    gradients: list.gradients,
    parameters: list.parameters,
    arenaBytes,
  };
}

/** Steps behind those of a list; their own values are there from the first step to the last. */
export interface Appended {
  readonly steps: readonly TrainingStep<AnyTrainingCall>[];
  readonly values: TrainingSteps["values"];
}
