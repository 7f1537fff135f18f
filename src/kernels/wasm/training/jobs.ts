/**
 * Many small pieces of work as one stage: each a call of another kernel on a range of its own, from a table in memory.
 * So what follows a layer (sums to be joined, weights to be packed, parameters to be updated) costs one barrier.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, call, type ModuleBuilder, when } from "../assembler/index.ts";
import { add, both, equal, locals, loop, mul, not, put } from "../emit.ts";
import type { Exported } from "../exports.ts";

/** Bytes of a row of the table: which kernel, its words, and its range. */
export const JOB_BYTES = 16;

/** `table`: its address; `runs`: the address of an i32 that is 0 where nothing is to be done, or 0 for always. */
export const JOBS = /* @__PURE__ */ argumentBlock(["table", "runs"]);

type KernelFunction = Exported<string, readonly ["block", "from", "to", "batch", "scratch"], "none">;

/** The range counts rows of the table. Kernels are counted in the order given. */
export function jobs(module: ModuleBuilder, kernels: readonly KernelFunction[]) {
  return kernel(module, "jobs", JOBS, (scope) => {
    const { job, row, which } = locals(scope.local, "i32", "job", "row", "which");
    const isOff = both(not(not(scope.runs)), not(access("i32.load", 0, scope.runs)));
    return [
      when(not(isOff), [
        put(job, scope.from),
        loop(job, scope.to, 1, [
          put(row, add(scope.table, mul(job, JOB_BYTES))),
          put(which, access("i32.load", 0, row)),
          ...kernels.map((one, index) =>
            when(equal(which, index), [
              call(one, {
                block: access("i32.load", 4, row),
                from: access("i32.load", 8, row),
                to: access("i32.load", 12, row),
                batch: scope.batch,
                scratch: scope.scratch,
              }),
            ]),
          ),
        ]),
      ]),
    ];
  });
}
