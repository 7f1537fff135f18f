/**
 * `config.json` and `preprocessor_config.json`, which lie beside the weights of Hugging Face models.
 *
 *     depth_multiplier, min_depth, image_size, tf_padding, hidden_act, layer_norm_eps (of batch norm), id2label
 *     image_mean, image_std, do_normalize, size, crop_size, do_center_crop
 */

import { isDepthwiseError } from "../../../core/errors.ts";
import { fileError, quoted } from "../../../core/file-error.ts";
import { isObject, type JsonObject, parseJson } from "../../../core/json.ts";
import type { Preprocessing } from "../../../core/preprocessing.ts";
import { inferred, stated } from "../../../formats/fact.ts";
import { type DecodedBudget, spendOn, textWithin } from "../../../sources/decoded-budget.ts";
import type { OpenFile } from "../../../sources/open-file.ts";
import type { V1Facts } from "./facts.ts";

/**
 * What the two files say; nothing of one that is not there.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` if one is no JSON object; `ARCHITECTURE_UNKNOWN` for an activation that is
 *         not one of MobileNet V1's; what `sibling` throws for a file that is there
 */
export async function huggingFaceFacts(file: OpenFile, budget: DecodedBudget): Promise<V1Facts> {
  const config = configFacts(await readJson(file, "config.json", budget), file.name);
  return { ...config, ...preprocessingFacts(await readJson(file, "preprocessor_config.json", budget)) };
}

function configFacts(config: JsonObject, file: string): V1Facts {
  const from = "config.json";
  const { depth_multiplier, min_depth, image_size, tf_padding, hidden_act, layer_norm_eps, id2label } = config;
  if (hidden_act !== undefined && hidden_act !== "relu6" && hidden_act !== "relu") {
    throw fileError(
      "ARCHITECTURE_UNKNOWN",
      file,
      `hidden_act in the ${from} beside it`,
      "Other networks are not read.",
      {
        expected: "relu6 or relu",
        found: quoted(hidden_act),
      },
    );
  }
  const labels = labelsOf(id2label);
  return {
    ...(typeof depth_multiplier === "number" && {
      alpha: stated(depth_multiplier, from),
      channelRounding: inferred("floor" as const, `min_depth in ${from}`),
    }),
    ...(typeof min_depth === "number" && { minDepth: stated(min_depth, from) }),
    ...(typeof image_size === "number" && { resolution: stated(image_size, from) }),
    ...(typeof tf_padding === "boolean" && {
      padding: stated(tf_padding ? ("same" as const) : ("symmetric" as const), `tf_padding in ${from}`),
    }),
    ...(hidden_act !== undefined && { activation: stated(hidden_act, from) }),
    ...(typeof layer_norm_eps === "number" && { epsilon: stated(layer_norm_eps, `layer_norm_eps in ${from}`) }),
    ...(labels !== undefined && { labels: stated(labels, `id2label in ${from}`) }),
  };
}

function preprocessingFacts({
  image_mean,
  image_std,
  do_normalize,
  size,
  crop_size,
  do_center_crop,
}: JsonObject): V1Facts {
  const mean = numbersOf(image_mean);
  const deviation = numbersOf(image_std);
  if (mean === undefined || deviation === undefined || deviation.some((value) => value <= 0)) return {};
  const isHalf = [...mean, ...deviation].every((value) => value === 0.5);
  const side = sideOf(size);
  const crop = sideOf(crop_size);
  const cropFraction = do_center_crop === true && side !== undefined && crop !== undefined ? crop / side : undefined;
  const scale: Preprocessing =
    do_normalize === false ? { range: [0, 1] } : isHalf ? { range: [-1, 1] } : { mean, deviation };
  const isCropped = cropFraction !== undefined && cropFraction > 0 && cropFraction <= 1;
  return { preprocessing: stated({ ...scale, ...(isCropped && { cropFraction }) }, "preprocessor_config.json") };
}

function sideOf(size: unknown): number | undefined {
  const side = isObject(size) ? (size["shortest_edge"] ?? size["height"]) : size;
  return typeof side === "number" ? side : undefined;
}

/** One number a channel. */
function numbersOf(value: unknown): readonly number[] | undefined {
  const isSound = Array.isArray(value) && value.length === 3 && value.every((entry) => typeof entry === "number");
  return isSound ? value : undefined;
}

/** The names of classes 0, 1, …; undefined if one is missing or they are only numbered. */
function labelsOf(id2label: unknown): readonly string[] | undefined {
  if (!isObject(id2label)) return undefined;
  const count = Object.keys(id2label).length;
  const labels = Array.from({ length: count }, (_, index) => id2label[String(index)]);
  const isNamed = labels.every((label): label is string => typeof label === "string" && !/^LABEL_\d+$/.test(label));
  return count > 0 && isNamed ? labels : undefined;
}

/** An object, empty if the file is not there: a file of weights alone is read without. */
async function readJson(file: OpenFile, path: string, budget: DecodedBudget): Promise<JsonObject> {
  const what = `${path} beside it`;
  const corrupt = (expected: string, found: string) =>
    fileError("FILE_CORRUPT", file.name, what, "Fetch it again, or move it away.", { expected, found });
  try {
    const text = textWithin(budget, file.name, await file.sibling(path), what);
    const value = parseJson(text, corrupt, spendOn(budget, file.name, what));
    if (isObject(value)) return value;
  } catch (error) {
    if (isDepthwiseError(error) && (error.code === "FILE_NOT_FOUND" || error.code === "FILE_UNREADABLE")) return {};
    throw error;
  }
  throw corrupt("a JSON object", "something else");
}
