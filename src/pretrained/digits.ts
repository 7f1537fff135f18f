/** Handwritten digits: a network that lies in the package. Its card is `docs/models/digits.md`. */

import type { Network } from "../layers/network.ts";
import type { MobileNetV1Output } from "../models/index.ts";
import { type LoadOptions, loadModel } from "../weights/load-model.ts";
import { DIGITS_FILE } from "./digits-file.ts";
import { storedFile } from "./stored.ts";

/**
 * A MobileNet V1 (α 0.25, 28 × 28 × 1, stem stride 1) that reads one handwritten digit, light on dark, as MNIST has
 * them; the labels are "0" to "9". Nothing is fetched. Each call gives a network of its own.
 *
 *     const classifier = await createClassifier(await digits());
 *
 * @param options as of `loadModel`: `{ includeTop: false, pooling: "avg" }` gives what it knows without its answers.
 *        Another `resolution` than its own is taken, and what it learnt does not hold there
 * @throws {DepthwiseError} as `loadModel`, for options
 */
export function digits<const Options extends LoadOptions = Readonly<Record<never, never>>>(
  options?: Options,
): Promise<Network<MobileNetV1Output<Options>>> {
  // What the file says is known: a MobileNet V1.
  return loadModel<LoadOptions>(digitsFile(), options) as Promise<Network<MobileNetV1Output<Options>>>;
}

/** The stored file itself, `digits.safetensors`, whose hash the card names: to look into, to convert, to host elsewhere. */
export function digitsFile(): File {
  return storedFile("digits", DIGITS_FILE);
}
