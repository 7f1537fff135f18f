/** What the page shows of a layer's maps: never more than it can draw, and numbers of the layer alone. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { shownMaps } from "../../examples/playground/src/compute/shown-maps.ts";

const placesOf = (length: number) => Float32Array.from({ length }, (_, place) => place);

it("shows maps of some size as they are", () => {
  const data = placesOf(5 * 7 * 3);
  expect(shownMaps(data, [5, 7, 3])).toEqual({ height: 5, width: 7, channels: 3, size: [5, 7, 3], data });
});

it("shows rows and columns of large ones, equally far from each other, of the first channels", () => {
  const side = fc.integer({ min: 1, max: 700 });
  fc.assert(
    fc.property(side, side, fc.constantFrom(1, 3, 64, 65), (height, width, channels) => {
      fc.pre(height * width * channels < 2_000_000);
      const shown = shownMaps(placesOf(height * width * channels), [height, width, channels]);
      expect(shown.size).toEqual([height, width, channels]);
      expect([shown.height <= 224, shown.width <= 224, shown.channels <= 64]).toEqual([true, true, true]);
      expect(shown.data).toHaveLength(shown.height * shown.width * shown.channels);
      const step = Math.ceil(Math.max(height, width) / 224);
      const [y, x, channel] = [shown.height - 1, shown.width - 1, shown.channels - 1];
      expect([y * step < height, x * step < width]).toEqual([true, true]);
      expect(shown.data[shown.data.length - 1]).toBe((y * step * width + x * step) * channels + channel);
    }),
    { numRuns: 50 },
  );
});

it("sends and draws a bounded part of a map of 4096 pixels a side", () => {
  const { height, width, channels } = shownMaps(placesOf(4096 * 4096), [4096, 4096, 1]);
  expect([height, width, channels]).toEqual([216, 216, 1]);
});
