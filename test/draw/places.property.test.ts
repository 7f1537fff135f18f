/** Scales, widths of texts and places of labels. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commonPrefix, withoutPrefix } from "../../src/draw/layer-names.ts";
import { placeLabels } from "../../src/draw/place-labels.ts";
import { linearScale, logScale, logTicks, roundSpan, roundTicks } from "../../src/draw/scales.ts";
import { shortened, textWidth, wrapped } from "../../src/draw/text-width.ts";

const text = fc.string({ unit: "grapheme", maxLength: 80 });

describe("scales", () => {
  it("end where they are told to, and middle values where they belong", () => {
    expect([0, 5, 10].map(linearScale([0, 10], [100, 300]))).toEqual([100, 200, 300]);
    expect([1, 10, 100].map(logScale([1, 100], [0, 50])).map((place) => Math.round(place * 1e9) / 1e9)).toEqual([
      0, 25, 50,
    ]);
    expect(linearScale([7, 7], [0, 100])(7)).toBe(50);
  });

  it("have round ticks within their span, and round spans about what they hold", () => {
    expect(roundTicks([0, 1], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(roundTicks([40, 80], 6)).toEqual([40, 50, 60, 70, 80]);
    expect(roundSpan([41.2, 71.3], 6)).toEqual([40, 80]);
    expect(logTicks([13e6, 600e6])).toEqual([20e6, 50e6, 100e6, 200e6, 500e6]);
    expect(logTicks([1, 1e6])).toEqual([1, 10, 100, 1000, 10_000, 100_000, 1_000_000]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (low, size) => {
          const [from, to] = roundSpan([low, low + size], 6);
          expect(from).toBeLessThanOrEqual(low + 1e-9);
          expect(to).toBeGreaterThanOrEqual(low + size - 1e-9);
          const ticks = roundTicks([from, to], 6);
          expect(ticks.length).toBeGreaterThanOrEqual(2);
          expect(ticks.length).toBeLessThanOrEqual(9);
        },
      ),
    );
  });
});

describe("texts", () => {
  it("are as wide as their letters: Hangul a whole, others about half", () => {
    expect(textWidth("합성곱", 12)).toBe(36);
    expect(textWidth("conv", 10)).toBeCloseTo(24);
    expect(textWidth("", 12)).toBe(0);
    expect(textWidth("W", 10)).toBeGreaterThan(textWidth("v", 10));
  });

  it("are cut to their room, and not where they have it", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 12, max: 400 }), (value, room) => {
        const cut = shortened(value, room, 12);
        expect(textWidth(cut, 12)).toBeLessThanOrEqual(room);
        if (textWidth(value, 12) <= room) expect(cut).toBe(value);
        else expect(cut).toContain("…");
        for (const line of wrapped(value, room, 12)) expect(textWidth(line, 12)).toBeLessThanOrEqual(room);
      }),
    );
  });

  it("lose what all begin with, up to a separator", () => {
    expect(commonPrefix(["Mobilenet/conv_1", "Mobilenet/conv_2", "Mobilenet/pool"])).toBe("Mobilenet/");
    expect(commonPrefix(["conv_1", "conv_2"])).toBe("");
    expect(commonPrefix(["Mobilenet/", "Mobilenet/conv"])).toBe("");
    expect(commonPrefix(["only_one_name"])).toBe("");
    expect(withoutPrefix("Mobilenet/conv_1", "Mobilenet/")).toBe("…conv_1");
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 6 }), (names) => {
        const prefix = commonPrefix(names);
        expect(names.every((name) => name.startsWith(prefix))).toBe(true);
      }),
    );
  });
});

it("labels stay within the frame, and cover no other where there is room", () => {
  const frame = { left: 0, right: 700, top: 0, bottom: 400 };
  const spot = fc.record({ column: fc.integer({ min: 0, max: 5 }), row: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.uniqueArray(spot, { maxLength: 20, selector: ({ column, row }) => `${column},${row}` }), (spots) => {
      const points = spots.map(({ column, row }) => ({ x: 40 + 120 * column, y: 20 + 40 * row, text: "0.75-224" }));
      const places = placeLabels(points, [], frame, 11);
      const width = textWidth("0.75-224", 11);
      const areas = places.map(({ x, y, anchor }) => {
        const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
        return { left, right: left + width, top: y - 9, bottom: y };
      });
      for (const [index, a] of areas.entries()) {
        expect(a.left >= 0 && a.right <= 700 && a.top >= 0 && a.bottom <= 400).toBe(true);
        for (const b of areas.slice(index + 1))
          expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
      }
    }),
  );
});
