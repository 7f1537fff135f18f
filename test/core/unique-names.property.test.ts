/** Names that are given once each, however alike those are that are asked for. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniqueNames } from "../../src/core/unique-names.ts";

describe("uniqueNames", () => {
  it("gives a name that nobody has as it is, and others with a number behind them", () => {
    const unused = uniqueNames(["input", "a_2"]);
    expect(["a", "a", "a", "input", "a_1", "", ""].map(unused)).toEqual([
      ...["a", "a_1", "a_3", "input_1", "a_1_1", "", "_1"],
    ]);
  });

  it("gives no name twice, and none that was taken before", () => {
    const name = fc.stringMatching(/^[ab](_[123]){0,2}$/);
    fc.assert(
      fc.property(fc.array(name), fc.array(name), (taken, wishes) => {
        const given = wishes.map(uniqueNames(taken));
        expect(new Set([...taken, ...given]).size).toBe(new Set(taken).size + given.length);
      }),
    );
  });

  // A search from 1 on for each would look 20,000,000,000 times.
  it("takes linear time for 200,000 alike, with every other number taken", () => {
    const unused = uniqueNames(Array.from({ length: 100_000 }, (_, i) => `a_${2 * i}`));
    const start = performance.now();
    const given = Array.from({ length: 200_000 }, () => unused("a"));
    expect(performance.now() - start).toBeLessThan(5000);
    expect(given[199_999]).toBe("a_299998");
    expect(new Set(given).size).toBe(200_000);
  });
});
