/** "For each backend" of training. */

import type { TrainerOptions } from "../../src/train/trainer-options.ts";

export interface TrainingVariant {
  readonly name: string;
  readonly options: Pick<TrainerOptions, "backend" | "simd" | "threads" | "worker">;
}

export const TRAINING_BACKENDS: readonly TrainingVariant[] = [{ name: "reference", options: { backend: "reference" } }];
