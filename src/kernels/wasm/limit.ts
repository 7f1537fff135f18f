/** The most that SIMD can multiply here: multiply-adds over registers alone, no memory. */

import { makeChains, turnOperations } from "./chains.ts";
import type { RegisterLanes } from "./emit.ts";

const TURNS = 100_000;
const ROUNDS = 15;

/**
 * GFLOP/s of one thread, two operations a multiply-add; the median of some 12 ms.
 *
 * @param lanes 8 where V8 joins vectors
 */
export function measureLimit(relaxed: boolean, lanes: RegisterLanes): number {
  const run = makeChains(lanes, { relaxed, shared: false });
  for (let i = 0; i < 50; i++) run(1000, 0);
  const rates = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    run(TURNS, 0);
    return (TURNS * turnOperations(lanes)) / (performance.now() - start) / 1e6;
  });
  return rates.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}
