/** `saveModel`: a complete model in one safetensors file. */

import { allocated } from "../core/memory.ts";
import { checkKnownOptions, oneOf, signalOption } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import type { Shape } from "../core/tensor.ts";
import { scaleName, scaleShape, toEightBit } from "../formats/eight-bit.ts";
import { type IntegersToWrite, type TensorToWrite, writeSafetensors } from "../formats/safetensors/safetensors.ts";
import { DTYPE_BYTES } from "../formats/stored-tensor.ts";
import { parameterBytes } from "../layers/initialise.ts";
import { checkNetwork, checkParameters, type Network } from "../layers/network.ts";
import type { ParameterInfo } from "../layers/parameter-info.ts";
import { ARCHITECTURE_IDS } from "../understand/architectures/table.ts";
import { writeMetadata } from "../understand/metadata.ts";
import { placeToWrite } from "./place-to-write.ts";

const ADVICE = "Pass the path of a file; for anything else take the bytes from encodeModel.";

/** How a model is written. */
export interface SaveOptions {
  /**
   * Of kernels: `F32` (default), `F16` for half the size, or `I8` for a quarter: 8-bit integers with a scale for each
   * output channel, of a depthwise kernel for each channel and multiplier, so that no weight changes by more than half a
   * scale, and the rounding of its product with the integer to float32. The scales are F32, and biases and batch norm
   * stay so.
   */
  readonly dtype?: "F32" | "F16" | "I8";
  /** Ends the writing; what was there before then still is, and nothing else. */
  readonly signal?: AbortSignal;
}

/**
 * A model as the bytes of a safetensors file: its parameters under Keras' names, and in the metadata all that
 * `loadModel` needs to build it again (alpha, resolution, padding, epsilon, range, labels; the layers of a custom one),
 * with where it came from and the evidence for each decision. The same model gives the same bytes. Of 8-bit integers
 * `conv1/kernel_scale` lies beside `conv1/kernel`: the product of the two, as arrays broadcast, is the kernel.
 *
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH` if a parameter was replaced by one that does not fit;
 *         `OPTION_INVALID` for a value too large for F16; `VALUES_NOT_FINITE` for NaN or infinity in a kernel that is to
 *         be I8; `MEMORY_EXCEEDED`
 */
export function encodeModel(model: Network, options: Pick<SaveOptions, "dtype"> = {}): Uint8Array<ArrayBuffer> {
  checkNetwork("saveModel", model);
  checkKnownOptions("saveModel", options, ["dtype"]);
  const dtype = oneOf("saveModel", "dtype", options.dtype ?? "F32", ["F32", "F16", "I8"]);
  checkParameters(model, model.parameters, "saveModel");
  const types = new Map(model.layers.map(({ name, type }) => [name, type]));
  const tensors = ({ name, role, node, shape }: ParameterInfo): readonly ToWrite[] => {
    const data = model.parameters.get(name)?.data ?? new Float32Array();
    if (role !== "kernel") return [{ name, shape, data }];
    if (dtype !== "I8") return [{ name, shape, data, dtype }];
    return inEightBits(name, data, shape, types.get(node) === "depthwiseConv2d" ? 2 : 1);
  };
  const infos = [...model.parameterInfo.values()];
  return allocated("saveModel", parameterBytes(infos), SMALLER[dtype], () =>
    writeSafetensors(widestFirst(infos.flatMap(tensors)), writeMetadata(model, ARCHITECTURE_IDS)),
  );
}

/** What is left to do where memory is short. */
const SMALLER = {
  F32: "Save it as F16 or I8.",
  F16: "Save it as I8.",
  I8: "Close what holds memory, or save it where there is more.",
} as const;

type ToWrite = TensorToWrite | IntegersToWrite;

/** So that each lies at a multiple of its element's size: other tools take a file's own bytes for numbers. */
function widestFirst(tensors: readonly ToWrite[]): readonly ToWrite[] {
  const width = ({ dtype = "F32" }: ToWrite) => DTYPE_BYTES[dtype];
  return [...tensors].sort((a, b) => width(b) - width(a));
}

function inEightBits(name: string, data: Float32Array, shape: Shape, channelAxes: number): readonly ToWrite[] {
  const { integers, scales } = toEightBit(name, data, shape, channelAxes);
  return [
    { name, shape, data: integers, dtype: "I8" },
    { name: scaleName(name), shape: scaleShape(shape, channelAxes), data: scales },
  ];
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
