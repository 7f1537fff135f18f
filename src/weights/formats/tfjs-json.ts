/** The text of a `model.json`, checked before and after it is parsed; and what other JSON files people pass are. */

import { DepthwiseError, type ErrorCode } from "../../core/errors.ts";
import { scanJsonKeys } from "../json-keys.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Longest text that is parsed: the values of JSON take up to twenty times the memory of its text. */
const MAX_JSON_BYTES = 2 ** 25;

/** A network nests some twenty levels. */
const MAX_DEPTH = 100;

/**
 * The object that the text is.
 *
 * @throws {DepthwiseError} `FILE_TOO_LARGE`; `FILE_CORRUPT` for text that is not JSON, is nested too deep, or says one
 *         thing twice; `FORMAT_UNKNOWN` for JSON that is no object
 */
export function parseModelJson(bytes: Uint8Array, name: string, maxBytes: number): Json {
  const limit = Math.min(MAX_JSON_BYTES, maxBytes);
  if (bytes.length > limit) {
    throw new DepthwiseError("FILE_TOO_LARGE", {
      what: `${name}: JSON text`,
      expected: `at most ${limit.toLocaleString("en-US")} bytes`,
      found: bytes.length.toLocaleString("en-US"),
      advice: "A model.json holds no weights itself: check that this is the file you mean. Nothing was loaded.",
      fields: { file: name, bytes: bytes.length, limit },
    });
  }
  const text = decodeText(bytes, name);
  const { twice, isTooDeep } = scanJsonKeys(text, MAX_DEPTH);
  if (isTooDeep) throw corrupt(name, "JSON text", `at most ${MAX_DEPTH} levels`, "deeper nesting");
  if (twice !== undefined) throw corrupt(name, `the key ${quoted(twice.key)} stands twice in one object`);
  const value = parse(text, name);
  if (isObject(value)) return value;
  throw notAModel(
    name,
    Array.isArray(value) ? "a JSON array" : `JSON that is ${value === null ? "null" : `a ${typeof value}`}`,
  );
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw corrupt(name, "JSON text", "UTF-8", "bytes that are not");
  }
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8 quotes the text itself, which may be long.
    const reason = cause instanceof Error ? cause.message.slice(0, 120) : String(cause);
    throw corrupt(name, "JSON text", "JSON", `text that is not (${reason})`, cause);
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
export function unknownJson(json: Json, name: string): DepthwiseError {
  const other = OTHERS.find(({ keys }) => keys.every((key) => Object.hasOwn(json, key)));
  if (other !== undefined) return notAModel(name, other.phrase, other.advice);
  const keys = Object.keys(json).slice(0, 6);
  return notAModel(name, keys.length === 0 ? "an empty JSON object" : `JSON with ${keys.map(quoted).join(", ")}`);
}

function notAModel(name: string, found: string, advice = "Check that it is the file you meant."): DepthwiseError {
  return new DepthwiseError("FORMAT_UNKNOWN", {
    what: name,
    expected: "a TensorFlow.js model.json, with modelTopology and weightsManifest",
    found,
    advice: `${advice} Nothing was loaded.`,
    fields: { file: name, found },
  });
}

/** `FILE_CORRUPT` for something in the file, or another code. */
export function corrupt(
  file: string,
  what: string,
  expected?: string,
  found?: string,
  cause?: unknown,
  code: ErrorCode = "FILE_CORRUPT",
): DepthwiseError {
  return new DepthwiseError(code, {
    what: `${file}: ${what}`,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    advice: "The file is damaged, or was not written by TensorFlow.js; fetch or convert it again. Nothing was loaded.",
    fields: { file },
    cause,
  });
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A name or value out of a file, fit for a message: escaped, and not longer than a line. */
export function quoted(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(quoted).join(", ")}${value.length > 8 ? ", …" : ""}]`;
  return isObject(value) ? "an object" : String(value);
}
