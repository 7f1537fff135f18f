/** Numbers out of float32, as somebody wrote them down. */

import { expect, it } from "vitest";
import { shortestDecimal } from "../../src/core/shortest-decimal.ts";

it("numbers out of float32 become the shortest decimal that is the same float32", () => {
  expect([0.1, 1 / 255, 6, -1.007874, 0].map((value) => shortestDecimal(Math.fround(value)))).toEqual([
    0.1, 0.003921569, 6, -1.007874, 0,
  ]);
  expect(shortestDecimal(Number.NaN)).toBeNaN();
});
