/** TensorFlow Lite: operators as a graph; range of the input, labels and remarks from the metadata, if there is any. */

import { listed } from "../../core/errors.ts";
import type { Preprocessing } from "../../core/preprocessing.ts";
import { shortestDecimal } from "../../core/shortest-decimal.ts";
import { budgetOf } from "../../sources/decoded-budget.ts";
import { type Fact, type FileFacts, stated } from "../fact.ts";
import type { ValueQuantization } from "../graph.ts";
import type { FormatReader } from "../model-file.ts";
import { rangeOf } from "./activation.ts";
import { tfliteGraph } from "./graph.ts";
import { readLabels } from "./labels.ts";
import { type InputNormalization, readTfliteMetadata, type TfliteMetadata } from "./metadata.ts";
import { readTflite, type TfliteModel } from "./schema.ts";

type PreprocessingFact = Fact<Preprocessing>;

/**
 * Reads a TFLite file: a graph of its first subgraph, constants dequantized when they are read.
 *
 * FileFacts: `preprocessing` from the scale of bytes that come in or from the metadata, `labels` and `background`.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`; `FILE_TOO_LARGE` if constants or labels take more than
 *         `maxBytes`
 */
export const read: FormatReader = async (file, given) => {
  const { bytes, name } = file;
  const budget = budgetOf(given);
  const context = { ...given, budget };
  const model = await readTflite(bytes, name, budget);
  const metadata = await readTfliteMetadata(model, name, budget);
  const content = tfliteGraph(model, name, budget);
  const outputs = model.tensors[model.outputs[0] ?? -1]?.shape.at(-1);
  const labels = await readLabels(file, { named: metadata?.labelFiles ?? [], outputs }, context);
  const preprocessing = preprocessingOf(model, metadata?.normalization);
  return {
    format: "TFLite",
    content,
    facts: { ...labels.facts, ...preprocessing },
    remarks: remarksOf(model, metadata, labels.remark),
  };
};

/** Of a network with one image coming in. */
function preprocessingOf({ inputs, tensors }: TfliteModel, normalization: InputNormalization | undefined): FileFacts {
  const [index = -1, ...others] = inputs;
  const input = tensors[index];
  const channels = input?.shape.length === 4 ? input.shape.at(-1) : undefined;
  if (input === undefined || others.length > 0 || (channels !== 1 && channels !== 3)) return {};
  const fact =
    (input.quantization && rangeFact(input.quantization, input.name)) ??
    (normalization && normalizationFact(normalization, channels));
  return fact === undefined ? {} : { preprocessing: fact };
}

/** Bytes are pixels as they are; their scale says what the network takes them for. */
function rangeFact(quantization: ValueQuantization, input: string): PreprocessingFact | undefined {
  const [low = Number.NaN, high = Number.NaN] = rangeOf(quantization)?.map(shortestDecimal) ?? [];
  if (!Number.isFinite(low) || !Number.isFinite(high) || low === high) return undefined;
  const [scale = 0] = quantization.scale;
  const [zeroPoint = 0] = quantization.zeroPoint;
  return stated(
    { range: [low, high] },
    `scale ${shortestDecimal(scale)} and zero point ${zeroPoint} of the input "${input}"`,
  );
}

/** (pixel − mean) / deviation, as a range if it is the same for all channels. */
function normalizationFact(
  { mean, deviation }: InputNormalization,
  channels: number | undefined,
): PreprocessingFact | undefined {
  const count = Math.max(mean.length, deviation.length);
  const fits = [mean, deviation].every(({ length }) => length === 1 || length === count);
  if (!fits || (count !== 1 && count !== channels)) return undefined;
  const means = Array.from({ length: count }, (_, i) => shortestDecimal(mean[i] ?? mean[0] ?? 0));
  const deviations = Array.from({ length: count }, (_, i) => shortestDecimal(deviation[i] ?? deviation[0] ?? 0));
  if (!means.every(Number.isFinite) || !deviations.every((value) => value > 0 && value < Infinity)) return undefined;
  const [m = 0] = means;
  const [d = 1] = deviations;
  const from = `NormalizationOptions of the metadata (mean ${text(mean)}, deviation ${text(deviation)})`;
  if (means.every((value) => value === m) && deviations.every((value) => value === d)) {
    return stated({ range: [shortestDecimal(-m / d) + 0, shortestDecimal((255 - m) / d)] }, from);
  }
  const ofUnit = (values: readonly number[]) => values.map((value) => shortestDecimal(value / 255));
  return stated({ mean: ofUnit(means), deviation: ofUnit(deviations) }, from);
}

/** Written into a place of fixed length, which zeros fill up. */
function textBeforeZeros(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
}

function text(values: readonly number[]): string {
  return listed(values.map((value) => String(shortestDecimal(value))));
}

function remarksOf(
  model: TfliteModel,
  metadata: TfliteMetadata | undefined,
  labels: string | undefined,
): Readonly<Record<string, unknown>> {
  const { description, version, subgraphs, metadata: blocks, operators } = model;
  const runtime = blocks.get("min_runtime_version");
  // Names of custom operators come out of the file: "__proto__" is one of them and nothing else.
  const counts: Record<string, number> = Object.create(null);
  for (const { name } of operators) counts[name] = (counts[name] ?? 0) + 1;
  return {
    version,
    ...(description === "" ? {} : { description }),
    ...(runtime === undefined ? {} : { minRuntimeVersion: textBeforeZeros(runtime) }),
    ...(metadata === undefined || Object.keys(metadata.said).length === 0 ? {} : { metadata: metadata.said }),
    ...(labels === undefined ? {} : { labels }),
    ...(subgraphs === 1 ? {} : { subgraphs: `${subgraphs}, of which the first is read` }),
    operators: counts,
  };
}
