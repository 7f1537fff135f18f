/** Soft labels: what a row of shares has to be, wherever one comes from. */

/** How far a row may be from adding up to 1: float32 that were divided by their sum, or written in three digits. */
const TOLERANCE = 1e-3;

/** What is wrong with a row of shares. */
export interface ShareFault {
  /** The class whose share it is; undefined where it is the sum. */
  readonly classIndex: number | undefined;
  readonly found: unknown;
}

/**
 * The first thing that is wrong with a row of shares: one that is no number of at least 0, or their sum.
 *
 * @param rows  numbers, of which the row is those from `from` on, one for each class
 */
export function shareFault(rows: ArrayLike<unknown>, from: number, classes: number): ShareFault | undefined {
  let sum = 0;
  for (let classIndex = 0; classIndex < classes; classIndex++) {
    const share = rows[from + classIndex];
    if (!(typeof share === "number" && share >= 0)) return { classIndex, found: share };
    sum += share;
  }
  return Math.abs(sum - 1) <= TOLERANCE ? undefined : { classIndex: undefined, found: sum };
}
