/** Of a layer's maps what a page shows: all of them, as they are, of a network of some size. */

import type { Maps } from "./messages.ts";

/** More maps than these tell nobody more. */
const MOST_MAPS = 64;
/** Pixels of a side: a page that draws millions of them answers nobody meanwhile. */
const MOST_SIDE = 224;

/** The first maps, of large ones every so many-th row and column. */
export function shownMaps({ height, width, channels, size, data }: Maps): Maps {
  const step = Math.max(1, Math.ceil(Math.max(height, width) / MOST_SIDE));
  const shown = {
    height: Math.ceil(height / step),
    width: Math.ceil(width / step),
    channels: Math.min(channels, MOST_MAPS),
  };
  const values = new Float32Array(shown.height * shown.width * shown.channels);
  for (let y = 0; y < shown.height; y++) {
    for (let x = 0; x < shown.width; x++) {
      const from = (y * step * width + x * step) * channels;
      values.set(data.subarray(from, from + shown.channels), (y * shown.width + x) * shown.channels);
    }
  }
  return { ...shown, size, data: values };
}
