/** What is told in a line: what a person can mend. Everything else is a fault of ours, and keeps its stack. */

import { Refusal } from "./refusal.mjs";

/** @param {unknown} cause @returns {Promise<boolean>} */
export async function isTold(cause) {
  if (cause instanceof Refusal) return true;
  // Of the system: a full disk, a folder that cannot be written to. Node's own `ERR_…` have a code too, and no call.
  if (typeof cause?.syscall === "string") return true;
  const { isDepthwiseError } = await import("../../dist/esm/index.js");
  return isDepthwiseError(cause);
}
