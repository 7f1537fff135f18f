/** `loadModel`: from any source, bytes to what they say, to a network; nothing is guessed in silence. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import { type Network, networkFromJson, withInfo, withParameters } from "../layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../models/index.ts";
import { adjustClasses } from "./classes.ts";
import { decide, optionsOf } from "./decide.ts";
import type { Facts } from "./facts.ts";
import type { ReadFile } from "./join-files.ts";
import type { ModelFile, OpenFile } from "./model-file.ts";
import type { Provenance } from "./provenance.ts";
import { readModelFile } from "./registry.ts";
import { type ModelSource, openSource, SOURCE_OPTIONS, type SourceOptions } from "./sources/index.ts";
import { firstNonFinite, type StoredTensor, toFloat32 } from "./stored-tensor.ts";
import { type Understood, understand } from "./understand.ts";

/** Options of the builder that are known better than the file says; where the bytes come from, and limits. */
export interface LoadOptions extends MobileNetV1Options, SourceOptions {}

/** A file without a classifier, or with a network of one's own, has other outputs: look at `outputs`. */
export type LoadedModel = Network<"logits" | "probabilities" | "embedding">;

/**
 * Loads a model.
 *
 *     const model = await loadModel("mobilenet.safetensors");
 *
 * Reads safetensors, Keras (`.h5`, `.keras`), TensorFlow.js, ONNX, TFLite, frozen graphs and PyTorch files, told apart
 * by their content. What the file says is used, what it does not say is inferred from tensors and operations, and what
 * they do not say is assumed: `describe(model)` tells which is which. Options beat all of it. `classes: 1000` for a file
 * of 1001 drops the background, `classes: 1001` for one of 1000 adds one that is never chosen.
 *
 * @param source a path, a URL, a Blob, bytes, a stream, a directory, `hf:owner/name`, `keras:name`; two TFLite files in
 *        a list are joined to one network
 * @throws {DepthwiseError} `FILE_*` and `FORMAT_UNKNOWN` for the file; `PACKAGE_MISSING`; `PARAMETERS_MISMATCH`,
 *         listing every missing, extra and misshapen tensor; `VALUES_NOT_FINITE`; `ARCHITECTURE_UNKNOWN`;
 *         `CLASSES_MISMATCH`
 */
export async function loadModel(
  source: ModelSource | readonly [ModelSource, ModelSource],
  options: LoadOptions = {},
): Promise<LoadedModel> {
  if (typeof options !== "object" || options === null) {
    throw optionError("loadModel", "overrides", "an object of options", options);
  }
  const { from, given } = separated(options);
  const { file, model } = await readSource(source, from);
  return modelFrom(file, model, given);
}

/**
 * The model in a file that was read.
 *
 * @throws {DepthwiseError} what `loadModel` throws after reading
 */
export async function modelFrom(file: OpenFile, model: ModelFile, given: MobileNetV1Options): Promise<LoadedModel> {
  if (model.network !== undefined) return loadCustom(model.network, model, file.name);
  const understood = await understand(model, file);
  checkFinite(understood.parameters, file.name);
  const { classes: _asked, ...others } = given;
  const decided = decide(understood.parameters, others, understood.facts, understood.defaults, file.name);
  const adjusted = adjustClasses(understood.parameters, { ...optionsOf(decided), ...given }, file.name);
  const network = withParameters(mobileNetV1<MobileNetV1Options>(adjusted.options), adjusted.parameters, file.name);
  const decisions = { ...decided, ...classFacts(given, adjusted.options) };
  return withInfo(network, {
    provenance: { ...provenanceFor(model, file.name, decisions, understood) },
  }) as LoadedModel;
}

/** What the caller's `classes` made of the classes of the file. */
function classFacts(given: MobileNetV1Options, { classes, background }: MobileNetV1Options): Facts {
  if (given.classes === undefined || classes === undefined) return {};
  const fact = <Value>(value: Value) => ({ value, basis: "given" as const, from: "an option of the call" });
  return { classes: fact(classes), ...(background === undefined ? {} : { background: fact(background) }) };
}

function separated(options: LoadOptions): { readonly from: SourceOptions; readonly given: MobileNetV1Options } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return {
    from: Object.fromEntries(entries.filter(([name]) => isSourceOption(name))) as SourceOptions,
    given: Object.fromEntries(entries.filter(([name]) => !isSourceOption(name))) as MobileNetV1Options,
  };
}

function isSourceOption(name: string): boolean {
  return (SOURCE_OPTIONS as readonly string[]).includes(name);
}

/** Opens and reads a source, or both halves of a network, without deciding anything. */
export async function readSource(
  source: ModelSource | readonly [ModelSource, ModelSource],
  options: SourceOptions,
): Promise<ReadFile> {
  const context = { maxBytes: options.maxBytes ?? 2 ** 31, signal: options.signal };
  if (!isPair(source)) {
    const file = await openSource(source, options);
    return { file, model: await readModelFile(file, context) };
  }
  const { size, sha256, ...others } = options;
  if (size !== undefined || sha256 !== undefined) {
    throw optionError("loadModel", size === undefined ? "sha256" : "size", "none for two files", size ?? sha256);
  }
  const halves: ReadFile[] = [];
  let left = context.maxBytes;
  for (const half of source) {
    const file = await openSource(half, { ...others, maxBytes: Math.max(1, left) });
    left -= file.bytes.length;
    halves.push({ file, model: await readModelFile(file, context) });
  }
  const { joinFiles } = await import("./join-files.ts");
  const [first, second] = halves as [ReadFile, ReadFile];
  return joinFiles(first, second);
}

/** Two sources to join; a list of Files is one source of several files. */
function isPair(
  source: ModelSource | readonly [ModelSource, ModelSource],
): source is readonly [ModelSource, ModelSource] {
  if (!Array.isArray(source) || source.length !== 2) return false;
  const names = source.map((part) =>
    typeof Blob !== "undefined" && part instanceof Blob && "name" in part ? String(part.name) : "",
  );
  return !names.some((name) => /\.json$/i.test(name));
}

function loadCustom(definition: Readonly<Record<string, unknown>>, model: ModelFile, name: string): LoadedModel {
  const parameters = new Map<string, FloatTensor>();
  const tensors: Iterable<StoredTensor> = model.content.kind === "tensors" ? model.content.tensors.values() : [];
  for (const stored of tensors) parameters.set(stored.name, tensor(toFloat32(stored), stored.shape));
  checkFinite(parameters, name);
  return withParameters(networkFromJson(definition, name), parameters, name) as LoadedModel;
}

function provenanceFor(
  { format, remarks }: ModelFile,
  file: string,
  decisions: Facts,
  { understoodBy, quantization }: Understood,
): Provenance {
  return {
    format,
    file,
    understoodBy,
    decisions: decisions as Provenance["decisions"],
    remarks,
    ...(quantization === undefined ? {} : { quantization }),
  };
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
