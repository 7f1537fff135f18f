/** Every way to run a training plan, without a trainer around it. */

import type { BoundTraining } from "../../src/backends/training/bound-training.ts";
import { referenceTraining } from "../../src/backends/training/reference-training.ts";
import { wasmTraining } from "../../src/backends/training/wasm-training.ts";
import { Breath } from "../../src/core/breath.ts";
import type { TrainingPlan } from "../../src/plan/training/training-plan.ts";
import { SIMD, worker } from "../backends.ts";

export interface BoundVariant {
  readonly name: string;
  /** Variants of one family give the same bits. */
  readonly family: string;
  bind(plan: TrainingPlan): Promise<BoundTraining>;
}

export const BOUND_VARIANTS: readonly BoundVariant[] = [
  { name: "reference", family: "reference", bind: async (plan) => referenceTraining(plan) },
  ...SIMD.flatMap((simd) =>
    [1, 2, 4].map((threads) => ({
      name: `wasm, ${simd} SIMD, ${threads} thread${threads === 1 ? "" : "s"}`,
      family: simd,
      bind: (plan: TrainingPlan) => wasmTraining(plan, { relaxed: simd === "relaxed", wide: false, threads, worker }),
    })),
  ),
];

/** One run of all steps but updates. Whatever is not passed has been NaN before it. */
export async function runOnce(
  bound: BoundTraining,
  plan: TrainingPlan,
  values: Readonly<Record<string, Float32Array>>,
  batch: number,
  scale = 1,
): Promise<void> {
  for (const [name, { kind, elements }] of plan.values) {
    const count = elements * (kind === "activation" ? plan.batch : 1);
    bound.write({ [name]: new Float32Array(count).fill(Number.NaN) });
  }
  bound.write(values);
  await bound.run(batch, { adds: false, scale, updates: false, breath: new Breath(performance.now()) });
}
