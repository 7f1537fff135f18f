/**
 * Files that `encodeTfjs` wrote: their topology is for TensorFlow.js; what it cannot say stands beside it, so that the
 * model comes back as it was.
 *
 *     userDefinedMetadata: { depthwise: { … }, dilations?: { conv_dw_12: [2, 2] } }
 *
 * `depthwise` is the metadata of a safetensors file. `dilations` are those of kernels that were written with zeros
 * between their taps, because TensorFlow.js' layer would not dilate them.
 */

import { quoted } from "../../core/file-error.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { shapeText } from "../../core/tensor.ts";
import type { ModelFile } from "../model-file.ts";
import type { StoredTensor } from "../stored-tensor.ts";
import { toFloat32 } from "../stored-tensor.ts";
import { tfjsCorrupt } from "./json.ts";
import type { ManifestWeight } from "./manifest.ts";

/** What makes a model file of the weights, once they are there. */
export type OwnFile = (weights: ReadonlyMap<string, ManifestWeight>, remarks: ModelFile["remarks"]) => ModelFile;

/**
 * Reads the user's metadata of a `model.json`; undefined if it is not ours.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`
 */
export function readOwnFile(userMetadata: JsonObject, file: string): OwnFile | undefined {
  const { depthwise: metadata, dilations = {} } = userMetadata;
  if (!isObject(metadata) || metadata["format"] !== "depthwise") return undefined;
  if (!isStrings(metadata))
    throw tfjsCorrupt(file, "userDefinedMetadata.depthwise", "an object of strings", "other values");
  const rates = checkDilations(dilations, file);
  return (weights, remarks) => ({
    format: "TensorFlow.js layers model",
    content: { kind: "tensors", tensors: withoutZeros(weights, rates, file), isOrdered: false },
    facts: {},
    metadata,
    remarks,
  });
}

type Rate = readonly [number, number];

function checkDilations(dilations: unknown, file: string): ReadonlyMap<string, Rate> {
  const isRate = (value: unknown): value is Rate =>
    Array.isArray(value) && value.length === 2 && value.every((side) => Number.isSafeInteger(side) && side > 0);
  const entries = isObject(dilations) ? Object.entries(dilations) : [["", undefined] as const];
  return new Map(
    entries.map(([layer, rate]) => {
      if (isRate(rate)) return [layer, rate];
      throw tfjsCorrupt(file, "userDefinedMetadata.dilations", "[vertical, horizontal] by layer", quoted(rate));
    }),
  );
}

function withoutZeros(
  weights: ReadonlyMap<string, ManifestWeight>,
  rates: ReadonlyMap<string, Rate>,
  file: string,
): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, weight] of weights) {
    const rate = rates.get(name.slice(0, name.lastIndexOf("/")));
    const stored = weight.stored();
    tensors.set(name, rate === undefined || stored.shape.length !== 4 ? stored : takeTaps(stored, rate, file));
  }
  return tensors;
}

/** `[(kh − 1) · dv + 1, (kw − 1) · dh + 1, …]` to `[kh, kw, …]`: every tap that is not a zero between two. */
function takeTaps(stored: StoredTensor, [vertical, horizontal]: Rate, file: string): StoredTensor {
  const [height = 0, width = 0, ...rest] = stored.shape;
  const what = `the kernel ${quoted(stored.name)}, which was written for dilation [${vertical}, ${horizontal}]`;
  const values = toFloat32(stored);
  if (values.length === 0 || (height - 1) % vertical !== 0 || (width - 1) % horizontal !== 0) {
    throw tfjsCorrupt(file, what, "sides that fit it", shapeText(stored.shape));
  }
  const depth = values.length / (height * width);
  const taps: Float32Array[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const tap = values.subarray((y * width + x) * depth, (y * width + x + 1) * depth);
      if (y % vertical === 0 && x % horizontal === 0) taps.push(tap);
      else if (tap.some((value) => value !== 0))
        throw tfjsCorrupt(file, what, "zeros between its taps", "other numbers");
    }
  }
  const shape = [(height - 1) / vertical + 1, (width - 1) / horizontal + 1, ...rest];
  const kept = new Float32Array(taps.length * depth);
  for (const [index, tap] of taps.entries()) kept.set(tap, index * depth);
  return { name: stored.name, dtype: "F32", shape, bytes: new Uint8Array(kept.buffer) };
}

function isStrings(value: JsonObject): value is Readonly<Record<string, string>> {
  return Object.values(value).every((entry) => typeof entry === "string");
}
