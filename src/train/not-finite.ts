/** Where in a step numbers ceased to be finite: the first layer, found in what the step has left in memory. */

import type { NumberArray } from "../core/buffers.ts";
import { DepthwiseError } from "../core/errors.ts";
import type { Network } from "../layers/network.ts";
import type { PlannedValue } from "../plan/plan.ts";
import type { TrainingPlan } from "../plan/training/training-plan.ts";

export interface FailedStep {
  readonly model: Pick<Network, "name" | "parameterInfo">;
  readonly plan: TrainingPlan;
  /** What went in, and of how many examples. */
  readonly x: NumberArray;
  readonly examples: number;
  /** A copy of a value. */
  readonly read: (name: string, examples: number) => Float32Array;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly updates: number;
}

/** `VALUES_NOT_FINITE`, with the first layer in the order of the work: forward, then backward. */
export function notFinite(step: FailedStep): DepthwiseError {
  const { model, loss, gradientNorm, learningRate, updates } = step;
  const { layer, what, found, advice } = firstOf(step);
  return new DepthwiseError("VALUES_NOT_FINITE", {
    what: `step: ${model.name}: update ${updates}: ${what}`,
    expected: "finite numbers",
    found: String(found),
    advice: `${advice} No parameter was updated; moving statistics may be spoilt, so go on from a state with restore.`,
    fields: { layer, found, loss, gradientNorm, learningRate, update: updates },
  });
}

interface Finding {
  readonly layer: string | undefined;
  readonly what: string;
  readonly found: number;
  readonly advice: string;
}

function firstOf({ model, plan, x, examples, read, loss, gradientNorm, learningRate }: FailedStep): Finding {
  const given = fault(x);
  if (given !== undefined) {
    const advice = "Look at the data: an example holds what is no number.";
    return { layer: plan.input, what: "the input of the network", found: given, advice };
  }
  const measured = new Set(
    plan.steps.flatMap(({ writes, phase }) => (phase === "update" ? [] : Object.values(writes))),
  );
  for (const name of plan.parameters) {
    const found = measured.has(name) ? undefined : fault(read(name, examples));
    if (found === undefined) continue;
    const advice = "The network held it before training: load it anew.";
    return { layer: model.parameterInfo.get(name)?.node, what: `parameter "${name}"`, found, advice };
  }
  const lower = `Lower the learning rate (${learningRate} now), or pass clipNorm.`;
  for (const [index, { name, writes, phase }] of plan.steps.entries()) {
    if (phase === "update") break;
    for (const value of Object.values(writes)) {
      if (!isLeft(plan, value, index)) continue;
      const found = fault(read(value, examples));
      if (found === undefined) continue;
      return { layer: name, what: `layer "${name}", ${phase}: ${value}`, found, advice: lower };
    }
  }
  const found = Number.isFinite(gradientNorm) ? loss : gradientNorm;
  const what = Number.isFinite(gradientNorm) ? "the loss" : "the norm of all gradients";
  return { layer: undefined, what, found, advice: lower };
}

/** The first number that is not finite. */
function fault(values: NumberArray): number | undefined {
  for (const value of values) if (!Number.isFinite(value)) return value;
  return undefined;
}

/** Whether a value is still as a step left it: no later step has written to any of its bytes. */
function isLeft({ steps, values, batch }: TrainingPlan, name: string, written: number): boolean {
  const own = spanOf(values.get(name), batch);
  if (own === undefined) return false;
  return steps.slice(written + 1).every(({ phase, writes }) =>
    Object.values(writes).every((other) => {
      const span = phase === "update" ? undefined : spanOf(values.get(other), batch);
      return span === undefined || span.to <= own.from || span.from >= own.to;
    }),
  );
}

function spanOf(value: PlannedValue | undefined, batch: number) {
  if (value?.offset === undefined) return undefined;
  const count = value.kind === "activation" ? batch : 1;
  return { from: value.offset, to: value.offset + 4 * value.elements * count };
}
