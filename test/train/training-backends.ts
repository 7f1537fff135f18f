/** "For each backend" of training. */

import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { SIMD, worker } from "../backends.ts";

export interface TrainingVariant {
  readonly name: string;
  readonly options: Pick<TrainerOptions, "backend" | "simd" | "threads" | "worker">;
}

export const TRAINING_BACKENDS: readonly TrainingVariant[] = [
  { name: "reference", options: { backend: "reference" } },
  ...SIMD.map((simd): TrainingVariant => ({ name: `wasm, ${simd} SIMD`, options: { backend: "wasm", simd } })),
  ...[2, 4].map(
    (threads): TrainingVariant => ({
      name: `wasm, ${threads} threads`,
      options: { backend: "wasm", threads, worker },
    }),
  ),
];
