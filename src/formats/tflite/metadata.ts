/**
 * What a TFLite file says of itself besides its operators: a second flatbuffer, in the metadata named TFLITE_METADATA.
 *
 * Numbers of fields as in metadata_schema.fbs of TensorFlow Lite Support, version 1 (file identifier M001).
 */

import type { DecodedBudget } from "../../sources/decoded-budget.ts";
import {
  type FlatTable,
  flatbufferIdentifier,
  openFlatbuffer,
  readFloat32s,
  readInt8,
  readTable,
  readTables,
  readText,
} from "./flatbuffer.ts";
import type { TfliteModel } from "./schema.ts";

export interface InputNormalization {
  /** One for all channels, or one for each, of pixels 0 to 255. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export interface TfliteMetadata {
  /** Name, description, version, author and licence, as far as they are said. */
  readonly said: Readonly<Record<string, string>>;
  /** How pixels become the first input: (pixel − mean) / deviation. */
  readonly normalization: InputNormalization | undefined;
  /** Files inside the file that name the numbers of the first output, the one for no particular language first. */
  readonly labelFiles: readonly string[];
}

const MODEL = { name: 0, description: 1, version: 2, subgraphs: 3, author: 4, license: 5 };
const SUBGRAPH = { inputs: 2, outputs: 3 };
const TENSOR = { processUnits: 4, associatedFiles: 6 };
const PROCESS_UNIT = { optionsType: 0, options: 1 };
const NORMALIZATION = { mean: 0, deviation: 1 };
const ASSOCIATED_FILE = { name: 0, type: 2, locale: 3 };
const NORMALIZATION_OPTIONS = 1;
const TENSOR_AXIS_LABELS = 2;

/**
 * Undefined if the file has none of a version known here.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`
 */
export async function readTfliteMetadata(
  { metadata }: TfliteModel,
  file: string,
  budget: DecodedBudget,
): Promise<TfliteMetadata | undefined> {
  const bytes = metadata.get("TFLITE_METADATA");
  if (bytes === undefined || flatbufferIdentifier(bytes) !== "M001") return undefined;
  const model = openFlatbuffer(bytes, `${file}: its metadata`, budget);
  const [graph] = readTables(model, MODEL.subgraphs);
  const [input] = graph === undefined ? [] : readTables(graph, SUBGRAPH.inputs);
  const [output] = graph === undefined ? [] : readTables(graph, SUBGRAPH.outputs);
  return {
    said: saidOf(model),
    normalization: input === undefined ? undefined : normalizationOf(input),
    labelFiles: output === undefined ? [] : labelFilesOf(output),
  };
}

function saidOf(model: FlatTable): Readonly<Record<string, string>> {
  const { name, description, version, author, license } = MODEL;
  const fields = { name, description, version, author, license };
  const said = Object.entries(fields).map(([label, field]) => [label, readText(model, field)] as const);
  return Object.fromEntries(said.filter(([, text]) => text !== ""));
}

function normalizationOf(input: FlatTable): InputNormalization | undefined {
  for (const unit of readTables(input, TENSOR.processUnits)) {
    const options = readTable(unit, PROCESS_UNIT.options);
    if (readInt8(unit, PROCESS_UNIT.optionsType, 0) !== NORMALIZATION_OPTIONS || options === undefined) continue;
    const mean = readFloat32s(options, NORMALIZATION.mean);
    const deviation = readFloat32s(options, NORMALIZATION.deviation);
    return { mean, deviation };
  }
  return undefined;
}

function labelFilesOf(output: FlatTable): readonly string[] {
  const files = readTables(output, TENSOR.associatedFiles)
    .filter((file) => readInt8(file, ASSOCIATED_FILE.type, 0) === TENSOR_AXIS_LABELS)
    .map((file) => ({ name: readText(file, ASSOCIATED_FILE.name), locale: readText(file, ASSOCIATED_FILE.locale) }));
  const forAll = files.filter(({ locale }) => locale === "");
  const translated = files.filter(({ locale }) => locale !== "");
  return [...forAll, ...translated].map(({ name }) => name);
}
