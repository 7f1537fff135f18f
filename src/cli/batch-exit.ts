/** Schedulers do not repeat a task that ends with 42. */

import { isFinalCode } from "../batch/final.ts";
import { isFinal } from "../batch/index.ts";
import { WorkerFault } from "./batch-workers.ts";

export const FINAL_EXIT = 42;

/** Whether what ended a run of shards, here or in a worker, would end it again. */
export function endsForGood(error: unknown): boolean {
  if (!(error instanceof WorkerFault)) return isFinal(error);
  return error.code !== undefined && isFinalCode(error.code, error.fields);
}
