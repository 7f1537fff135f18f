/** What a session asks of a backend: to bind a plan to memory and code. */

import type { FloatTensor } from "../core/tensor.ts";
import type { KernelCall, Plan } from "../plan/plan.ts";

export type Parameters = ReadonlyMap<string, FloatTensor>;

/** A plan with memory and code. Stages run in order; a stage is one step, or two that run as one. */
export interface BoundPlan {
  /** All activations; its length is the plan's `arenaElements`. */
  readonly arena: Float32Array;
  /** Bytes of everything that is held: activations, weights, scratch. */
  readonly bytes: number;
  readonly threads: number;
  /** The steps of each stage, by index. */
  readonly stages: readonly (readonly number[])[];
  /** False while a worker is lost or replaced: others may still end what they were at, and write to the arena. */
  readonly isWhole?: boolean;
  /** Makes it whole: new workers, when the old ones are gone. Called in the middle of that, it is the same one. */
  mend?(): Promise<void>;
  /** Wakes the other threads for a run of `batch` examples. Only a whole one may begin. */
  begin?(batch: number): void;
  /** Computes a stage; what it gives must be awaited. `times` gets the milliseconds of each step added. */
  run(stage: number, batch: number, times?: Float64Array): Promise<void> | undefined;
  /** The stages that are left are passed through without work, so that no thread waits for another. */
  cancel?(): void;
  /** Reads the parameters again. */
  replace(parameters: Parameters): void;
  close(): void;
  readonly ask?: undefined;
}

export interface Backend {
  readonly name: string;
  /** Whether it runs a step and the only reader of its output as one. */
  joins?(first: KernelCall, second: KernelCall): boolean;
  /**
   * Lays a plan out, from shapes alone.
   *
   * @throws {DepthwiseError} `MEMORY_EXCEEDED` for more than the backend can hold; nothing was allocated
   */
  layOut(plan: Plan): LaidOutPlan;
}

/** A plan of which all sizes are known. */
export interface LaidOutPlan {
  /** Bytes that it will allocate, where it knows them all. */
  readonly bytes?: number;
  /** @throws `signal.reason` if it is aborted meanwhile */
  bind(parameters: Parameters, signal?: AbortSignal): Promise<BoundPlan> | BoundPlan;
}
