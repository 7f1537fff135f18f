/** `saveModel`: a complete model in one safetensors file. */

import { allocated } from "../core/memory.ts";
import { checkKnownOptions, oneOf, signalOption } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { writeSafetensors } from "../formats/safetensors/safetensors.ts";
import { parameterBytes } from "../layers/initialise.ts";
import { checkNetwork, checkParameters, type Network } from "../layers/network.ts";
import { ARCHITECTURE_IDS } from "../understand/architectures/table.ts";
import { writeMetadata } from "../understand/metadata.ts";
import { placeToWrite } from "./place-to-write.ts";

const ADVICE = "Pass the path of a file; for anything else take the bytes from encodeModel.";

/** How a model is written. */
export interface SaveOptions {
  /** `F32` (default), or `F16` for half the size; biases and batch norm stay F32. */
  readonly dtype?: "F32" | "F16";
  /** Ends the writing; what was there before then still is, and nothing else. */
  readonly signal?: AbortSignal;
}

/**
 * A model as the bytes of a safetensors file: its parameters under Keras' names, and in the metadata all that
 * `loadModel` needs to build it again (alpha, resolution, padding, epsilon, range, labels; the layers of a custom one),
 * with where it came from and the evidence for each decision. The same model gives the same bytes.
 *
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH` if a parameter was replaced by one that does not fit;
 *         `OPTION_INVALID` for a value too large for F16; `MEMORY_EXCEEDED`
 */
export function encodeModel(model: Network, options: Pick<SaveOptions, "dtype"> = {}): Uint8Array<ArrayBuffer> {
  checkNetwork("saveModel", model);
  checkKnownOptions("saveModel", options, ["dtype"]);
  const dtype = oneOf("saveModel", "dtype", options.dtype ?? "F32", ["F32", "F16"]);
  checkParameters(model, model.parameters, "saveModel");
  const tensors = [...model.parameterInfo.values()].map(({ name, role, shape }) => ({
    name,
    shape,
    data: model.parameters.get(name)?.data ?? new Float32Array(),
    dtype: role === "kernel" ? dtype : ("F32" as const),
  }));
  const bytes = parameterBytes(model.parameterInfo.values());
  return allocated("saveModel", bytes, "Save it as F16.", () =>
    writeSafetensors(tensors, writeMetadata(model, ARCHITECTURE_IDS)),
  );
}

/**
 * Saves a model to a file, in Node. It is written under a name of its own, then renamed: whatever happens, there is the
 * whole file or what was there before. A symbolic link stays, and the file behind it is replaced.
 *
 *     await saveModel(await loadModel("mobilenet.tflite"), "mobilenet.safetensors", { dtype: "F16" });
 *
 * @param path a path or a `file:` URL
 * @throws {DepthwiseError} as `encodeModel`; `OPTION_INVALID` for another address; `FILE_UNREADABLE` if the file cannot
 *         be written, or is a directory, a FIFO, a socket or a device; `signal.reason` if aborted
 */
export async function saveModel(model: Network, path: string | URL, options: SaveOptions = {}): Promise<void> {
  const place = placeToWrite("saveModel", "path", path, "In a browser take the bytes from encodeModel.");
  checkNetwork("saveModel", model);
  checkKnownOptions("saveModel", options, ["dtype", "signal"]);
  const { signal: given, ...encoding } = options;
  const signal = signalOption("saveModel", given);
  signal?.throwIfAborted();
  const bytes = encodeModel(model, encoding);
  const { writeFile } = await ownPart("what writes files", () => import("./write-file.ts"));
  return writeFile(place, bytes, { advice: ADVICE, signal });
}
