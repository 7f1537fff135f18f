/** What a kernel call becomes: which emitted kernel, which words, how its weights are packed. */

import type { FusedActivation } from "../../operations/activation-names.ts";
import type { AnyCall, ByKernel } from "../../operations/kernel-call.ts";
import { NO_WEIGHTS, type Packing } from "./pack.ts";
import type { Tile } from "./tiles.ts";

/** Byte addresses of what a step reads and writes. */
export interface Addresses {
  readonly inputs: readonly number[];
  readonly output: number;
  readonly weights: number;
  readonly zeros: number;
}

/** How a step is cut for the threads. */
export interface Cut {
  /** Pixels (or rows) in a unit of the range; a kernel says what it counts. */
  readonly unit?: number;
  /** The range counts panels of weights: pointwise steps of few pixels. */
  readonly byPanel?: boolean;
  /** Input or output lies in the thread's own memory, a band at a time. */
  readonly bandedInput?: boolean;
  readonly bandedOutput?: boolean;
}

/** Activations that are no clamp, and may follow a kernel. */
export type AfterActivation = Extract<FusedActivation, "hardSigmoid" | "hardSwish">;

/** The words of a step in memory. */
export interface WordBlock {
  readonly blockBytes: number;
  write(memory: DataView, block: number, at: Addresses, cut?: Cut): void;
}

/** A kernel by the names of its module and of the export, and all that a layout asks about it. */
export interface Lowered<Module extends string = string, Entry extends string = string> extends WordBlock {
  readonly module: Module;
  readonly entry: Entry;
  /** Units of the range in one example: output rows, pixels, or rows of numbers. */
  readonly units: number;
  /** Elements of the output in a unit. */
  readonly unitElements: number;
  /** Panels of weights, for kernels that can be cut by them. */
  readonly panels?: number;
  readonly weights: Packing;
  readonly zeroBytes: number;
  readonly scratchBytes: number;
  /** An activation that is no clamp, and runs on the output after it. */
  readonly activation?: AfterActivation;
}

/** How the calls of a set are lowered, for the tile that the engine runs. */
export type Lowering<Call extends AnyCall, To extends Lowered = Lowered> = ByKernel<Call, To, [tile: Tile]>;

/** What most kernels have nothing of. */
export const NOTHING = { weights: NO_WEIGHTS, zeroBytes: 0, scratchBytes: 0 } as const;
