/** The reference backend: one arena, one bound function a step. It runs wherever JavaScript does. */

import { type Runner, referenceKernel } from "../kernels/reference/index.ts";
import type { Plan } from "../plan/plan.ts";
import type { Backend, BoundPlan } from "./backend.ts";

export const referenceBackend: Backend = {
  name: "reference",
  bind(plan: Plan): BoundPlan {
    const arena = new Float32Array(plan.arenaElements);
    const steps = plan.steps.map((step) => {
      const view = (offset: number, elements: number) => arena.subarray(offset, offset + elements * plan.batch);
      const operands = {
        inputs: step.inputOffsets.map((offset, index) => view(offset, step.inputElements[index] ?? 0)),
        parameters: step.parameters,
        output: view(step.outputOffset, step.outputElements),
      };
      const run: Runner = referenceKernel(step.call);
      return (batch: number) => run(batch, operands);
    });
    return { arena, steps };
  },
};
