/** `loadModel` and `saveModel` for the main door: the readers are loaded when they are called, not before. */

import type { ByteSource } from "./core/bytes.ts";
import type { Network } from "./layers/network.ts";
import type { LoadedModel, LoadOptions } from "./weights/load-model.ts";
import type { SaveOptions } from "./weights/save-model.ts";

export type { LoadedModel, LoadOptions, SaveOptions };

/**
 * Loads a model from a path, a URL, a Blob or bytes; see `loadModel` of `depthwise/weights`.
 *
 * @param overrides options of `mobileNetV1` that are known better than the file says them
 * @throws {DepthwiseError} `FILE_*`, `FORMAT_UNKNOWN`, `PARAMETERS_MISMATCH`, `VALUES_NOT_FINITE`,
 *         `ARCHITECTURE_UNKNOWN`, `CLASSES_MISMATCH`
 */
export async function loadModel(source: ByteSource, overrides: LoadOptions = {}): Promise<LoadedModel> {
  const { loadModel: load } = await import("./weights/load-model.ts");
  return load(source, overrides);
}

/** Saves a model as one safetensors file, in Node; see `saveModel` of `depthwise/weights`. */
export async function saveModel(model: Network, path: string | URL, options: SaveOptions = {}): Promise<void> {
  const { saveModel: save } = await import("./weights/save-model.ts");
  return save(model, path, options);
}
