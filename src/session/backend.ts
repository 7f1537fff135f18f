/** What a session asks of a backend: to bind a plan to memory and code. */

import type { Plan } from "../plan/plan.ts";

export interface BoundPlan {
  /** All activations; its length is the plan's `arenaElements`. */
  readonly arena: Float32Array;
  /** One function a step; each computes `batch` examples, at most the plan's. */
  readonly steps: readonly ((batch: number) => void)[];
}

export interface Backend {
  readonly name: string;
  bind(plan: Plan): BoundPlan;
}
