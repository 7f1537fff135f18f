/** What the page shows of a layer's maps: never more than it can draw, and numbers of the layer alone. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { shownMaps } from "../../examples/playground/src/compute/shown-maps.ts";

/** Maps whose numbers are their places. */
function mapsOf(height: number, width: number, channels: number) {
  const data = Float32Array.from({ length: height * width * channels }, (_, place) => place);
  return { height, width, channels, size: [height, width, channels] as const, data };
}

it("shows maps of some size as they are", () => {
  expect(shownMaps(mapsOf(5, 7, 3))).toEqual(mapsOf(5, 7, 3));
});

it("shows rows and columns of large ones, equally far from each other, of the first channels", () => {
  const side = fc.integer({ min: 1, max: 700 });
  fc.assert(
    fc.property(side, side, fc.constantFrom(1, 3, 64, 65), (height, width, channels) => {
      fc.pre(height * width * channels < 2_000_000);
      const shown = shownMaps(mapsOf(height, width, channels));
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
  const { height, width, channels } = shownMaps(mapsOf(4096, 4096, 1));
  expect([height, width, channels]).toEqual([216, 216, 1]);
});
