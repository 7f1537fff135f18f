/** Training in plain loops, on this thread: the truth that others are compared with. */

import { REFERENCE_TRAINING, type TrainingRunner } from "../../kernels/reference/gradients/index.ts";
import { REFERENCE, type Runner } from "../../kernels/reference/index.ts";
import { gradientNormRunner, updateRunner } from "../../kernels/reference/update.ts";
import type { AnyTrainingCall, TrainingPlan } from "../../plan/training/training-plan.ts";
import { walk } from "../walk.ts";
import type { BoundTraining } from "./bound-training.ts";
import { partKind } from "./kind.ts";
import { trainingValues } from "./training-values.ts";

export function referenceTraining(plan: TrainingPlan): BoundTraining {
  const arena = new Float32Array(plan.arenaBytes / 4);
  const { lying, read, write, writeBits } = trainingValues(plan, arena);
  const bound = plan.steps.map(({ call, reads, writes, phase }) => {
    const names = Object.entries({ ...reads, ...writes });
    return {
      run: runnerOf(call),
      isUpdate: phase === "update",
      operands: Object.fromEntries(names.map(([role, name]) => [role, lying(name)])),
    };
  });
  let isClosed = false;
  return {
    bytes: arena.byteLength,
    threads: 1,
    parts: plan.steps.map(({ name, phase, call }) => ({ name, phase, kind: partKind(call) })),
    forwardStages: plan.steps.findIndex(({ phase }) => phase !== "forward"),
    write,
    writeBits,
    read,
    run(batch, { adds, scale, updates, ...options }) {
      const stages = {
        network: plan.network,
        stages: bound.length,
        run(index: number, examples: number, times?: Float64Array) {
          const { run, isUpdate, operands } = bound[index] as (typeof bound)[number];
          const start = times === undefined ? 0 : performance.now();
          if (updates || !isUpdate) run(examples, operands, { adds, scale });
          if (times !== undefined) times[index] = (times[index] ?? 0) + performance.now() - start;
          return undefined;
        },
        isClosed: () => isClosed,
      };
      return walk(stages, batch, options);
    },
    close() {
      isClosed = true;
    },
  };
}

/** Other calls of a run become steps of training as they are. */
type Row = (call: AnyTrainingCall) => TrainingRunner;

function runnerOf(call: AnyTrainingCall): TrainingRunner {
  if (call.kernel === "update") return updateRunner(call) as TrainingRunner;
  if (call.kernel === "gradientNorm") return gradientNormRunner(call) as TrainingRunner;
  if (Object.hasOwn(REFERENCE_TRAINING, call.kernel)) {
    return (REFERENCE_TRAINING as Readonly<Record<string, Row>>)[call.kernel]?.(call) as TrainingRunner;
  }
  const run = (REFERENCE as Readonly<Record<string, (call: AnyTrainingCall) => Runner>>)[call.kernel]?.(call) as Runner;
  return (batch, { x, a, b, y }) => {
    const inputs = [x ?? a, b].filter((value) => value !== undefined);
    run(batch, { inputs, parameters: [], output: y as Float32Array });
  };
}
