/**
 * From values to pixels. Sums, products and quotients alone, with the logarithm of `core/elementary`: engines differ in
 * the last bits of `Math.log`, and a digit that is printed could follow them.
 */

import { log } from "../core/elementary.ts";

/** A value's place, in pixels. */
export type Scale = (value: number) => number;

type Extent = readonly [from: number, to: number];

/** Equal steps for equal differences. What has no extent is in the middle. */
export function linearScale([low, high]: Extent, [from, to]: Extent): Scale {
  if (high === low) return () => (from + to) / 2;
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** Equal steps for equal ratios; values are above 0. */
export function logScale([low, high]: Extent, pixels: Extent): Scale {
  const scale = linearScale([log(low), log(high)], pixels);
  return (value) => scale(log(value));
}

/** Round values within a span, about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function roundTicks([low, high]: Extent, count: number): readonly number[] {
  const step = roundStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // By a quotient where steps are below 1: 0.1 times 3 is not 0.3.
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    step < 1 ? (first + index) / Math.round(1 / step) : (first + index) * step,
  );
}

/** A span that begins and ends on round values. */
export function roundSpan([low, high]: Extent, count: number): Extent {
  const step = roundStep((high - low) / count);
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}

/** 1, 2 and 5 of each power of ten within a span; of a wide one the powers alone. */
export function logTicks([low, high]: Extent): readonly number[] {
  const digits = high / low > 1000 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = 1; power <= high; power *= 10) {
    ticks.push(...digits.map((digit) => digit * power).filter((value) => value >= low && value <= high));
  }
  return ticks;
}

/** The round step that is nearest to one that is not, and not below it. */
function roundStep(step: number): number {
  let power = 1;
  while (power * 10 <= step) power *= 10;
  while (power > step) power /= 10;
  const digit = [1, 2, 5, 10].find((each) => each * power >= step * (1 - 1e-9)) ?? 10;
  return digit * power;
}
