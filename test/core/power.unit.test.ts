import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosineOfHalfTurns } from "../../src/core/cosine.ts";
import { powerOf } from "../../src/core/power.ts";

describe("a power", () => {
  it("is exact for powers of two, down to the smallest number", () => {
    for (const n of [0, 1, 10, 52, 1021, 1022, 1023, 1060, 1074]) {
      expect(powerOf(0.5, n)).toBe(2 ** -n);
      if (n < 1024) expect(powerOf(2, n)).toBe(2 ** n);
    }
    expect(powerOf(4, 0.5)).toBe(2);
  });

  it("ends in infinity and in 0", () => {
    expect(powerOf(2, 1024)).toBe(Number.POSITIVE_INFINITY);
    expect(powerOf(10, 1e9)).toBe(Number.POSITIVE_INFINITY);
    expect(powerOf(0.5, 1076)).toBe(0);
    expect(powerOf(0.94, 1e9)).toBe(0);
  });

  it("of exponent 0 is 1, and of exponent 1 the base", () => {
    for (const base of [5e-324, 1e-300, 0.1, 0.94, 1, 3, 1e300, 1.7e308]) {
      expect(powerOf(base, 0)).toBe(1);
      expect(Math.abs(powerOf(base, 1) / base - 1)).toBeLessThan(1e-15);
    }
  });

  it("is that of the engine, but for roundings in proportion to the exponent", () => {
    const base = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    const exponent = fc.double({ min: -40, max: 40, noNaN: true });
    fc.assert(
      fc.property(base, exponent, (b, y) => {
        const bound = 2 ** -51 * (1 + Math.abs(y * Math.log(b)));
        expect(Math.abs(powerOf(b, y) / b ** y - 1)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 2000 },
    );
  });

  it("has the same bits on every engine", () => {
    expect(powerOf(0.94, 17)).toBe(0.3492798333840545);
    expect(powerOf(0.98, 0.125)).toBe(0.9974778475699037);
    expect(powerOf(0.999, 12345)).toBe(0.000004324661796025637);
    expect(powerOf(10, -3)).toBe(0.0009999999999999998);
  });
});

describe("a cosine", () => {
  it("is exact at quarters of a turn", () => {
    const halfTurns = [0, 0.5, 1, 1.5, 2, 3, -1, -0.5, 2 ** 40 + 1];
    expect(halfTurns.map((u) => cosineOfHalfTurns(u) + 0)).toEqual([1, 0, -1, 0, 1, -1, -1, 0, -1]);
  });

  it("is that of the engine within roundings", () => {
    fc.assert(
      fc.property(fc.double({ min: -4, max: 4, noNaN: true }), (u) => {
        expect(Math.abs(cosineOfHalfTurns(u) - Math.cos(Math.PI * u))).toBeLessThanOrEqual(2e-15);
      }),
      { numRuns: 2000 },
    );
  });

  it("is as exact near its zero as elsewhere", () => {
    for (const d of [1e-3, 1e-8, 1e-12]) {
      const u = 0.5 - d;
      expect(Math.abs(cosineOfHalfTurns(u) / Math.sin(Math.PI * (0.5 - u)) - 1)).toBeLessThan(1e-15);
    }
  });

  it("has the same bits on every engine", () => {
    expect(cosineOfHalfTurns(0.1)).toBe(0.9510565162951535);
    expect(cosineOfHalfTurns(1 / 3)).toBe(0.5);
    expect(cosineOfHalfTurns(0.9)).toBe(-0.9510565162951536);
  });
});
