/** The profile of a trainer's step. */

import type { BoundTraining } from "../backends/training/bound-training.ts";

/** Where a step of a trainer spends its time. */
export interface TrainerProfile {
  /** Of all parts together. */
  readonly milliseconds: number;
  readonly parts: readonly {
    readonly name: string;
    readonly phase: "forward" | "loss" | "backward" | "update";
    readonly kind: "product" | "depthwise" | "norm" | "other";
    readonly milliseconds: number;
  }[];
}

/** Of some steps the median of each part. `step` adds what each takes to its place in `times`. */
export async function timedParts(
  parts: BoundTraining["parts"],
  runs: number,
  step: (times: Float64Array) => Promise<unknown>,
): Promise<TrainerProfile> {
  const all: Float64Array[] = [];
  for (let run = 0; run < runs; run++) {
    const times = new Float64Array(parts.length);
    await step(times);
    all.push(times);
  }
  const median = (index: number) => {
    const sorted = all.map((times) => times[index] ?? 0).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  };
  const timed = parts.map((part, index) => ({ ...part, milliseconds: median(index) }));
  return { milliseconds: timed.reduce((sum, { milliseconds }) => sum + milliseconds, 0), parts: timed };
}
