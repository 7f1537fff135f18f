/** What is told in a line: what a person can mend. Everything else is a fault of ours, and keeps its stack. */

import { Refusal } from "./refusal.mjs";

/** @param {unknown} cause @returns {Promise<boolean>} */
export async function isTold(cause) {
  if (cause instanceof Refusal) return true;
  // Of the system: a full disk, a folder that cannot be written to. Node's own `ERR_…` have a code too, and no call.
  if (typeof cause?.syscall === "string") return true;
  // Where the library is not built, or is being built anew, nothing is an error of it; the cause must not be lost.
  const library = await import("../../dist/esm/index.js").catch(() => undefined);
  return library?.isDepthwiseError(cause) === true;
}

/** Whether a file of the library is gone: something built it anew meanwhile. @param {unknown} cause */
export function isBuiltAnew(cause) {
  return cause?.code === "ERR_MODULE_NOT_FOUND" && /\bdist\b/.test(cause.message);
}
