/** The page's first section: one output by two routes, and the cursor that walks both, over random settings. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginOf, courseOf, isBetweenMade, momentOf } from "../../examples/playground/src/why/cursor.ts";
import { lessonOf, type Settings } from "../../examples/playground/src/why/lesson.ts";
import { traceOf } from "../../examples/playground/src/why/trace.ts";

const settings: fc.Arbitrary<Settings> = fc
  .record({
    kernelSize: fc.integer({ min: 1, max: 5 }),
    inputChannels: fc.integer({ min: 1, max: 4 }),
    filters: fc.integer({ min: 1, max: 8 }),
    size: fc.integer({ min: 3, max: 7 }),
    stride: fc.integer({ min: 1, max: 2 }),
    padding: fc.constantFrom("same" as const, "valid" as const),
    multiplier: fc.integer({ min: 1, max: 2 }),
    changed: fc.integer({ min: 0, max: 4 }),
  })
  .filter(({ kernelSize, size, padding }) => padding === "same" || kernelSize <= size);
const runs = { numRuns: 200 };

describe("the lesson", () => {
  it("makes the same output by both routes", () => {
    fc.assert(
      fc.property(settings, (given) => {
        const { output, standardOutput } = lessonOf(given);
        expect(standardOutput.shape).toEqual(output.shape);
        // Whole numbers, far below 2^24: equal, not nearly.
        expect([...standardOutput.data]).toEqual([...output.data]);
      }),
      runs,
    );
  });

  it("counts as the paper's formulas say", () => {
    fc.assert(
      fc.property(settings, (given) => {
        const { kernelSize: dk, inputChannels: m, filters: n, multiplier } = given;
        const { counts, output } = lessonOf(given);
        const df = output.shape[1]!;
        expect(counts.standard).toBe(dk ** 2 * m * n * df ** 2);
        expect(counts.depthwise).toBe(dk ** 2 * m * multiplier * df ** 2);
        expect(counts.pointwise).toBe(m * multiplier * n * df ** 2);
        if (multiplier > 1) return;
        expect((counts.depthwise + counts.pointwise) / counts.standard).toBeCloseTo(1 / n + 1 / dk ** 2, 12);
      }),
      runs,
    );
  });

  it("changes, where one input channel has other numbers, that channel alone of what the depthwise step gives", () => {
    fc.assert(
      fc.property(settings, (given) => {
        const [before, after] = [lessonOf({ ...given, changed: 0 }).between, lessonOf(given).between];
        const channels = before.shape[3]!;
        const changed = new Set(
          [...after.data].flatMap((value, i) => (value === before.data[i] ? [] : [i % channels])),
        );
        for (const channel of changed) expect(Math.floor(channel / given.multiplier)).toBe(given.changed - 1);
      }),
      runs,
    );
  });
});

describe("the cursor", () => {
  it("ends, by both routes, at what cost counts", () => {
    fc.assert(
      fc.property(settings, fc.boolean(), (given, isMixing) => {
        const lesson = lessonOf(given);
        const course = courseOf(lesson, isMixing);
        const all = { ...lesson.counts, ...(isMixing ? {} : { pointwise: 0 }) };
        expect(course.all).toEqual(all);
        expect(momentOf(course, course.moments).made).toEqual(all);
        expect(momentOf(course, 0).made).toEqual({ standard: 0, depthwise: 0, pointwise: 0 });
        expect(beginOf(course, course.side ** 2 * course.filters)).toBe(course.moments);
      }),
      runs,
    );
  });

  it("makes at most one multiplication of each route a moment, and none twice", () => {
    fc.assert(
      fc.property(settings, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (given, isMixing, share) => {
        const course = courseOf(lessonOf(given), isMixing);
        const at = Math.floor(share * (course.moments - 1));
        const [now, next] = [momentOf(course, at).made, momentOf(course, at + 1).made];
        const standard = next.standard - now.standard;
        const pair = next.depthwise + next.pointwise - now.depthwise - now.pointwise;
        expect([0, 1]).toContain(standard);
        expect([0, 1]).toContain(pair);
        expect(standard + pair).toBeGreaterThan(0);
      }),
      runs,
    );
  });

  it("stands at the beginning of a cell where that begins", () => {
    fc.assert(
      fc.property(settings, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (given, isMixing, share) => {
        const course = courseOf(lessonOf(given), isMixing);
        const cell = Math.floor(share * (course.side ** 2 * course.filters - 1));
        const { standard, pointwise, ...moment } = momentOf(course, beginOf(course, cell));
        expect({ standard, pointwise, cell: moment.cell }).toEqual({ standard: 0, pointwise: 0, cell });
      }),
      runs,
    );
  });

  it("has made of what lies between as many numbers as it made multiplications for", () => {
    fc.assert(
      fc.property(settings, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (given, isMixing, share) => {
        const lesson = lessonOf(given);
        const course = courseOf(lesson, isMixing);
        const moment = momentOf(course, Math.floor(share * course.moments));
        const [, side = 0, , channels = 0] = lesson.between.shape;
        let made = 0;
        for (let i = 0; i < side * side * channels; i++) {
          const [place, channel] = [Math.floor(i / channels), i % channels];
          if (isBetweenMade(course, moment, Math.floor(place / side), place % side, channel)) made++;
        }
        expect(made).toBe(Math.floor(moment.made.depthwise / given.kernelSize ** 2));
      }),
      runs,
    );
  });

  it("takes no number times one of a step that is not there", () => {
    fc.assert(
      fc.property(settings, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const lesson = lessonOf(given);
        const course = courseOf(lesson, false);
        const moment = momentOf(course, Math.floor(share * course.moments));
        expect([moment.pointwise, moment.made.pointwise]).toEqual([0, 0]);
        expect(traceOf(lesson, given, moment).pointwise).toBeUndefined();
      }),
      runs,
    );
  });
});
