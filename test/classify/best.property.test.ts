/** The best classes, against a sort of all. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { best } from "../../src/classify/best.ts";

const few = fc.constantFrom(0, 0.1, 0.25, 0.5, 1);

it("are those that a stable sort puts first, whether few or all are asked for", () => {
  const rows = fc.array(fc.oneof(few, fc.float({ min: 0, max: 1, noNaN: true })), { maxLength: 300 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 320 }), (numbers, topK) => {
      const row = Float32Array.from(numbers);
      const sorted = Array.from(row, (probability, index) => ({ index, probability }));
      sorted.sort((a, b) => b.probability - a.probability || a.index - b.index);
      expect(best(row, [], topK)).toEqual(
        sorted.slice(0, topK).map(({ index, probability }) => ({ index, label: String(index), probability })),
      );
    }),
  );
});
