/** Pictures that stay decoded from one epoch to the next. */

import { checkKnownOptions, positiveInteger } from "../../core/options.ts";
import { decodeHeld } from "../../images/decode.ts";
import type { Pixels } from "../../images/pixels.ts";
import { type Awaitable, type Dataset, later, withViews } from "./dataset.ts";
import { type Example, isPixelImage, type PixelImage } from "./example.ts";

export interface DecodedOptions {
  /** Most bytes that the pixels may take together. Default 512 MiB. */
  readonly maxBytes?: number;
}

/**
 * The same data set, whose image files are decoded once and then held as pixels, as many as `maxBytes` lets: those that
 * come later are decoded each time. The numbers are the same either way.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `at` rejects as `decodeImage` does
 */
export function decoded(data: Dataset, options: DecodedOptions = {}): Dataset {
  checkKnownOptions("decoded", options, ["maxBytes"]);
  let left = positiveInteger("decoded", "maxBytes", options.maxBytes ?? 2 ** 29);
  const held = new Map<number, PixelImage>();
  const keep = (index: number, { width, height, data: rgb }: Pixels): PixelImage => {
    const image: PixelImage = { width, height, channels: 3, data: rgb };
    if (rgb.length <= left && !held.has(index)) {
      left -= rgb.length;
      held.set(index, image);
    }
    return image;
  };
  const decode = (example: Example, index: number, signal: AbortSignal | undefined): Awaitable<Example> => {
    const { image } = example;
    if (isPixelImage(image)) return example;
    const pixels = decodeHeld(image, { signal }, (found) => keep(index, found));
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
