/**
 * `config.json` and `preprocessor_config.json`, which lie beside the weights of Hugging Face models.
 *
 *     depth_multiplier, min_depth, image_size, tf_padding, hidden_act, layer_norm_eps (of batch norm), id2label
 *     image_mean, image_std, rescale_factor, size, crop_size, do_center_crop
 */

import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { type Facts, inferred, stated } from "./facts.ts";
import type { OpenFile } from "./model-file.ts";

/** @throws {DepthwiseError} `FILE_NOT_FOUND` if there is no config.json; `FILE_CORRUPT` if one is no JSON object */
export async function huggingFaceFacts(file: OpenFile): Promise<Facts> {
  const config = await readJson(file, "config.json");
  const from = "config.json";
  const { depth_multiplier, min_depth, image_size, tf_padding, hidden_act, layer_norm_eps, id2label } = config;
  const labels = labelsOf(id2label);
  return {
    ...(typeof depth_multiplier === "number" && { alpha: stated(depth_multiplier, from) }),
    ...(typeof depth_multiplier === "number" && {
      channelRounding: inferred("floor" as const, `min_depth in ${from}`),
    }),
    ...(typeof min_depth === "number" && { minDepth: stated(min_depth, from) }),
    ...(typeof image_size === "number" && { resolution: stated(image_size, from) }),
    ...(typeof tf_padding === "boolean" && {
      padding: stated(tf_padding ? ("same" as const) : ("symmetric" as const), `tf_padding in ${from}`),
    }),
    ...((hidden_act === "relu6" || hidden_act === "relu") && { activation: stated(hidden_act, from) }),
    ...(typeof layer_norm_eps === "number" && { epsilon: stated(layer_norm_eps, `layer_norm_eps in ${from}`) }),
    ...(labels !== undefined && { labels: stated(labels, `id2label in ${from}`) }),
    ...(await preprocessingFacts(file)),
  };
}

async function preprocessingFacts(file: OpenFile): Promise<Facts> {
  const from = "preprocessor_config.json";
  let config: Readonly<Record<string, unknown>>;
  try {
    config = await readJson(file, from);
  } catch (error) {
    if (isDepthwiseError(error) && error.code !== "FILE_CORRUPT") return {};
    throw error;
  }
  const { image_mean, image_std, size, crop_size, do_center_crop } = config;
  if (!isNumbers(image_mean) || !isNumbers(image_std)) return {};
  const [mean] = image_mean;
  const [deviation] = image_std;
  const isHalf = [...image_mean, ...image_std].every((value) => value === 0.5);
  const side = sideOf(size);
  const crop = sideOf(crop_size);
  const cropFraction = do_center_crop === true && side !== undefined && crop !== undefined ? crop / side : undefined;
  return {
    preprocessing: stated(
      {
        ...(isHalf && mean !== undefined && deviation !== undefined
          ? { range: [-1, 1] }
          : { mean: image_mean, deviation: image_std }),
        ...(cropFraction !== undefined && cropFraction > 0 && cropFraction <= 1 && { cropFraction }),
      },
      from,
    ),
  };
}

function sideOf(size: unknown): number | undefined {
  if (typeof size === "number") return size;
  if (!isObject(size)) return undefined;
  const side = size["shortest_edge"] ?? size["height"];
  return typeof side === "number" ? side : undefined;
}

/** The names of classes 0, 1, …; undefined if one is missing or they are only numbered. */
function labelsOf(id2label: unknown): readonly string[] | undefined {
  if (!isObject(id2label)) return undefined;
  const count = Object.keys(id2label).length;
  const labels = Array.from({ length: count }, (_, index) => id2label[String(index)]);
  const isNamed = labels.every((label) => typeof label === "string" && !/^LABEL_\d+$/.test(label));
  return count > 0 && isNamed ? (labels as readonly unknown[] as readonly string[]) : undefined;
}

async function readJson(file: OpenFile, path: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await file.sibling(path);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isObject(value)) return value;
  } catch {
    // Told below, the same as for JSON that is no object.
  }
  throw new DepthwiseError("FILE_CORRUPT", {
    what: `${path} beside ${file.name}`,
    expected: "a JSON object",
    found: "something else",
    advice: "Fetch it again, or move it away to load the weights without it.",
    fields: { file: file.name, path },
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "number");
}
