/** The steps behind those of a backward pass: the norm of all gradients, and an update of each parameter. */

import { elementCount } from "../../core/tensor.ts";
import type { ParameterInfo } from "../../layers/parameter-info.ts";
import { HYPER, slotsOf, type UpdateRule } from "../../operations/update-call.ts";
import type { StepValue } from "../steps.ts";
import type { AnyTrainingCall, Appended } from "./training-plan.ts";
import type { NamedOperands, TrainingStep, TrainingSteps } from "./training-step.ts";

export interface UpdateOptions {
  readonly rule: UpdateRule;
  /** Of each parameter that changes. */
  readonly decay: (parameter: ParameterInfo) => number;
  readonly rateFactor: (parameter: ParameterInfo) => number;
  /** Whether moving averages of the parameters are kept. */
  readonly average: boolean;
}

/** Names of values that updates have. */
export const HYPER_VALUE = "hyper";
export const GRADIENT_NORM = "norm of all gradients";
export const slotOf = (parameter: string, slot: string): string => `${slot}(${parameter})`;
export const averageOf = (parameter: string): string => `average(${parameter})`;

export function updateSteps(
  { gradients }: TrainingSteps,
  parameterInfo: ReadonlyMap<string, ParameterInfo>,
  { rule, decay, rateFactor, average }: UpdateOptions,
): Appended {
  const values = new Map<string, StepValue>();
  const state = (name: string, elements: number): string => {
    values.set(name, { kind: "scratch", dtype: "float32", elements });
    return name;
  };
  const hyper = state(HYPER_VALUE, HYPER.length);
  const norm = state(GRADIENT_NORM, 1);
  const changed = [...gradients].flatMap(([name, gradient]) => {
    const info = parameterInfo.get(name);
    return info === undefined ? [] : [{ info, gradient, elements: elementCount(info.shape) }];
  });
  const steps: TrainingStep<AnyTrainingCall>[] = [
    {
      name: "gradients",
      phase: "update",
      call: { kernel: "gradientNorm", elements: changed.map(({ elements }) => elements) },
      reads: Object.fromEntries(changed.map(({ gradient }, index) => [`gradient${index}`, gradient])),
      writes: { norm },
      multAdds: 0,
    },
  ];
  for (const { info, gradient, elements } of changed) {
    const { name } = info;
    const slots: NamedOperands = Object.fromEntries(
      slotsOf(rule).map((slot, index) => [`slot${index}`, state(slotOf(name, slot.name), elements)]),
    );
    const changes: NamedOperands = {
      parameter: name,
      ...slots,
      ...(average ? { average: state(averageOf(name), elements) } : {}),
    };
    steps.push({
      name,
      phase: "update",
      call: { kernel: "update", rule, elements, decay: decay(info), rateFactor: rateFactor(info), average },
      reads: { ...changes, gradient, hyper, norm },
      writes: changes,
      multAdds: 0,
    });
  }
  return { steps, values };
}
