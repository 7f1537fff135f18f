/** `mulberry32`, a small seeded generator: the same numbers on every machine. Source: Tommy Ettinger, 2017. */

/** A function that gives the next number of the sequence, 0 ≤ u < 1. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
