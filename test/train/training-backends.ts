/** "For each backend" of training. */

import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { NOT_WIDE, SIMD, worker } from "../backends.ts";

export interface TrainingVariant {
  readonly name: string;
  readonly options: Pick<TrainerOptions, "backend" | "simd" | "threads" | "worker">;
}

export const TRAINING_BACKENDS: readonly TrainingVariant[] = [
  { name: "reference", options: { backend: "reference" } },
  ...SIMD.map((simd): TrainingVariant => ({ name: `wasm, ${simd} SIMD`, options: { backend: "wasm", simd } })),
  ...(NOT_WIDE === undefined
    ? [1, 2].map(
        (threads): TrainingVariant => ({
          name: `wasm, wide SIMD, ${threads} threads`,
          options: { backend: "wasm", simd: "wide", threads, worker },
        }),
      )
    : []),
  ...[2, 4].map(
    (threads): TrainingVariant => ({
      name: `wasm, ${threads} threads`,
      options: { backend: "wasm", threads, worker },
    }),
  ),
];
