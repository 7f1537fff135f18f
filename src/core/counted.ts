/**
 * Counted randomness: a number is computed from what it is for (seed, epoch, example, purpose, index) and not drawn from
 * a stream. So there is no state to save, examples may be made in any order by any number of workers, and a resumed run
 * sees the numbers that it would have seen.
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten
 * rounds of products on a counter of 128 bits, under a key of 64. The key is the seed; the counter is index, example,
 * epoch and a hash of the purpose. Integers alone: the same bits on every engine.
 */

import { optionError } from "./options.ts";

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;
const ROUNDS = 10;

/** Where results are put, so that a draw allocates nothing; it is read before another draw can begin. */
const WORDS = /* @__PURE__ */ new Uint32Array(4);

/**
 * A number of 53 bits, uniform, 0 ≤ u < 1.
 *
 * @param seed    of the run: a safe integer of at least 0 (see `checkSeed`)
 * @param epoch   counted from 0, modulo 2³²
 * @param example its place in the data set, not in the batch, modulo 2³²
 * @param purpose what is random, `"flip"`: its numbers have nothing to do with those of other purposes
 * @param index   which of several numbers for one purpose; default 0
 */
export function counted(seed: number, epoch: number, example: number, purpose: string, index = 0): number {
  draw(seed, epoch, example, hashOf(purpose), index);
  return uniform(WORDS[0] ?? 0, WORDS[1] ?? 0);
}

/** 32 uniform bits, as an integer of at least 0; the arguments are those of `counted`, the bits are others. */
export function countedBits(seed: number, epoch: number, example: number, purpose: string, index = 0): number {
  draw(seed, epoch, example, hashOf(purpose), index);
  return WORDS[2] ?? 0;
}

/**
 * The order of `n` examples in an epoch: each of 0 … n − 1 once, all orders equally likely (Fisher and Yates, with counted
 * numbers of 53 bits). It depends on seed, epoch and n alone, so that a resumed run makes the same one and goes on at its
 * place. An array of 4 · n bytes, made in some 0.1 µs an example.
 */
export function permutation(seed: number, epoch: number, n: number): Uint32Array<ArrayBuffer> {
  const order = new Uint32Array(n);
  const purpose = hashOf("order");
  for (let i = 0; i < n; i++) {
    draw(seed, epoch, i, purpose, 0);
    const j = Math.floor(uniform(WORDS[0] ?? 0, WORDS[1] ?? 0) * (i + 1));
    // "Inside out": i goes to a random place, and who stood there to the end.
    order[i] = order[j] ?? 0;
    order[j] = i;
  }
  return order;
}

/** @throws {DepthwiseError} `OPTION_INVALID` for a seed that is no safe integer of at least 0 */
export function checkSeed(owner: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw optionError(owner, "seed", "an integer of at least 0 and at most 2^53 − 1", value);
}

/**
 * The four words of a counter under a key, written to `into`.
 *
 * @param counter four words of 32 bits
 * @param key     two
 */
export function philox(into: Uint32Array, counter: readonly number[], key: readonly number[]): void {
  let [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter;
  let [k0 = 0, k1 = 0] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highWord(MULTIPLIERS[0], c0 >>> 0);
    const high1 = highWord(MULTIPLIERS[1], c2 >>> 0);
    const low0 = Math.imul(MULTIPLIERS[0], c0);
    const low1 = Math.imul(MULTIPLIERS[1], c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + KEY_STEPS[0]) | 0;
    k1 = (k1 + KEY_STEPS[1]) | 0;
  }
  into[0] = c0;
  into[1] = c1;
  into[2] = c2;
  into[3] = c3;
}

function draw(seed: number, epoch: number, example: number, purpose: number, index: number): void {
  philox(WORDS, [index, example, epoch, purpose], [seed, Math.floor(seed / 2 ** 32)]);
}

function uniform(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) * 2 ** -53;
}

/** The upper 32 bits of a product of two words. Each partial sum is below 2³², exact in float64. */
function highWord(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (other >>> 16)) | 0;
}

/** FNV-1a of the letters, 32 bits. */
function hashOf(purpose: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < purpose.length; i++) hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
  return hash;
}
