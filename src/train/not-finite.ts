/** Where in a step numbers ceased to be finite: the first layer, found in what the step has left in memory. */

import type { BoundTraining } from "../backends/training/bound-training.ts";
import { Breath } from "../core/breath.ts";
import type { NumberArray } from "../core/buffers.ts";
import { DepthwiseError } from "../core/errors.ts";
import type { Network } from "../layers/network.ts";
import type { PlannedValue } from "../plan/plan.ts";
import type { TrainingPlan } from "../plan/training/training-plan.ts";

export interface FailedStep {
  readonly model: Pick<Network, "name" | "parameterInfo">;
  readonly plan: TrainingPlan;
  readonly bound: Pick<BoundTraining, "forwardStages" | "read" | "run">;
  /** Writes what the step was given, once more. */
  readonly write: () => void;
  readonly examples: number;
  /** Whether parameters were updated all the same: the loss alone is not finite, and no gradient has taken it in. */
  readonly isUpdated: boolean;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly updates: number;
}

/**
 * `VALUES_NOT_FINITE`, with the first layer in the order of the work: forward, then backward. Activations of layers are
 * written over on the way back, so the way forward is gone once more: parameters are as they were.
 *
 * @throws what a run throws
 */
export async function notFinite(step: FailedStep): Promise<DepthwiseError> {
  const { model, loss, gradientNorm, learningRate, updates, isUpdated } = step;
  step.write();
  const given = givenFault(step);
  if (given === undefined) await goForward(step);
  const { layer, what, found, advice } = given ?? computedFault(step);
  return new DepthwiseError("VALUES_NOT_FINITE", {
    what: `step: ${model.name}: update ${updates}: ${what}`,
    expected: "finite numbers",
    found: String(found),
    advice: `${advice} ${
      isUpdated ? "Parameters were updated" : "No parameter was updated"
    }; moving statistics may be spoilt, so go on from a state with restore.`,
    fields: { layer, place: what, found, loss, gradientNorm, learningRate, update: updates },
  });
}

interface Finding {
  readonly layer: string | undefined;
  readonly what: string;
  readonly found: number;
  readonly advice: string;
}

/** In the input, or in a parameter that no step measures. */
function givenFault({ model, plan, bound, examples }: FailedStep): Finding | undefined {
  const given = fault(bound.read(plan.input, examples));
  if (given !== undefined) {
    const advice = "Look at the data: an example holds what is no number.";
    return { layer: plan.input, what: "the input of the network", found: given, advice };
  }
  const measured = new Set(
    plan.steps.flatMap(({ writes, phase }) => (phase === "update" ? [] : Object.values(writes))),
  );
  for (const name of plan.parameters) {
    const found = measured.has(name) ? undefined : fault(bound.read(name));
    if (found === undefined) continue;
    const advice =
      "It was there before the step: an update with too large a rate may have made it, or the file it is from.";
    return { layer: model.parameterInfo.get(name)?.node, what: `parameter "${name}"`, found, advice };
  }
  return undefined;
}

/** In what the way forward has left, and then in what the whole step has. */
function computedFault({ plan, bound, examples, loss, gradientNorm, learningRate }: FailedStep): Finding {
  const advice = `Lower the learning rate (${learningRate} now), or pass clipNorm.`;
  const computed = plan.steps.filter(({ phase }) => phase !== "update");
  const forward = computed.filter(({ phase }) => phase === "forward");
  const backward = computed.filter(({ phase }) => phase === "backward");
  // The way forward was gone last; other threads may have been a stage ahead.
  const order = [...backward, ...forward, ...computed.filter(({ phase }) => phase === "loss")];
  for (const step of computed) {
    for (const value of Object.values(step.writes)) {
      const isThere = isLeft(plan, order.slice(order.indexOf(step) + 1), value);
      const found = isThere ? fault(bound.read(value, examples)) : undefined;
      const { name, phase } = step;
      if (found !== undefined) return { layer: name, what: `layer "${name}", ${phase}: ${value}`, found, advice };
    }
  }
  const isNorm = !Number.isFinite(gradientNorm);
  const what = isNorm ? "the norm of all gradients" : "the loss";
  return { layer: undefined, what, found: isNorm ? gradientNorm : loss, advice };
}

/** Runs the way forward alone. */
async function goForward({ bound, examples }: FailedStep): Promise<void> {
  const stop = new AbortController();
  const breath = new BreathAfter(bound.forwardStages, stop);
  try {
    await bound.run(examples, { adds: false, scale: 1, updates: false, breath, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

/** Due after so many stages, and then it stops what breathes: a run asks after each stage, and looks at its signal. */
class BreathAfter extends Breath {
  #left: number;
  readonly #stop: AbortController;

  constructor(stages: number, stop: AbortController) {
    super(performance.now());
    this.#left = stages;
    this.#stop = stop;
  }

  override get isDue(): boolean {
    if (--this.#left === 0) this.#stop.abort();
    return this.#left === 0 || super.isDue;
  }
}

/** The first number that is not finite. */
function fault(values: NumberArray): number | undefined {
  for (const value of values) if (!Number.isFinite(value)) return value;
  return undefined;
}

/** Whether a value is as it was written: none of the steps after that writes to any of its bytes. */
function isLeft({ values, batch }: TrainingPlan, after: TrainingPlan["steps"], name: string): boolean {
  const own = spanOf(values.get(name), batch);
  if (own === undefined) return false;
  return after.every(({ writes }) =>
    Object.values(writes).every((other) => {
      const span = spanOf(values.get(other), batch);
      return span === undefined || span.to <= own.from || span.from >= own.to;
    }),
  );
}

function spanOf(value: PlannedValue | undefined, batch: number) {
  if (value?.offset === undefined) return undefined;
  const count = value.kind === "activation" ? batch : 1;
  return { from: value.offset, to: value.offset + 4 * value.elements * count };
}
