/** @slow: it takes 2 seconds. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import type { Pixels } from "../../src/images/pixels.ts";
import { type Centers, resizeAntialiased, resizePlain } from "../../src/images/resize.ts";

const side = fc.integer({ min: 1, max: 40 });
const centers = fc.constantFrom<Centers>("halfPixel", "legacy", "alignCorners");

const image: fc.Arbitrary<Pixels> = fc
  .tuple(side, side)
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: 3 * width * height, maxLength: 3 * width * height })
      .map((data) => ({ width, height, data })),
  );

/** Of one channel. */
function bounds(data: ArrayLike<number>, channel: number): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = channel; i < data.length; i += 3) {
    low = Math.min(low, data[i] ?? Number.NaN);
    high = Math.max(high, data[i] ?? Number.NaN);
  }
  return [low, high];
}

it("the same size is the same image", () => {
  fc.assert(
    fc.property(image, centers, (pixels, rule) => {
      const { width, height, data } = pixels;
      expect(resizeAntialiased(pixels, width, height)).toEqual(pixels);
      expect([...resizePlain(pixels, width, height, { centers: rule })]).toEqual([...data]);
    }),
  );
});

it("an image of one colour keeps it at every size", () => {
  fc.assert(
    fc.property(side, side, side, side, fc.nat(255), centers, (width, height, toWidth, toHeight, value, rule) => {
      const pixels = { width, height, data: new Uint8Array(3 * width * height).fill(value) };
      const constant = new Array(3 * toWidth * toHeight).fill(value);
      expect([...resizeAntialiased(pixels, toWidth, toHeight).data]).toEqual(constant);
      expect([...resizePlain(pixels, toWidth, toHeight, { centers: rule })]).toEqual(constant);
    }),
  );
});

it("no channel leaves its range or takes from another", () => {
  fc.assert(
    fc.property(image, side, side, centers, (pixels, width, height, rule) => {
      const resized = resizeAntialiased(pixels, width, height);
      expect(resized.data.length).toBe(3 * width * height);
      for (const data of [resized.data, resizePlain(pixels, width, height, { centers: rule })]) {
        for (const channel of [0, 1, 2]) {
          const [low, high] = bounds(pixels.data, channel);
          const [newLow, newHigh] = bounds(data, channel);
          expect(newLow).toBeGreaterThanOrEqual(low);
          expect(newHigh).toBeLessThanOrEqual(high);
        }
      }
    }),
  );
});

it("resizing twice gives the same bits, and the input is not written", () => {
  fc.assert(
    fc.property(image, side, side, (pixels, width, height) => {
      const before = pixels.data.slice();
      expect(resizeAntialiased(pixels, width, height)).toEqual(resizeAntialiased(pixels, width, height));
      expect(resizePlain(pixels, width, height)).toEqual(resizePlain(pixels, width, height));
      expect(pixels.data).toEqual(before);
    }),
  );
});

it("a window has the bytes of a crop afterwards", () => {
  const part = fc.tuple(fc.nat(39), fc.nat(39), fc.nat(39), fc.nat(39));
  fc.assert(
    fc.property(image, side, side, part, centers, (pixels, width, height, [a, b, c, d], rule) => {
      const left = a % width;
      const top = b % height;
      const window = { left, top, width: 1 + (c % (width - left)), height: 1 + (d % (height - top)) };
      const crop = (data: ArrayLike<number>) =>
        Array.from({ length: 3 * window.width * window.height }, (_, i) => {
          const x = i % (3 * window.width);
          const y = (i - x) / (3 * window.width);
          return data[3 * ((top + y) * width + left) + x];
        });
      const part = resizeAntialiased(pixels, width, height, { window });
      expect([part.width, part.height]).toEqual([window.width, window.height]);
      expect([...part.data]).toEqual(crop(resizeAntialiased(pixels, width, height).data));
      const plain = resizePlain(pixels, width, height, { window, centers: rule });
      expect([...plain]).toEqual(crop(resizePlain(pixels, width, height, { centers: rule })));
    }),
  );
});

it("mirroring and resizing may be exchanged", () => {
  const mirror = (data: Float32Array, width: number) =>
    data.map((_, i) => {
      const pixel = Math.floor(i / 3);
      const x = pixel % width;
      return data[3 * (pixel - x + width - 1 - x) + (i % 3)] ?? Number.NaN;
    });
  fc.assert(
    fc.property(image, side, side, (pixels, width, height) => {
      const mirrored = { ...pixels, data: Uint8Array.from(mirror(Float32Array.from(pixels.data), pixels.width)) };
      const direct = resizePlain(mirrored, width, height);
      const later = mirror(resizePlain(pixels, width, height), width);
      // Both weights come from a float64 near 40, so they differ by some 2⁻⁴⁷ · 255; a float32 near 255 by 2⁻¹⁶.
      for (const [i, value] of direct.entries())
        expect(Math.abs(value - (later[i] ?? 0))).toBeLessThanOrEqual(2 ** -16);
    }),
  );
});

it("the three rules put the taps where their formulas say", () => {
  const ramp = { width: 4, height: 1, data: Uint8Array.from([0, 0, 0, 30, 30, 30, 60, 60, 60, 90, 90, 90]) };
  const row = (rule: Centers, width: number) =>
    [...resizePlain(ramp, width, 1, { centers: rule })].filter((_, i) => i % 3 === 0);
  expect(row("halfPixel", 8)).toEqual([0, 7.5, 22.5, 37.5, 52.5, 67.5, 82.5, 90]);
  expect(row("legacy", 8)).toEqual([0, 15, 30, 45, 60, 75, 90, 90]);
  expect(row("alignCorners", 7)).toEqual([0, 15, 30, 45, 60, 75, 90]);
  expect(row("alignCorners", 1)).toEqual([0]);
  expect(row("halfPixel", 2)).toEqual([15, 75]);
  expect(row("legacy", 2)).toEqual([0, 60]);
});

const WRONG: readonly (readonly [string, readonly [number, number], object, string])[] = [
  ["no width", [0, 5], {}, "OPTION_INVALID"],
  ["a fraction", [5, 1.5], {}, "OPTION_INVALID"],
  ["NaN", [Number.NaN, 5], {}, "OPTION_INVALID"],
  ["2³¹ pixels a side", [2 ** 31, 2 ** 31], {}, "IMAGE_TOO_LARGE"],
  ["a window that sticks out", [9, 9], { window: { left: 5, top: 0, width: 5, height: 5 } }, "OPTION_INVALID"],
  ["a window before the image", [9, 9], { window: { left: 0, top: -1, width: 5, height: 5 } }, "OPTION_INVALID"],
  ["an option that is none", [9, 9], { windows: 1 }, "OPTION_INVALID"],
];

it.each(WRONG)("%s is refused with a typed error", (_name, [width, height], options, code) => {
  const pixels = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) };
  for (const resize of [resizeAntialiased, resizePlain]) {
    let caught: unknown;
    try {
      resize(pixels, width, height, options);
    } catch (error) {
      caught = error;
    }
    expect(isDepthwiseError(caught) && caught.code).toBe(code);
  }
});
