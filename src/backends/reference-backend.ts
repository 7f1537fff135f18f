/** Backends of plain JavaScript: an array a value, one bound function a step. They run wherever JavaScript does. */

import { type Runner, referenceKernel } from "../kernels/reference/index.ts";
import type { KernelCall, Plan } from "../plan/plan.ts";
import { foldedWeights, stepWeights } from "../plan/step-weights.ts";
import type { Backend, BoundPlan, Parameters } from "./backend.ts";
import { closedError } from "./lost.ts";
import { lyingAt, operandsOf } from "./operands.ts";
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
  const all = (name: string) => {
    const { offset, elements } = lyingAt(plan, name);
    return arena.subarray(offset / 4, offset / 4 + elements * plan.batch);
  };
  const bound = plan.steps.map(({ call }, step) => {
    const { activations, parameters: names, written } = operands[step] as (typeof operands)[number];
    return {
      run: kernel(call),
      inputs: activations.map(all),
      parameters: names.map((name) => held.get(name)),
      output: all(written),
    };
  });
  const stages = {
    stages: bound.length,
    run(index: number, batch: number, times?: Float64Array) {
      const { run, ...its } = bound[index] as (typeof bound)[number];
      const start = times === undefined ? 0 : performance.now();
      run(batch, its);
      if (times !== undefined) times[index] = (times[index] ?? 0) + performance.now() - start;
      return undefined;
    },
    checkOpen: () => {
      if (isClosed) throw closedError(plan.network);
    },
  };
  return {
    bytes: arena.byteLength + [...held.values()].reduce((sum, array) => sum + array.byteLength, 0),
    threads: 1,
    write(values) {
      for (const [name, numbers] of Object.entries(values)) all(name).set(numbers);
    },
    run: (batch, options) => walk(stages, batch, options),
    read: (names, batch) => names.map((name) => all(name).slice(0, batch * lyingAt(plan, name).elements)),
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
