/** Backends of plain JavaScript: one arena, one bound function a step. They run wherever JavaScript does. */

import { type Runner, referenceKernel } from "../kernels/reference/index.ts";
import type { KernelCall, Plan, Step } from "../plan/plan.ts";
import { foldedWeights, stepWeights } from "../plan/step-weights.ts";
import type { Backend, BoundPlan, Parameters } from "./backend.ts";

/** A backend whose steps are functions on typed arrays. */
export function arrayBackend(name: string, kernel: (call: KernelCall) => Runner): Backend {
  return {
    name,
    layOut: (plan) => ({ bind: (parameters) => bind(plan, parameters, kernel) }),
  };
}

function bind(plan: Plan, parameters: Parameters, kernel: (call: KernelCall) => Runner): BoundPlan {
  const arena = new Float32Array(plan.arenaElements);
  const view = (offset: number, elements: number) => arena.subarray(offset, offset + elements * plan.batch);
  const runners = plan.steps.map(({ call }) => kernel(call));
  const weigh = (current: Parameters) =>
    plan.steps.map(({ weights }: Step) => (weights === undefined ? [] : foldedWeights(stepWeights(current, weights))));
  let weights = weigh(parameters);
  return {
    arena,
    bytes: arena.byteLength + weights.flat().reduce((sum, array) => sum + (array?.byteLength ?? 0), 0),
    threads: 1,
    stages: plan.steps.map((_, index) => [index]),
    run(index, batch, times) {
      const step = plan.steps[index] as Step;
      const start = times === undefined ? 0 : performance.now();
      runners[index]?.(batch, {
        inputs: step.inputOffsets.map((offset, i) => view(offset, step.inputElements[i] ?? 0)),
        parameters: weights[index] ?? [],
        output: view(step.outputOffset, step.outputElements),
      });
      if (times !== undefined) times[index] = (times[index] ?? 0) + performance.now() - start;
      return undefined;
    },
    replace(current) {
      weights = weigh(current);
    },
    close: () => undefined,
  };
}

export const referenceBackend: Backend = /* @__PURE__ */ arrayBackend("reference", referenceKernel);
