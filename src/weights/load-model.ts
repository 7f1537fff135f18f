/** `loadModel`: bytes to named tensors to a network, saying what it could not place. */

import { type ByteSource, readBytes, sourceName } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import { type Network, networkFromJson, withParameters } from "../layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../models/index.ts";
import { adjustClasses } from "./classes.ts";
import { inferOptions } from "./infer-options.ts";
import { readMetadata } from "./metadata.ts";
import type { FamilyDefaults } from "./names/name-map.ts";
import { NAME_MAPS } from "./names/table.ts";
import { readSafetensors } from "./safetensors.ts";
import { firstNonFinite, type StoredTensor, toFloat32 } from "./stored-tensor.ts";
import { transpose } from "./transpose.ts";

/** Options of the builder that are known better than the file says, and limits. */
export interface LoadOptions extends MobileNetV1Options {
  /** Largest file that is read, in bytes. Default 2 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** A file without a classifier, or with a network of one's own, has other outputs: look at `outputs`. */
export type LoadedModel = Network<"logits" | "probabilities" | "embedding">;

/**
 * Loads a model.
 *
 *     const model = await loadModel("mobilenet.safetensors");
 *
 * Names and layouts of Keras, Hugging Face, timm and common PyTorch files are understood. What the file says in its
 * metadata is used, what it does not say is inferred from the tensors; `overrides` beat both. `classes: 1000` for a
 * file of 1001 drops the background, `classes: 1001` for one of 1000 adds one that is never chosen.
 *
 * @param source a path, a URL, a Blob, or bytes of a safetensors file
 * @throws {DepthwiseError} `FILE_*` and `FORMAT_UNKNOWN` for the file; `PARAMETERS_MISMATCH`, listing every missing,
 *         extra and misshapen tensor; `VALUES_NOT_FINITE`; `ARCHITECTURE_UNKNOWN`; `CLASSES_MISMATCH`
 */
export async function loadModel(source: ByteSource, overrides: LoadOptions = {}): Promise<LoadedModel> {
  if (typeof overrides !== "object" || overrides === null) {
    throw optionError("loadModel", "overrides", "an object of options", overrides);
  }
  const { maxBytes = 2 ** 31, signal, ...options } = overrides;
  const name = sourceName(source);
  const bytes = await readBytes(source, { maxBytes, signal });
  const file = readSafetensors(bytes, { name });
  const metadata = readMetadata(file.metadata, name);
  if (metadata.network !== undefined) return loadCustom(metadata.network, file.tensors, name);
  const { parameters, defaults } = translateNames(file.tensors, name);
  checkFinite(parameters, name);
  const complete = inferOptions(parameters, { ...metadata.options, ...options }, defaults, name);
  const adjusted = adjustClasses(parameters, complete, name);
  return withParameters(mobileNetV1(adjusted.options), adjusted.parameters, name) as LoadedModel;
}

function loadCustom(
  definition: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
): LoadedModel {
  const parameters = new Map<string, FloatTensor>();
  for (const stored of tensors.values()) parameters.set(stored.name, tensor(toFloat32(stored), stored.shape));
  checkFinite(parameters, name);
  return withParameters(networkFromJson(definition, name), parameters, name) as LoadedModel;
}

function translateNames(tensors: ReadonlyMap<string, StoredTensor>, name: string) {
  const names = new Set(tensors.keys());
  const map = NAME_MAPS.find((candidate) => candidate.matches(names));
  if (map === undefined) {
    throw new DepthwiseError("ARCHITECTURE_UNKNOWN", {
      what: `${name}: tensors`,
      expected: "names of MobileNet V1 as Keras, Hugging Face, timm or PyTorch give them (such as conv1/kernel)",
      found: names.size === 0 ? "no tensor at all" : [...names].slice(0, 4).join(", "),
      advice: "Rename the tensors to Keras' names, or save a network of your own with saveModel.",
      fields: { names: [...names] },
    });
  }
  const parameters = new Map<string, FloatTensor>();
  for (const stored of tensors.values()) {
    const target = map.translate(stored.name);
    if (target === "ignored") continue;
    const values = toFloat32(stored);
    // An unknown name stays as it is and is reported as left over.
    const laid = transpose(stored.name, values, stored.shape, target?.layout ?? "as-is");
    parameters.set(target?.name ?? stored.name, tensor(laid.data, laid.shape));
  }
  return { parameters, defaults: map.defaults satisfies FamilyDefaults };
}

function checkFinite(parameters: ReadonlyMap<string, FloatTensor>, name: string): void {
  const faulty: string[] = [];
  for (const [parameter, { data }] of parameters) {
    const index = firstNonFinite(data);
    if (index !== -1) faulty.push(`"${parameter}" (${data[index]} at element ${index})`);
  }
  if (faulty.length === 0) return;
  throw new DepthwiseError("VALUES_NOT_FINITE", {
    what: `${name}: weights that are not finite: ${faulty.join(", ")}`,
    advice: "The training that made this file diverged, or the file is damaged. Nothing was loaded.",
    fields: { faulty },
  });
}
