/** Whether what ended a shard would end it again: a scheduler then does not repeat it. */

import { isDepthwiseError } from "../core/errors.ts";

/** Of weights, options and the pictures as a whole. Disks, networks and memory may be better the next time. */
const FINAL: ReadonlySet<string> = new Set([
  ...["OPTION_INVALID", "RUN_MISMATCH", "TOO_MANY_ERRORS", "PACKAGE_MISSING", "BACKEND_UNAVAILABLE"],
  ...["NETWORK_INVALID", "NETWORK_VANISHES", "SHAPE_MISMATCH", "DTYPE_MISMATCH", "NAME_UNKNOWN"],
  ...["PARAMETERS_MISMATCH", "VALUES_NOT_FINITE", "LABELS_MISSING", "CLASSES_MISMATCH", "ARCHITECTURE_UNKNOWN"],
  ...["FILE_NOT_FOUND", "FILE_EMPTY", "FILE_CORRUPT", "FILE_TRUNCATED", "FILE_TOO_LARGE", "FORMAT_UNKNOWN"],
]);

/** What it means that a picture cannot be read where the network or the disk may be at fault. */
const PASSING = "FILE_UNREADABLE";

/**
 * Whether a shard that ended with this error would end so again: weights, options, pictures that are not there, too many
 * errors; not a disk, a network, memory or a signal. It is what exit code 42 of `depthwise batch` says, for workers of
 * queues.
 *
 *     catch (error) { throw isFinal(error) ? new UnrecoverableError(error.message) : error; }
 */
export function isFinal(error: unknown): boolean {
  return isDepthwiseError(error) && isFinalCode(error.code, error.fields);
}

/** The same of an error's code and fields, which may have crossed a process. */
export function isFinalCode(code: string, fields: Readonly<Record<string, unknown>>): boolean {
  if (code === "TOO_MANY_ERRORS" && mostly(fields["errors"], PASSING)) return false;
  return FINAL.has(code);
}

/** Whether more than half of what was counted is of one code. */
function mostly(errors: unknown, code: string): boolean {
  const counts = Object.entries(errors ?? {}).map(([name, count]) => [name, Number(count)] as const);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return counts.some(([name, count]) => name === code && 2 * count > all);
}
