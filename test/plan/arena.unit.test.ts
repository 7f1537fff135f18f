/** Where values lie: offsets of small cases as data, and what holds for all. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Lifetime, layOutArena } from "../../src/plan/arena.ts";

/** `[elements, from, to]` of each value. */
const values = (rows: readonly (readonly [number, number, number])[]): Lifetime[] =>
  rows.map(([elements, from, to]) => ({ elements, from, to }));
const aligned = (elements: number) => Math.ceil(elements / 4) * 4;

describe("the arena", () => {
  it.each<[string, [number, number, number][], offsets: number[], elements: number]>([
    ["nothing", [], [], 0],
    ["one value", [[10, 0, 0]], [0], 10],
    [
      "a value of no room between two",
      [
        [4, 0, 3],
        [0, 0, 9],
        [4, 1, 2],
      ],
      [0, 0, 4],
      8,
    ],
    [
      "values one after the other",
      [
        [4, 0, 0],
        [4, 1, 1],
        [4, 2, 2],
      ],
      [0, 0, 0],
      4,
    ],
    [
      "values at one time, the largest first, each at a multiple of four",
      [
        [3, 0, 2],
        [5, 0, 2],
        [7, 0, 2],
      ],
      [0, 12, 4],
      17,
    ],
    [
      "values as large as each other, in their order",
      [
        [4, 0, 2],
        [4, 0, 2],
        [4, 0, 2],
      ],
      [0, 4, 8],
      12,
    ],
    [
      "a gap that just holds a value",
      [
        [8, 0, 9],
        [12, 0, 1],
        [16, 0, 9],
        [12, 2, 9],
      ],
      [28, 16, 0, 16],
      36,
    ],
    [
      "a chain, from both ends",
      [
        [10, 0, 1],
        [20, 1, 2],
        [30, 2, 3],
        [5, 3, 4],
        [50, 4, 5],
      ],
      [0, 32, 0, 52, 0],
      57,
    ],
    [
      "a branch",
      [
        [8, 0, 5],
        [4, 0, 1],
        [4, 1, 2],
        [12, 2, 3],
        [4, 3, 5],
      ],
      [12, 0, 20, 0, 20],
      24,
    ],
    [
      "values that live for one step",
      [
        [12, 0, 1],
        [8, 0, 3],
        [0, 0, 0],
        [16, 0, 0],
        [12, 1, 4],
        [8, 1, 4],
        [8, 1, 4],
      ],
      [0, 40, 0, 24, 12, 32, 24],
      48,
    ],
  ])("holds %s", (_, rows, offsets, elements) => {
    expect(layOutArena(values(rows))).toEqual({ offsets, elements });
  });

  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 30 });
  const lifetimes = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 6 }))
      .map(([elements, from, length]): Lifetime => ({ elements, from, to: from + length })),
    { maxLength: 30 },
  );

  it("of a chain is its largest input and output together, and no more", () => {
    fc.assert(
      fc.property(sizes, (chain) => {
        const { elements } = layOutArena(chain.map((size, i) => ({ elements: size, from: i, to: i + 1 })));
        const pairs = chain.slice(1).map((size, i) => aligned(size) + aligned(chain[i] ?? 0));
        expect(aligned(elements)).toBe(Math.max(...pairs));
      }),
    );
  });

  it("of a chain of 8,000 values is found in a second, and not in forty", () => {
    const chain = Array.from({ length: 8000 }, (_, i) => ({ elements: 1 + (i % 60), from: i, to: i + 1 }));
    const start = performance.now();
    layOutArena(chain);
    expect(performance.now() - start).toBeLessThan(12_000);
  });

  it("of a chain is as large in whatever order its values are given", () => {
    const shuffled = sizes.chain((chain) => {
      const all = chain.map((size, i): Lifetime => ({ elements: size, from: i, to: i + 1 }));
      return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }));
    });
    fc.assert(
      fc.property(shuffled, ([inOrder, others]) => {
        expect(aligned(layOutArena(others).elements)).toBe(aligned(layOutArena(inOrder).elements));
      }),
    );
  });

  it("starts each value at a multiple of four, and ends with the last of them", () => {
    fc.assert(
      fc.property(lifetimes, (all) => {
        const { offsets, elements } = layOutArena(all);
        expect(offsets.every((offset) => offset >= 0 && offset % 4 === 0)).toBe(true);
        expect(elements).toBe(
          Math.max(0, ...all.map((value, i) => (value.elements === 0 ? 0 : (offsets[i] ?? 0) + value.elements))),
        );
      }),
    );
  });

  it("is never larger than all of its values in a row", () => {
    fc.assert(
      fc.property(lifetimes, (all) => {
        const inRow = all.reduce((sum, { elements }) => sum + aligned(elements), 0);
        expect(layOutArena(all).elements).toBeLessThanOrEqual(inRow);
      }),
    );
  });

  it("never lets two that are alive at one time share a number", () => {
    fc.assert(
      fc.property(lifetimes, (all) => {
        const { offsets } = layOutArena(all);
        const placed = all.map((value, i) => ({ ...value, start: offsets[i] ?? 0 }));
        for (const [i, a] of placed.entries())
          for (const b of placed.slice(i + 1)) {
            const isApart = a.start + a.elements <= b.start || b.start + b.elements <= a.start;
            if (a.elements > 0 && b.elements > 0 && a.from <= b.to && b.from <= a.to) expect(isApart).toBe(true);
          }
      }),
      { numRuns: 300 },
    );
  });
});
