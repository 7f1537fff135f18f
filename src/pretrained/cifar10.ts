/** Ten kinds of things in small photographs: a network that lies in the package. Its card is `docs/models/cifar10.md`. */

import type { Network } from "../layers/network.ts";
import type { MobileNetV1Output } from "../models/index.ts";
import { type LoadOptions, loadModel } from "../weights/load-model.ts";
import { CIFAR10_FILE } from "./cifar10-file.ts";
import { storedFile } from "./stored.ts";

/**
 * A MobileNet V1 (32 × 32 × 3, stem stride 1) that says which of CIFAR-10's ten kinds of things fills a small
 * photograph: "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship" or "truck". Nothing is
 * fetched. Each call gives a network of its own.
 *
 *     const classifier = await createClassifier(await cifar10());
 *
 * @param options as of `loadModel`: `{ includeTop: false, pooling: "avg" }` gives what it knows without its answers.
 *        Another `resolution` than its own is taken, and what it learnt does not hold there
 * @throws {DepthwiseError} as `loadModel`, for options
 */
export function cifar10<const Options extends LoadOptions = Readonly<Record<never, never>>>(
  options?: Options,
): Promise<Network<MobileNetV1Output<Options>>> {
  // What the file says is known: a MobileNet V1.
  return loadModel<LoadOptions>(cifar10File(), options) as Promise<Network<MobileNetV1Output<Options>>>;
}

/** The stored file itself, `cifar10.safetensors`, whose hash the card names: to look into, to convert, to host elsewhere. */
export function cifar10File(): File {
  return storedFile("cifar10", CIFAR10_FILE);
}
