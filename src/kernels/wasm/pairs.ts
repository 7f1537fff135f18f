/**
 * Whether V8 joins pairs of equal operations on 128 bits to one on 256. Nothing tells but time: chains of sums in two
 * vectors each take as long as chains in one where it does, and twice as long or more where it does not.
 */

import { makeChains, turnOperations } from "./chains.ts";

/** In V8's last tier they take some 130 µs, which the coarse clocks of pages can tell from twice that. */
const TURNS = 10_000;
const CALLS = 4;
/** Double chains over single ones: 1 where they are joined, 2 and more where not. */
const MOST_RATIO = 1.5;
/** Looks in which the single chains got no faster, before they are believed: V8 compiles what it has seen run. */
const SETTLED = 3;

/** A measurement that goes on for as many looks as one likes. */
export interface PairProbe {
  /** Runs both, for some 1 ms, and says whether pairs are joined, as far as one can see by now. */
  look(): boolean;
  /** Operations a millisecond in registers of 128 bits, measured now. */
  singleRate(): number;
}

export function pairProbe(): PairProbe {
  const features = { relaxed: true, shared: false };
  const [single, double] = [makeChains(4, features), makeChains(8, features)];
  let [leastSingle, leastDouble, settled] = [Infinity, Infinity, 0];
  return {
    look() {
      const before = leastSingle;
      leastSingle = leastOf(single, leastSingle);
      leastDouble = leastOf(double, leastDouble);
      settled = leastSingle < 0.8 * before ? 0 : settled + 1;
      return settled >= SETTLED && leastDouble < MOST_RATIO * leastSingle;
    },
    singleRate: () => (TURNS * turnOperations(4)) / leastOf(single, Infinity),
  };
}

function leastOf(run: ReturnType<typeof makeChains>, before: number): number {
  let least = before;
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now();
    run(TURNS, 0);
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
