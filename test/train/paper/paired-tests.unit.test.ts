/** McNemar's test and its sum over seeds, beside known values and beside exact counting. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { script } from "./fixture.ts";

const { mcnemar, signedSums } = await script<{
  mcnemar(onlyFirst: number, onlySecond: number): number;
  signedSums(differences: readonly number[]): number;
}>("paired-tests.mjs");

/** As many of one number. */
const many = (count: number, value: number) => Array.from({ length: count }, () => value);

describe("McNemar's exact test", () => {
  it.each([
    [0, 0, 1],
    [1, 0, 1],
    [7, 7, 1],
    [5, 0, 2 / 32],
    [2, 10, (2 * (1 + 12 + 66)) / 4096],
    // Agresti's approval ratings, of the 944 people whose answer changed: R's exact2x2 gives 3.716e-5.
    [86, 150, 3.716e-5],
  ])("of %i and %i is known", (one, other, p) => {
    expect(mcnemar(one, other)).toBeCloseTo(p, 8);
    expect(mcnemar(other, one)).toBe(mcnemar(one, other));
  });

  it("is what whole numbers give", () => {
    fc.assert(
      fc.property(fc.nat({ max: 400 }), fc.nat({ max: 400 }), (one, other) => {
        const found = mcnemar(one, other);
        const exact = exactly(one, other);
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(1e-10 * exact);
      }),
      { numRuns: 60 },
    );
  });

  it("is above 0 where no float64 is as small", () => {
    for (const p of [mcnemar(4000, 0), signedSums(many(4000, 1)), signedSums(many(4000, 3))]) expect(p).toBe(1e-300);
  });

  it("of thousands is a number above 0 and below 1", () => {
    expect(mcnemar(2600, 2400)).toBeGreaterThan(0.004);
    expect(mcnemar(2600, 2400)).toBeLessThan(0.006);
  });
});

describe("over seeds", () => {
  it("of one seed it is McNemar's", () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.nat({ max: 60 }), fc.nat({ max: 20 }), (one, other, same) => {
        const differences = [...many(one, 1), ...many(other, -1), ...many(same, 0)];
        expect(signedSums(differences)).toBeCloseTo(mcnemar(one, other), 12);
      }),
    );
  });

  it("is the share of all signs whose sum is as far from 0", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 9 }), (differences) => {
        const sum = (values: readonly number[]) => Math.abs(values.reduce((all, value) => all + value, 0));
        let far = 0;
        for (let signs = 0; signs < 2 ** differences.length; signs++) {
          const turned = differences.map((value, n) => (((signs >> n) & 1) === 1 ? -value : value));
          if (sum(turned) >= sum(differences)) far++;
        }
        expect(signedSums(differences)).toBeCloseTo(far / 2 ** differences.length, 12);
      }),
    );
  });
});

/** Twice the shorter tail of a fair coin, counted in whole numbers. */
function exactly(one: number, other: number): number {
  const all = one + other;
  let ways = 1n;
  let tail = 0n;
  for (let k = 0; k <= Math.min(one, other); k++) {
    tail += ways;
    ways = (ways * BigInt(all - k)) / BigInt(k + 1);
  }
  // With 80 digits more than the divisor has, so that small chances keep theirs.
  const scale = 2n ** 1000n;
  return Math.min(1, Number((2n * tail * scale) >> BigInt(all)) / 2 ** 1000);
}
