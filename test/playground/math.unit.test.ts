/** Formulas of the page: set when it is built, and allowed by its policy. */

import { describe, expect, it } from "vitest";
import { FORMULAS, type FormulaName, mathml } from "../../examples/playground/math.ts";

describe("formulas", () => {
  it.each(Object.keys(FORMULAS) as FormulaName[])("%s is MathML without a style", (name) => {
    const text = mathml(name);
    expect(text).toMatch(/^<math>.*<\/math>$/);
    expect(text).not.toMatch(/style=|class=|<script|href/);
  });
});
