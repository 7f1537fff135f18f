/** Backends of plain JavaScript: an array a value, one bound function a step. They run wherever JavaScript does. */

import { invariant } from "../core/errors.ts";
import { type Runner, referenceKernel } from "../kernels/reference/index.ts";
import type { KernelCall, Plan } from "../plan/plan.ts";
import { foldedWeights, stepWeights } from "../plan/step-weights.ts";
import type { Backend, BoundPlan, Parameters } from "./backend.ts";
import { closedError } from "./lost.ts";
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
  const isParameter = (name: string) => plan.values.get(name)?.kind === "parameter";
  const folded = (current: Parameters): ReadonlyMap<string, Float32Array> =>
    new Map(
      plan.steps.flatMap(({ reads, weights }) => {
        const numbers = weights === undefined ? [] : foldedWeights(stepWeights(current, weights));
        return reads
          .filter(isParameter)
          .map((name, index): [string, Float32Array] => [name, numbers[index] as Float32Array]);
      }),
    );
  const held = folded(parameters);
  let isClosed = false;
  const activation = (value: string): Float32Array => {
    const { offset, elements = 0 } = plan.values.get(value) ?? {};
    invariant(offset !== undefined, `The value "${value}" has no place.`);
    return arena.subarray(offset / 4, offset / 4 + elements * plan.batch);
  };
  const bound = plan.steps.map(({ call, reads, writes }) => {
    return {
      run: kernel(call),
      inputs: reads.filter((read) => !isParameter(read)).map(activation),
      parameters: reads.filter(isParameter).map((name) => held.get(name)),
      output: activation(writes[0] ?? ""),
    };
  });
  const stages = {
    stages: bound.length,
    run(index: number, batch: number, times?: Float64Array) {
      const { run, ...operands } = bound[index] as (typeof bound)[number];
      const start = times === undefined ? 0 : performance.now();
      run(batch, operands);
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
      for (const [value, numbers] of Object.entries(values)) activation(value).set(numbers);
    },
    run: (batch, options) => walk(stages, batch, options),
    read: (names, batch) =>
      names.map((value) => activation(value).slice(0, batch * (plan.values.get(value)?.elements ?? 0))),
    replace(current) {
      for (const [name, numbers] of folded(current)) held.get(name)?.set(numbers);
    },
    readParameter: (parameter) => held.get(parameter)?.slice(),
    writeParameter: (parameter, numbers) => held.get(parameter)?.set(numbers),
    close() {
      isClosed = true;
    },
  };
}

export const referenceBackend: Backend = /* @__PURE__ */ arrayBackend("reference", referenceKernel);
