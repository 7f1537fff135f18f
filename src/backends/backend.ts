/** What a session asks of a backend: to bind a plan to memory and code, wherever those lie. */

import type { Breath } from "../core/breath.ts";
import type { NumberArray } from "../core/buffers.ts";
import type { FloatTensor } from "../core/tensor.ts";
import type { KernelCall, Plan } from "../plan/plan.ts";
import type { BoundParameters } from "./parameters.ts";

export type Parameters = ReadonlyMap<string, FloatTensor>;

/** How one run goes on beside other things. */
export interface BoundRunOptions {
  /** Ends it between two stages; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the milliseconds of each step added, by its index. */
  readonly times?: Float64Array | undefined;
  /** Says when the event loop is to have its turn. */
  readonly breath: Pick<Breath, "isDue" | "take">;
}

/**
 * A plan with memory and code. It does one thing at a time, in the order in which it is asked: a session sees to that.
 * Its memory need not be of this thread, so what leaves it may have to be awaited.
 */
export interface BoundPlan {
  /** Bytes of everything that is held: activations, weights, scratch. */
  readonly bytes: number;
  readonly threads: number;
  /** False while a worker is lost or replaced: others may still end what they were at, and write to the memory. */
  readonly isWhole?: boolean;
  /** Makes it whole: new workers, when the old ones are gone. Called in the middle of that, it is the same one. */
  mend?(): Promise<void>;
  /** Puts values in their places, by their names in the plan; read at the call, as float32. Only while it is whole. */
  write(values: Readonly<Record<string, NumberArray>>): void;
  /**
   * Computes all steps for the first `batch` examples.
   *
   * @throws {DepthwiseError} `SESSION_CLOSED` if it is closed meanwhile; `WORKER_LOST`
   */
  run(batch: number, options: BoundRunOptions): Promise<void>;
  /** Copies of values: of activations the first `batch` examples. */
  read(names: readonly string[], batch: number): readonly Float32Array[] | Promise<readonly Float32Array[]>;
  /** Reads the network's parameters again, and folds them as the plan says. */
  replace(parameters: Parameters): void;
  /** Its parameters one by one: of the backends on arrays, and of the wasm backend if it was given the means. */
  readonly parameters?: BoundParameters | undefined;
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
  bind(parameters: Parameters, signal?: AbortSignal): Promise<BoundPlan>;
}
