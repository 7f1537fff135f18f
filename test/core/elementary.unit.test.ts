/** `exp` and `log` against series in whole numbers of 2⁻³⁰⁰, exact to far below what float64 can tell. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exp, log } from "../../src/core/elementary.ts";

const BITS = 300n;
const ONE = 1n << BITS;

/** A float64 as a whole number of 2⁻³⁰⁰; below 2⁻²⁴⁸ bits are lost. */
function fixed(x: number): bigint {
  let [value, shift] = [x, 0n];
  while (!Number.isInteger(value) && shift < BITS) {
    value *= 2;
    shift++;
  }
  return BigInt(Math.trunc(value)) << (BITS - shift);
}

const times = (a: bigint, b: bigint): bigint => (a * b) >> BITS;

/** e^x of |x| < 1: Σ xⁿ / n!, squared as often as x was halved. */
function exactExp(x: bigint): bigint {
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; n < 120n; n++) {
    term = times(term, x) / n;
    sum += term;
  }
  return sum;
}

/** 2 · atanh((m − 1) / (m + 1)), of m near 1. */
function exactLog(m: bigint): bigint {
  const s = ((m - ONE) << BITS) / (m + ONE);
  let power = s;
  let sum = 0n;
  for (let n = 1n; n < 260n; n += 2n) {
    sum += power / n;
    power = times(times(power, s), s);
  }
  return 2n * sum;
}

const EXP_BITS = [
  1.6487212707001282, 0.22313016014842982, 1.1051709180756477, 1.2501528663867426e-9, 3.325986980250579e38,
  7.530144847827766e-46,
];
const LOG_BITS = [
  1.0986122886681096, 2.995732273553991, -1.2039728043259361, -690.7755278982137, 0.22314355131420976,
  6.907755278982137,
];

const LN2 = exactLog(ONE + ONE / 3n) + exactLog(ONE + ONE / 2n);

/** The exact value, in units in the last place of `found`, away from it. */
function unitsOff(found: number, exact: bigint, exponent = 0): number {
  let place = Math.max(Math.floor(Math.log2(Math.abs(found))), -1022) - 52;
  // The logarithm of what lies just below a power of two may be rounded up to it.
  if (place > -1000 && !Number.isInteger(found * 2 ** -place)) place--;
  const scaled = place < -1000 ? found * 2 ** 1000 * 2 ** (-place - 1000) : found * 2 ** -place;
  // scaled is whole; exact · 2^(exponent − place) in 2⁻³⁰⁰
  const shift = BigInt(exponent - place);
  const wanted = shift >= 0n ? exact << shift : exact >> -shift;
  return Math.abs(Number(((BigInt(scaled) << BITS) - wanted) >> (BITS - 32n))) / 2 ** 32;
}

const expUnitsOff = (x: number): number => {
  const k = Math.round(x / Math.LN2);
  return unitsOff(exp(x), exactExp(fixed(x) - BigInt(k) * LN2), k);
};

const logUnitsOff = (x: number): number => {
  const k = Math.round(Math.log2(x));
  const mantissa = fixed(
    k > 1000 ? x / 2 ** 1000 / 2 ** (k - 1000) : x * 2 ** Math.min(-k, 1000) * 2 ** Math.max(-k - 1000, 0),
  );
  return unitsOff(log(x), exactLog(mantissa) + BigInt(k) * LN2);
};

describe("exp", () => {
  it("is within one unit in the last place", () => {
    const arguments_ = fc.oneof(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: -40, max: 40, noNaN: true }),
      fc.double({ min: -700, max: 709.7, noNaN: true }),
    );
    fc.assert(
      fc.property(arguments_, (x) => {
        expect(expUnitsOff(x)).toBeLessThan(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("rounds once where the result is below 2⁻¹⁰²²", () => {
    fc.assert(
      fc.property(fc.double({ min: -745, max: -708, noNaN: true }), (x) => {
        expect(expUnitsOff(x)).toBeLessThan(1);
      }),
      { numRuns: 300 },
    );
  });

  it("at its ends", () => {
    expect([0, -0, 709.782712893384, 709.7827128933841, Infinity].map(exp)).toEqual([
      ...[1, 1, 1.7976931348622732e308, Infinity, Infinity],
    ]);
    expect([-745.13, -745.14, -1e300, -Infinity, Number.NaN].map(exp)).toEqual([5e-324, 0, 0, 0, Number.NaN]);
  });

  it("has these bits in every engine", () => {
    expect([0.5, -1.5, 0.1, -20.5, 88.7, -103.9].map(exp)).toEqual(EXP_BITS);
  });
});

describe("log", () => {
  it("is within one unit in the last place", () => {
    const arguments_ = fc.oneof(
      fc.double({ min: 0.5, max: 2, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
      fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }),
    );
    fc.assert(
      fc.property(arguments_, (x) => {
        if (x !== 1) expect(logUnitsOff(x)).toBeLessThan(1);
      }),
      { numRuns: 2000 },
    );
  });

  it("near 1, and at its ends", () => {
    for (const x of [1 + 2 ** -52, 1 - 2 ** -53, 1 + 2 ** -30, Math.SQRT2, Math.SQRT1_2, 5e-324, 2 ** -1022]) {
      expect(logUnitsOff(x)).toBeLessThan(1);
    }
    expect([1, 0, -0, Infinity].map(log)).toEqual([0, -Infinity, -Infinity, Infinity]);
    expect([-1e-300, -Infinity, Number.NaN].map(log)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it("has these bits in every engine", () => {
    expect([3, 20, 0.3, 1e-300, 1.25, 1000].map(log)).toEqual(LOG_BITS);
  });
});
