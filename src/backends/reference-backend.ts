/** Backends of plain JavaScript: an array a value, one bound function a step. They run wherever JavaScript does. */

import { type Runner, referenceKernel } from "../kernels/reference/index.ts";
import type { KernelCall, Plan } from "../plan/plan.ts";
import { foldedWeights, stepWeights } from "../plan/step-weights.ts";
import type { Backend, BoundPlan, Parameters } from "./backend.ts";
import { operandsOf, valuesIn } from "./operands.ts";
import { checkPlanParameter } from "./parameters.ts";
import { walk } from "./walk.ts";

/** A backend whose steps are functions on typed arrays. */
export function arrayBackend(name: string, kernel: (call: KernelCall) => Runner): Backend {
  return {
    name,
    layOut: (plan) => ({ bind: async (parameters) => bind(plan, parameters, kernel) }),
  };
}

function bind(plan: Plan, parameters: Parameters, kernel: (call: KernelCall) => Runner): BoundPlan {
  const arena = new Float32Array(plan.arenaBytes / 4);
  const operands = plan.steps.map((step) => operandsOf(plan, step));
  const folded = (current: Parameters): ReadonlyMap<string, Float32Array> =>
    new Map(
      plan.steps.flatMap(({ weights }, step) => {
        const numbers = weights === undefined ? [] : foldedWeights(stepWeights(current, weights));
        const names = operands[step]?.parameters ?? [];
        return names.map((name, index): [string, Float32Array] => [name, numbers[index] as Float32Array]);
      }),
    );
  const held = folded(parameters);
  let isClosed = false;
  const { lying, read, write } = valuesIn(plan, arena);
  const bound = plan.steps.map(({ call }, step) => {
    const { activations, parameters: names, written } = operands[step] as (typeof operands)[number];
    return {
      run: kernel(call),
      inputs: activations.map((name) => lying(name)),
      parameters: names.map((name) => held.get(name)),
      output: lying(written),
    };
  });
  const stages = {
    network: plan.network,
    stages: bound.length,
    run(index: number, batch: number, times?: Float64Array) {
      const { run, ...its } = bound[index] as (typeof bound)[number];
      const start = times === undefined ? 0 : performance.now();
      run(batch, its);
      if (times !== undefined) times[index] = (times[index] ?? 0) + performance.now() - start;
      return undefined;
    },
    isClosed: () => isClosed,
  };
  return {
    bytes: arena.byteLength + [...held.values()].reduce((sum, array) => sum + array.byteLength, 0),
    threads: 1,
    write,
    run: (batch, options) => walk(stages, batch, options),
    read,
    replace(current) {
      for (const [name, numbers] of folded(current)) held.get(name)?.set(numbers);
    },
    parameters: {
      read: (name) => held.get(name)?.slice(),
      write(name, numbers) {
        checkPlanParameter(plan, name, numbers);
        held.get(name)?.set(numbers);
      },
    },
    close() {
      isClosed = true;
    },
  };
}

export const referenceBackend: Backend = /* @__PURE__ */ arrayBackend("reference", referenceKernel);
