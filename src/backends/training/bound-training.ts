/** What a trainer asks of a backend: a training plan with memory and code. */

import type { NumberArray } from "../../core/buffers.ts";
import type { BoundRunOptions } from "../backend.ts";

export interface TrainingRunOptions extends BoundRunOptions {
  /** Gradients are added to those that are there: the later parts of an accumulated batch. */
  readonly adds: boolean;
  /** The gradient of the loss is multiplied by it: 1 / parts. */
  readonly scale: number;
  /** Whether parameters are updated at the end. */
  readonly updates: boolean;
}

/** One thing at a time, in the order in which it is asked: the trainer sees to that. */
export interface BoundTraining {
  /** Bytes of everything that is held. */
  readonly bytes: number;
  readonly threads: number;
  /** What `times` of a run counts, in order: parts of steps. */
  readonly parts: readonly TrainingPart[];
  /** Stages of a run before its loss: it looks at its breath after each. */
  readonly forwardStages: number;
  /** False while a worker is lost or replaced. */
  readonly isWhole?: boolean;
  mend?(): Promise<void>;
  /** Puts values in their places, by their names in the plan; read at the call. */
  write(values: Readonly<Record<string, NumberArray>>): void;
  /** Puts words of 32 bits in the place of a value. */
  writeBits(name: string, words: Uint32Array): void;
  /** Computes all steps for the first `batch` examples. */
  run(batch: number, options: TrainingRunOptions): Promise<void>;
  /** A copy of a value; of an activation the first `batch` examples. */
  read(name: string, batch?: number): Float32Array<ArrayBuffer>;
  close(): void;
}

export type TrainingPhase = "forward" | "loss" | "backward" | "update";

/** What a stage does, told apart for a profile. */
export interface TrainingPart {
  /** The step's layer. */
  readonly name: string;
  readonly phase: TrainingPhase;
  readonly kind: "product" | "depthwise" | "norm" | "other";
}
