/** From pixels to a network's input beside other work of the same thread. */

import { Breath } from "../core/breath.ts";
import type { CompletePreprocessing } from "../core/preprocessing.ts";
import type { Pixels } from "../images/pixels.ts";
import { normalize, placed, preprocess } from "../images/preprocess.ts";
import { resizeAntialiased } from "../images/resize.ts";

/** Larger images are resized in bands. */
const AT_ONCE_PIXELS = 2 ** 21;
/** Rows of the result: of a photo of 100 million pixels each band takes some 40 ms. */
const BAND_ROWS = 8;

/**
 * `preprocess`, to the same bits, that gives the event loop its turn while it resizes a large image.
 *
 * @throws {DepthwiseError} as `preprocess`
 */
export async function preprocessInTurns(pixels: Pixels, description: CompletePreprocessing): Promise<Float32Array> {
  // The plain filter reads four pixels for each of the result.
  if (pixels.width * pixels.height <= AT_ONCE_PIXELS || description.filter === "plain") {
    return preprocess(pixels, description);
  }
  const [cropped, fullWidth, fullHeight, { window }] = placed(pixels, description);
  const breath = new Breath(performance.now());
  const data = new Uint8Array(3 * window.width * window.height);
  for (let row = 0; row < window.height; row += BAND_ROWS) {
    const band = { ...window, top: window.top + row, height: Math.min(BAND_ROWS, window.height - row) };
    data.set(resizeAntialiased(cropped, fullWidth, fullHeight, { window: band }).data, 3 * window.width * row);
    if (breath.isDue) await breath.take();
  }
  return normalize(data, description);
}
