/**
 * The one place from which data take randomness: counted, not drawn. A number depends on what it is for and on nothing
 * that happened before, so there is no stream to restore, and the order of the work changes nothing.
 */

import { optionError } from "../../core/options.ts";

/** What a number is for: numbers of different purposes have nothing to do with each other. */
export type Purpose = "shuffle" | "split" | "crop" | "flip" | "jitter" | "cutout" | "mixup";

const PURPOSES = [
  "shuffle",
  "split",
  "crop",
  "flip",
  "jitter",
  "cutout",
  "mixup",
] as const satisfies readonly Purpose[];

/**
 * A number of at least 0 and below 1, in steps of 2⁻³².
 *
 * @param seed    of the run, a non-negative safe integer; so are `epoch`, `example` and `index`
 * @param example position in the data set
 * @param index   for several numbers of one purpose
 */
export function uniform(seed: number, epoch: number, example: number, purpose: Purpose, index = 0): number {
  let hash = mixed(0x9e3779b9, PURPOSES.indexOf(purpose) + 1);
  for (const word of [seed, epoch, example, index]) {
    hash = mixed(hash, word >>> 0);
    hash = mixed(hash, Math.floor(word / 2 ** 32) >>> 0);
  }
  return finished(hash) / 2 ** 32;
}

/** The numbers 0 to `count` − 1 in an order of the epoch's own. Fisher and Yates, from the end. */
export function shuffledOrder(seed: number, epoch: number, count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(uniform(seed, epoch, last, "shuffle") * (last + 1));
    const kept = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}

/** @throws {DepthwiseError} `OPTION_INVALID` */
export function seedOption(owner: string, seed: unknown): number {
  if (typeof seed === "number" && Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw optionError(owner, "seed", "a whole number of at least 0", seed);
}

/** A step of MurmurHash3 with words of 32 bits. Source: Austin Appleby, 2011, public domain. */
function mixed(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** Its last step: every bit of the hash reaches every bit of the result. */
function finished(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
