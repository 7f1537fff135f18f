/**
 * Which arithmetic training has: what a run comes to, bit by bit. Raise it in a commit that gives any shape other bits, by
 * cutting or ordering sums otherwise (chunks, tiles, shares of threads), or by another formula of a step: a run that was
 * begun before cannot go on as one that was never stopped, and is refused.
 */
export const ARITHMETIC = 1;
