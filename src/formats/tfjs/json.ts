/** The text of a `model.json`, checked before and after it is parsed; and what other JSON files people pass are. */

import { type DepthwiseError, type ErrorCode, isDepthwiseError } from "../../core/errors.ts";
import { damaged, fileError, grouped, quoted } from "../../core/file-error.ts";
import { isObject, type JsonObject, parseJson } from "../../core/json.ts";
import { type DecodedBudget, spendOn, textWithin } from "../../sources/decoded-budget.ts";

/** Longest text that is parsed, whatever may be decoded: a scan of more takes seconds. */
const MAX_JSON_BYTES = 2 ** 25;

/**
 * The object that the text is.
 *
 * @throws {DepthwiseError} `FILE_TOO_LARGE`; `FILE_CORRUPT` for text that is not JSON, is nested too deep, or says one
 *         thing twice; `FORMAT_UNKNOWN` for JSON that is no object
 */
export function parseModelJson(bytes: Uint8Array, name: string, maxBytes: number, budget: DecodedBudget): JsonObject {
  const limit = Math.min(MAX_JSON_BYTES, maxBytes);
  if (bytes.length > limit) {
    const advice = "A model.json holds no weights itself: check that this is the file you mean.";
    throw fileError("FILE_TOO_LARGE", name, "JSON text", advice, {
      expected: `at most ${grouped(limit)} bytes`,
      found: grouped(bytes.length),
      fields: { bytes: bytes.length, limit },
    });
  }
  const text = decodeText(bytes, name, budget);
  const value = parseJson(
    text,
    (expected, found) => tfjsCorrupt(name, "JSON text", expected, found),
    spendOn(budget, name, "JSON text"),
  );
  if (isObject(value)) return value;
  throw notAModel(
    name,
    Array.isArray(value) ? "a JSON array" : `JSON that is ${value === null ? "null" : `a ${typeof value}`}`,
  );
}

function decodeText(bytes: Uint8Array, name: string, budget: DecodedBudget): string {
  try {
    return textWithin(budget, name, bytes, "JSON text", true);
  } catch (cause) {
    if (isDepthwiseError(cause)) throw cause;
    throw tfjsCorrupt(name, "JSON text", "UTF-8", "bytes that are not");
  }
}

/** Files that stand beside weights, or are often taken for them: keys that give them away, and what to do. */
const OTHERS: readonly { readonly keys: readonly string[]; readonly phrase: string; readonly advice: string }[] = [
  {
    keys: ["class_name", "config"],
    phrase: "the configuration of a Keras model, without weights",
    advice: "Pass the file of its weights: .keras, .h5 or .weights.h5.",
  },
  {
    keys: ["weight_map"],
    phrase: "an index of safetensors files",
    advice: "Pass the .safetensors file itself.",
  },
  {
    keys: ["model_type"],
    phrase: "a Hugging Face config.json",
    advice: "Pass the model.safetensors that lies beside it.",
  },
  {
    keys: ["architectures"],
    phrase: "a Hugging Face config.json",
    advice: "Pass the model.safetensors that lies beside it.",
  },
  {
    keys: ["image_processor_type"],
    phrase: "a Hugging Face preprocessor_config.json",
    advice: "Pass the model.safetensors that lies beside it.",
  },
  { keys: ["name", "version"], phrase: "a package.json or its like", advice: "Pass the file of the weights." },
  {
    keys: ["modelTopology"],
    phrase: "a topology without a weightsManifest: it names no weights",
    advice: "Pass a model.json as TensorFlow.js' converter or model.save() writes it.",
  },
];

/** The error for an object that is no `model.json`, by what it seems to be. */
export function unknownJson(json: JsonObject, name: string): DepthwiseError {
  const other = OTHERS.find(({ keys }) => keys.every((key) => Object.hasOwn(json, key)));
  if (other !== undefined) return notAModel(name, other.phrase, other.advice);
  const keys = Object.keys(json).slice(0, 6);
  return notAModel(name, keys.length === 0 ? "an empty JSON object" : `JSON with ${keys.map(quoted).join(", ")}`);
}

function notAModel(name: string, found: string, advice = "Check that it is the file you meant."): DepthwiseError {
  const expected = "a TensorFlow.js model.json, with modelTopology and weightsManifest";
  return fileError("FORMAT_UNKNOWN", name, "", advice, { expected, found, fields: { found } });
}

/** `FILE_CORRUPT` for something in the file, or another code. */
export function tfjsCorrupt(file: string, what: string, expected?: string, found?: string, code?: ErrorCode) {
  const advice = "The file is damaged, or was not written by TensorFlow.js; fetch or convert it again.";
  return damaged(file, what, { code, advice, expected, found });
}
