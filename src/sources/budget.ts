/** How many bytes one call may still read, all its files together. */

import { tooLarge } from "../core/file-error.ts";

export interface Budget {
  /**
   * Counts bytes before they are held.
   *
   * @throws {DepthwiseError} `FILE_TOO_LARGE`; then nothing is counted
   */
  take(name: string, bytes: number): void;
  /** Like `take`, but counts nothing: for sizes that are only announced. */
  check(name: string, bytes: number): void;
  giveBack(bytes: number): void;
}

export function createBudget(maxBytes: number): Budget {
  let used = 0;
  const check = (name: string, bytes: number) => {
    if (used + bytes <= maxBytes) return;
    throw tooLarge(name, used === 0 ? "" : "together with what was read before it", used + bytes, maxBytes);
  };
  return {
    check,
    take(name, bytes) {
      check(name, bytes);
      used += bytes;
    },
    giveBack(bytes) {
      used -= bytes;
    },
  };
}
