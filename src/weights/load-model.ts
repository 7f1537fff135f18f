/** `loadModel`: from any source, bytes to what they say, to a network; nothing is guessed in silence. */

import { listed } from "../core/errors.ts";
import { fileError, quoted } from "../core/file-error.ts";
import { isObject } from "../core/json.ts";
import { optionError } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { checkPreprocessing } from "../core/preprocessing.ts";
import { isBlob } from "../core/realms.ts";
import type { FloatTensor } from "../core/tensor.ts";
import { isEightBit } from "../formats/eight-bit.ts";
import type { ModelFile } from "../formats/model-file.ts";
import { checkStart, readModelFile } from "../formats/registry.ts";
import { firstNonFinite } from "../formats/stored-tensor.ts";
import { type Network, networkFromJson, withInfo, withParameters } from "../layers/network.ts";
import { type DecodedBudget, decodedBudget } from "../sources/decoded-budget.ts";
import { held, type ModelSource, openSource, SOURCE_OPTIONS, type SourceOptions } from "../sources/index.ts";
import type { OpenFile } from "../sources/open-file.ts";
import type { Refused } from "../understand/architecture.ts";
import {
  ARCHITECTURE_IDS,
  ARCHITECTURES,
  type ArchitectureOptions,
  BUILDERS,
} from "../understand/architectures/table.ts";
import { checkLabels, type Facts, valuesOf } from "../understand/facts.ts";
import { remembered, type StatedModel, withStatements } from "../understand/metadata.ts";
import { originOf, type Provenance, provenanceOf } from "../understand/provenance.ts";
import { type Rename, renamed } from "../understand/renamed.ts";
import { type UnderstoodNetwork, understand } from "../understand/understand.ts";
import type { AskedOptions, OwnOptions } from "./own-options.ts";

/** Options of the builder that are known better than the file says; where the bytes come from, and limits. */
export interface LoadOptions extends ArchitectureOptions, SourceOptions {}

/** No option at all. */
type Nothing = Readonly<Record<never, never>>;

type Said<Options, Name extends string> = Name extends keyof Options ? Options[Name] : undefined;

/**
 * What a run gives, by the options. Its outputs the file says: a MobileNet V1 gives `logits`, `probabilities` and
 * `embedding`, one without a classifier `embedding` alone, and a network of its own what it calls its results. The type
 * says which only where an option does: `includeTop: false` with `pooling` is of a MobileNet alone, and gives
 * `embedding`, or the map of `features` with `pooling: null`.
 */
export type LoadedOutput<Options> = [Said<Options, "includeTop">, Said<Options, "pooling">] extends [
  false,
  infer Pooling,
]
  ? [Pooling] extends [null]
    ? "features"
    : [Pooling] extends ["avg" | "max"]
      ? "embedding"
      : string
  : string;

/**
 * A network with the outputs that the file says: look at `outputs`. Under TypeScript's `noUncheckedIndexedAccess` each
 * may be undefined. `includeTop: true` refuses a file without a classifier.
 */
export type LoadedModel<Options = Nothing> = Network<LoadedOutput<Options>>;

/**
 * Loads a model.
 *
 *     const model = await loadModel("mobilenet.safetensors");
 *
 * Reads safetensors, Keras (`.h5`, `.keras`), TensorFlow.js, ONNX, TFLite, frozen graphs and PyTorch files, told apart
 * by their content. What the file says is used, what it does not say is inferred from tensors and operations, and what
 * they do not say is assumed: `describe(model)` tells which is which. A graph that is no MobileNet V1 becomes a network
 * of its own, layer by layer, if all its operations run here.
 *
 * Options beat all of it: those of `mobileNetV1` for a MobileNet; of a network of one's own only `preprocessing`,
 * `labels` and `background`, and `inputSize` or `resolution` where the file leaves it open. `classes: 1000` for a file
 * of 1001 drops the background, `classes: 1001` for one of 1000 adds one that is never chosen, `includeTop: false`
 * leaves the classifier out. `preprocessing` changes what it names: a range, or mean and deviation, take the place of
 * whichever the file has, and the rest of the file's stays.
 *
 *     const model = await loadModel("mobilenet.h5", { classes: 1000, preprocessing: { range: [0, 1] } });
 *
 * Bytes, lists and options are read at the call; the model keeps nothing of them.
 *
 * @param source a path, a URL, a Blob, bytes, a stream, a directory, `hf:owner/name`, `keras:name`; two TFLite files in
 *        a list are joined to one network
 * @throws {DepthwiseError} `FILE_*` and `FORMAT_UNKNOWN` for the file; `PARAMETERS_MISMATCH`,
 *         listing missing, extra and misshapen tensors; `VALUES_NOT_FINITE`; `ARCHITECTURE_UNKNOWN`;
 *         `DTYPE_MISMATCH` for 8-bit floats, and integers with zero points; `CLASSES_MISMATCH`; `OPTION_INVALID`;
 *         `signal.reason` if aborted
 */
export async function loadModel(source: ModelSource | readonly [ModelSource, ModelSource]): Promise<LoadedModel>;
export async function loadModel<const Options extends LoadOptions>(
  source: ModelSource | readonly [ModelSource, ModelSource],
  options: Options | undefined,
): Promise<LoadedModel<Options>>;
export async function loadModel(
  source: ModelSource | readonly [ModelSource, ModelSource],
  options: LoadOptions = {},
): Promise<Network<string>> {
  return (await openModel(source, options)).understand();
}

/** A file that was read, of which nothing was decided yet. */
export interface OpenedModel {
  readonly content: ModelFile;
  /** @throws {DepthwiseError} what `loadModel` throws after reading */
  understand(): Promise<LoadedModel>;
}

/** `loadModel` in two steps, for whoever tells what is in a file even if it is no MobileNet. */
export async function openModel(
  source: ModelSource | readonly [ModelSource, ModelSource],
  options: LoadOptions,
): Promise<OpenedModel> {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw optionError("loadModel", "overrides", "an object of options", options);
  }
  const { from, given } = separated(options);
  const budget = decodedBudget(from.maxDecodedBytes);
  const { file, model } = await readSource(source, from, budget);
  return { content: model, understand: () => modelFrom(file, model, given, budget) };
}

async function modelFrom(
  file: OpenFile,
  read: StatedModel,
  given: ArchitectureOptions,
  budget: DecodedBudget,
): Promise<LoadedModel> {
  const model = await scaled(read, file.name, budget);
  if (model.network !== undefined) return loadCustom(model.network, model, given, file.name, budget);
  const understood = await understand(ARCHITECTURES, { model, file, budget, given });
  checkFinite(understood.parameters, file.name);
  if ("definition" in understood) return translatedModel(understood, model, given, file.name);
  const { architecture } = understood;
  const { parameters, facts } = await architecture.decide(understood, given, file.name);
  checkLabels(facts, file.name);
  const network = withParameters(architecture.builder.build(valuesOf(facts)), parameters, file.name);
  checkVariances(network, file.name);
  return withInfo(network, {
    provenance: { ...provenanceFor(model, file.name, facts, understood) },
  }) as LoadedModel;
}

/** With the scales of tensors that are 8-bit integers where they are needed. */
async function scaled(model: StatedModel, file: string, budget: DecodedBudget): Promise<StatedModel> {
  const { content } = model;
  if (content.kind !== "tensors" || ![...content.tensors.values()].some(isEightBit)) return model;
  const { withScales } = await ownPart("what reads 8-bit integers", () => import("../understand/dequantized.ts"));
  return { ...model, content: withScales(content, file, budget) };
}

function separated(options: LoadOptions): { readonly from: SourceOptions; readonly given: ArchitectureOptions } {
  // Lists are the caller's again when the call returns.
  const entries = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, unknown] => {
      if (name === "preprocessing") return [name, checkPreprocessing(`loadModel: ${name}`, value)];
      if (!isSourceOption(name)) return [name, copied(value, 2)];
      return [name, Array.isArray(value) ? [...value] : value];
    });
  return {
    from: Object.fromEntries(entries.filter(([name]) => isSourceOption(name))) as SourceOptions,
    given: Object.fromEntries(entries.filter(([name]) => !isSourceOption(name))) as ArchitectureOptions,
  };
}

/** Lists and objects of an option, which are read when the file was: no option is deeper than two of them. */
function copied(value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => copied(entry, depth - 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, copied(entry, depth - 1)]));
}

function isSourceOption(name: string): boolean {
  return (SOURCE_OPTIONS as readonly string[]).includes(name);
}

/** Opens and reads a source, or both halves of a network, without deciding anything. */
async function readSource(
  source: ModelSource | readonly [ModelSource, ModelSource],
  options: SourceOptions,
  budget: DecodedBudget,
): Promise<{ readonly file: OpenFile; readonly model: StatedModel }> {
  const context = { maxBytes: options.maxBytes ?? 2 ** 31, budget, signal: options.signal };
  const read = async (one: Parameters<typeof openSource>[0], from: SourceOptions) => {
    const file = counted(await openSource(one, from, checkStart), budget);
    return { file, model: withStatements(await readModelFile(file, context), file.name, budget, ARCHITECTURE_IDS) };
  };
  if (!isPair(source)) return read(source, options);
  const [first, second] = source;
  const halves = [held(first), held(second)] as const;
  const { joinFiles } = await ownPart("what joins two files", () => import("../formats/join-files.ts"));
  return joinFiles(halves, options, read);
}

/** What may be decoded grows with each file that is read. */
function counted(file: OpenFile, budget: DecodedBudget): OpenFile {
  budget.admit(file.bytes.length);
  return {
    ...file,
    async sibling(path) {
      const bytes = await file.sibling(path);
      budget.admit(bytes.length);
      return bytes;
    },
  };
}

/** Two sources to join; a list of Files is one source of several files. */
function isPair(
  source: ModelSource | readonly [ModelSource, ModelSource],
): source is readonly [ModelSource, ModelSource] {
  if (!Array.isArray(source) || source.length !== 2) return false;
  const endings = source.map((part) => {
    const name = isBlob(part) && "name" in part ? String(part.name) : "";
    return /\.[^.]*$/.exec(name.toLowerCase())?.[0];
  });
  // Halves are of one kind; a model.json is no half, and what lies beside a model is called otherwise.
  return endings[0] === endings[1] && !endings.includes(".json");
}

/** What the caller says of a network of its own: mostly nothing. */
async function askedOf(given: ArchitectureOptions, name: string, refusals?: readonly Refused[]): Promise<AskedOptions> {
  if (Object.keys(given).length === 0) return { options: {}, factsOf: () => ({}) };
  const { ownOptions } = await ownPart("what checks options", () => import("./own-options.ts"));
  return ownOptions(
    given,
    BUILDERS.flatMap(({ options }) => options),
    name,
    refusals,
  );
}

/** A network that `saveModel` wrote, of its own layers. */
async function loadCustom(
  definition: Readonly<Record<string, unknown>>,
  model: ModelFile,
  given: ArchitectureOptions,
  name: string,
  budget: DecodedBudget,
): Promise<LoadedModel> {
  const asked = await askedOf(given, name);
  const layers = ownLayers(definition, asked.options, name);
  const content = model.content.kind === "tensors" ? model.content : { tensors: new Map() };
  const own: Rename = (tensor) => (layers.parameterInfo.has(tensor) ? { name: tensor, layout: "as-is" } : undefined);
  const parameters = renamed(content, own, name, budget);
  checkFinite(parameters, name);
  const network = ownNetwork(layers, parameters, name);
  const before = provenanceOf(network);
  const { provenance: _before, architecture: _custom, options: _none, ...saved } = network.info;
  const bases = before?.decisions ?? {};
  const facts = { ...remembered(saved, bases), ...asked.factsOf(network) };
  const decisions = { ...remembered(sizesOf(network, bases), bases), ...facts };
  const remarks = before === undefined ? model.remarks : { ...model.remarks, origin: originOf(before) };
  const provenance = provenanceFor({ ...model, remarks }, name, decisions, { understoodBy: "its own list of layers" });
  return withInfo(network, { ...saved, ...asked.options, provenance: { ...provenance } }) as LoadedModel;
}

/** Of what was decided of the input, what the layers say now. */
function sizesOf({ inputShape }: Network, bases: Provenance["decisions"]): Readonly<Record<string, unknown>> {
  const [height, width, inputChannels] = inputShape;
  const sizes = Object.entries({ inputSize: [height, width], inputChannels });
  return Object.fromEntries(sizes.filter(([name]) => inputShape.length === 3 && Object.hasOwn(bases, name)));
}

/** A network that a file's graph spells out. */
async function translatedModel(
  understood: UnderstoodNetwork,
  model: ModelFile,
  given: ArchitectureOptions,
  name: string,
): Promise<LoadedModel> {
  const { definition, parameters, facts, refusals } = understood;
  const asked = await askedOf(given, name, refusals);
  // What readers say of the input was checked by them, and no option says anything of layers.
  const advice = "The file is damaged, or describes what cannot run.";
  const network = ownNetwork(ownLayers({ ...definition }, asked.options, name, advice), parameters, name);
  const decisions = { ...facts, ...asked.factsOf(network) };
  checkLabels(decisions, name);
  const provenance = { ...provenanceFor(model, name, decisions, understood) };
  return withInfo(network, { ...asked.options, provenance }) as LoadedModel;
}

/** What the caller says of the input takes the place of what the file says, which then may be wrong. */
function ownLayers(
  definition: Readonly<Record<string, unknown>>,
  { preprocessing }: OwnOptions,
  name: string,
  advice?: string,
): Network {
  const { info } = definition;
  const isAsked = preprocessing !== undefined && isObject(info);
  const described = isAsked ? { ...definition, info: { ...info, preprocessing: undefined } } : definition;
  return networkFromJson(described, name, advice);
}

function ownNetwork(layers: Network, parameters: ReadonlyMap<string, FloatTensor>, name: string): Network {
  const network = withParameters(layers, parameters, name);
  checkVariances(network, name);
  return network;
}

function provenanceFor(
  { format, remarks }: ModelFile,
  file: string,
  decisions: Facts,
  { understoodBy, quantization }: Pick<UnderstoodNetwork, "understoodBy" | "quantization">,
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

/** As many layers as a whole MobileNet has, and some more. */
const MOST_LISTED = 30;

function checkFinite(parameters: ReadonlyMap<string, FloatTensor>, name: string): void {
  const faulty: string[] = [];
  for (const [parameter, { data }] of parameters) {
    const index = firstNonFinite(data);
    if (index !== -1) faulty.push(`${quoted(parameter)} (${data[index]} at element ${index})`);
  }
  if (faulty.length === 0) return;
  const advice = "The training that made this file diverged, or the file is damaged.";
  const what = `weights that are not finite: ${listed(faulty, ", ", MOST_LISTED)}`;
  throw fileError("VALUES_NOT_FINITE", name, what, advice, { fields: { faulty } });
}

/** Batch norm takes the root of variance + ε, each layer with its own; a mean taken for a variance is often below 0. */
function checkVariances({ layers, parameters }: Network, name: string): void {
  const faulty: string[] = [];
  for (const layer of layers) {
    if (layer.type !== "batchNorm") continue;
    const parameter = `${layer.name}/moving_variance`;
    const { data } = parameters.get(parameter) ?? { data: [] };
    const index = data.findIndex((value) => !(value + layer.attributes.epsilon > 0));
    if (index !== -1) faulty.push(`${quoted(parameter)} (${data[index]} at element ${index})`);
  }
  if (faulty.length === 0) return;
  const advice = "Perhaps its means stand where its variances should, or the file is damaged.";
  const what = `variances that have no root: ${listed(faulty, ", ", MOST_LISTED)}`;
  throw fileError("VALUES_NOT_FINITE", name, what, advice, { fields: { faulty } });
}
