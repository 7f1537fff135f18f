/** `fit` and what belongs to it. */

export type { CheckpointStore } from "./checkpoint-store.ts";
export type {
  EpochEvent,
  EpochRecord,
  EpochTime,
  FitEvent,
  FitResult,
  ProgressEvent,
  ValidationResult,
} from "./events.ts";
export { fit } from "./fit.ts";
export type { FitOptions } from "./fit-options.ts";
export type { FitRun } from "./fit-run.ts";
export { indexedDbStore } from "./indexed-db-store.ts";
export { type RecalibrateOptions, recalibrateBatchNorm } from "./recalibrate.ts";
