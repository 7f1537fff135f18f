/** The most that SIMD can multiply here: multiply-adds over registers alone, no memory. */

import { extractLane, float, moduleBuilder, op, set } from "./assembler/index.ts";
import { countDown, multiplyAdd } from "./emit.ts";

/** Two multiply-adds a cycle of four cycles each want eight sums at least. */
const SUMS = 10;
const UNROLL = 4;
const TURNS = 100_000;
const ROUNDS = 15;

/** GFLOP/s of one thread, two operations a multiply-add; the median of some 30 ms. */
export function measureLimit(relaxed: boolean): number {
  const module = moduleBuilder({ shared: false });
  const features = { relaxed, shared: false };
  module.func(
    "run",
    { turns: "i32" },
    (p, local) => {
      const sums = Array.from({ length: SUMS }, () => local("v128"));
      const factor = local("v128");
      // sum = sum · factor + factor: nothing that a compiler could take out of the loop.
      const step = sums.map((sum) => set(sum, multiplyAdd(features, sum, factor, factor)));
      return [
        set(factor, op("f32x4.splat", float(0.999))),
        countDown(p.turns, Array.from({ length: UNROLL }, () => step).flat()),
        sums.map((sum) => extractLane(sum, 0)).reduce((a, b) => op("f32.add", a, b)),
      ];
    },
    { export: true, result: "f32" },
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
  const run = exports["run"] as (turns: number) => number;
  for (let i = 0; i < 50; i++) run(1000);
  const rates = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    run(TURNS);
    return (TURNS * UNROLL * SUMS * 8) / (performance.now() - start) / 1e6;
  });
  return rates.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}
