/** @slow: each network is trained a dozen times. */

/**
 * Random networks in training: the same losses, gradients and parameters on wasm as in plain loops, and the same bits
 * with any number of threads.
 *
 * What may differ: each backend rounds sums of its own order. How much that is of a result depends on the network (what
 * a batch norm divides by, what cancels), so it is measured: the reference is trained again with inputs and parameters that
 * are off by a few units in the last place, and a result may be off by some times what it then was, and by a part of its scale
 * that no rounding of a sum reaches. A wrong term is as large as the result itself.
 */

import fc from "fast-check";
import { expect, it } from "vitest";
import { SIMD, worker } from "../backends.ts";
import { rounds, seedOf } from "../fuzz.ts";
import { largestDifference } from "../golden/vectors.ts";
import {
  longCase,
  longRows,
  networkOf,
  type Outcome,
  type TrainingCase,
  trained,
  trainingCase,
} from "./random-training.ts";

/** Of what nudged inputs move a result by. */
const NOISE = 64;
/** Of the largest number of a result. With both together, the most that was seen is a ninth of what is allowed. */
const SHARE = 1e-5;
/** A network that nudged inputs move by more than this share of a result stands at a kink, and says nothing. */
const UNSTABLE = 1e-4;

/** What is compared, each by itself: every number of the steps, and how far each parameter went. */
function results({ losses, norms, moves }: Outcome): Map<string, Float32Array> {
  return new Map([["losses", Float32Array.from(losses)], ["norms", Float32Array.from(norms)], ...moves]);
}

const largestOf = (values: ArrayLike<number>): number => largestDifference(values, new Float32Array(values.length));

/** Whether it stood at no kink, and so was compared with the reference. */
async function compare(one: TrainingCase, threads: readonly number[]): Promise<boolean> {
  const model = networkOf(one);
  const outcome = await trained(one, { backend: "reference" });
  const reference = results(outcome);
  for (const value of [...outcome.losses, ...outcome.norms]) expect(value).not.toBeNaN();
  const nudged: Map<string, Float32Array>[] = [];
  for (const nudge of [1, 2, 3]) nudged.push(results(await trained(one, { backend: "reference" }, nudge)));
  const noise = new Map(
    [...reference].map(([name, data]) => [
      name,
      Math.max(...nudged.map((other) => largestDifference(other.get(name)!, data))),
    ]),
  );
  const isStable = ["losses", "norms"].every((name) => noise.get(name)! <= UNSTABLE * largestOf(reference.get(name)!));
  const farthest = Math.max(...[...outcome.moves.keys()].map((name) => largestOf(reference.get(name)!)));
  for (const simd of SIMD) {
    const alone = await trained(one, { backend: "wasm", simd });
    for (const [name, data] of isStable ? results(alone) : []) {
      // What a parameter moved by is read off numbers that were rounded four times; and the gradient of a bias in
      // front of a batch norm is what is left of terms that are as large as others' are.
      const rounding = 2 ** -21 * largestOf(model.parameters.get(name)?.data ?? []) + 2 ** -17 * farthest;
      const bound = NOISE * noise.get(name)! + SHARE * largestOf(reference.get(name)!) + rounding;
      expect(largestDifference(data, reference.get(name)!), `${simd}: ${name}`).toBeLessThanOrEqual(bound);
    }
    for (const count of threads) {
      const again = await trained(one, { backend: "wasm", simd, threads: count, worker });
      expect(again, `${simd}, ${count} threads`).toEqual(alone);
    }
  }
  return isStable;
}

async function checkAll(cases: fc.Arbitrary<TrainingCase>, numRuns: number): Promise<void> {
  let compared = 0;
  let index = 0;
  const property = fc.asyncProperty(cases, async (one) => {
    index++;
    if (await compare(one, index % 5 === 0 ? [1, 2, 4] : [1])) compared++;
  });
  await fc.assert(property, { seed: seedOf(20170417), numRuns });
  expect(compared).toBeGreaterThanOrEqual(0.9 * numRuns);
}

/** However busy the machine is. */
const LONGEST = 400_000;

it(
  "give on wasm what plain loops give, and the same bits with any number of threads",
  async () => {
    await checkAll(trainingCase, rounds(80));
  },
  LONGEST,
);

it(
  "give it where images are cut into chunks",
  async () => {
    await checkAll(longCase, rounds(12));
  },
  LONGEST,
);

it.each(
  (["depthwiseConv2d", "conv2d"] as const).flatMap((type) =>
    [
      { kernel: 3, stride: 1, dilation: 1, padding: "same" },
      { kernel: 3, stride: 2, dilation: 1, padding: "same" },
      { kernel: 5, stride: 1, dilation: 1, padding: "valid" },
      { kernel: 2, stride: 3, dilation: 1, padding: "same" },
      { kernel: 3, stride: 1, dilation: 2, padding: "same" },
    ].map((window) => [type, window] as const),
  ),
)("give it for a window between rows that are cut: %s %j", async (type, window) => {
  expect(await compare(longRows(type, window), [2])).toBe(true);
});
