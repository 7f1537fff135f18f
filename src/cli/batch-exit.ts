/** Whether what ended a run of shards would end it again: schedulers do not repeat a task that ends with 42. */

import { isDepthwiseError } from "../core/errors.ts";
import { WorkerFault } from "./batch-workers.ts";

export const FINAL_EXIT = 42;

/** Of weights, options and the pictures as a whole. Disks, networks and memory may be better the next time. */
const FINAL: ReadonlySet<string> = new Set([
  ...["OPTION_INVALID", "RUN_MISMATCH", "TOO_MANY_ERRORS", "PACKAGE_MISSING", "BACKEND_UNAVAILABLE"],
  ...["NETWORK_INVALID", "NETWORK_VANISHES", "SHAPE_MISMATCH", "DTYPE_MISMATCH", "NAME_UNKNOWN"],
  ...["PARAMETERS_MISMATCH", "VALUES_NOT_FINITE", "LABELS_MISSING", "CLASSES_MISMATCH", "ARCHITECTURE_UNKNOWN"],
  ...["FILE_NOT_FOUND", "FILE_EMPTY", "FILE_CORRUPT", "FILE_TRUNCATED", "FORMAT_UNKNOWN"],
]);

/** What it means that a picture cannot be read where the network or the disk may be at fault. */
const PASSING = "FILE_UNREADABLE";

export function isFinal(error: unknown): boolean {
  if (!isDepthwiseError(error) && !(error instanceof WorkerFault)) return false;
  const { code, fields } = error;
  if (code === "TOO_MANY_ERRORS" && mostly(fields["errors"], PASSING)) return false;
  return code !== undefined && FINAL.has(code);
}

/** Whether more than half of what was counted is of one code. */
function mostly(errors: unknown, code: string): boolean {
  const counts = Object.entries(errors ?? {}).map(([name, count]) => [name, Number(count)] as const);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return counts.some(([name, count]) => name === code && 2 * count > all);
}
