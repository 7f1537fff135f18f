/** Pictures that stay decoded from one epoch to the next. */

import { checkKnownOptions, positiveInteger } from "../../core/options.ts";
import { decodeHeld } from "../../images/decode.ts";
import { PIXELS_AT_ONCE, pixelBudget } from "../../images/pixel-budget.ts";
import { MAX_PIXELS, type Pixels } from "../../images/pixels.ts";
import { type Awaitable, type Dataset, expectDataset, later, withViews } from "./dataset.ts";
import { type Example, isPixelImage, type PixelImage } from "./example.ts";

/** How much is kept. */
export interface KeepDecodedOptions {
  /** Most bytes that the pixels may take together. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Most pixels an image file may have. Default 16383². */
  readonly maxPixels?: number;
}

/**
 * The same data set, whose image files are decoded once and then held as pixels, as many as `maxBytes` lets: those that
 * come later are decoded each time. The numbers are the same either way.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `at` rejects as `decodeImage` does
 */
export function keepDecoded(data: Dataset, options: KeepDecodedOptions = {}): Dataset {
  expectDataset("keepDecoded", data);
  checkKnownOptions("keepDecoded", options, ["maxBytes", "maxPixels"]);
  let left = positiveInteger("keepDecoded", "maxBytes", options.maxBytes ?? 2 ** 29);
  const maxPixels = positiveInteger("keepDecoded", "maxPixels", options.maxPixels ?? MAX_PIXELS);
  const budget = pixelBudget(PIXELS_AT_ONCE);
  const held = new Map<number, PixelImage>();
  const keep = (index: number, { width, height, data: rgb }: Pixels): PixelImage => {
    const image: PixelImage = { width, height, channels: 3, data: rgb };
    // Of a transparent picture the memory of four channels.
    const bytes = rgb.buffer.byteLength;
    if (bytes <= left && !held.has(index)) {
      left -= bytes;
      held.set(index, image);
    }
    return image;
  };
  const decode = (example: Example, index: number, signal: AbortSignal | undefined): Awaitable<Example> => {
    const { image } = example;
    if (isPixelImage(image)) return example;
    const pixels = decodeHeld(image, { signal, maxPixels }, (found) => keep(index, found), budget);
    return pixels.then((found) => ({ ...example, image: found }));
  };
  return withViews({
    ...data,
    at(index, signal) {
      const image = held.get(index);
      if (image === undefined) return later(data.at(index, signal), (example) => decode(example, index, signal));
      return { image, label: data.labelAt(index), name: data.nameAt(index) };
    },
  });
}
