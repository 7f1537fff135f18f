/**
 * What a safetensors file says of its model, all strings:
 *
 *     architecture  mobilenet_v1, or custom
 *     alpha, resolution (or input_size "h,w"), classes, padding, activation, epsilon, background (1 or 0), range "low,high"
 *     options, preprocessing, labels, network   JSON, written by `saveModel`; `options` holds all of the above
 *     provenance   JSON: where the model once came from, and the evidence for each option
 */

import { DepthwiseError } from "../core/errors.ts";
import type { Network } from "../layers/network.ts";
import type { MobileNetV1Options } from "../models/index.ts";
import { type Basis, type Fact, type Facts, stated } from "./facts.ts";
import { provenanceOf } from "./provenance.ts";

export interface ModelMetadata {
  /** Options of `mobileNetV1` the file states; checked by the builder. */
  readonly options: MobileNetV1Options;
  /** A network of the user's own; checked by `networkFromJson`. */
  readonly network?: Readonly<Record<string, unknown>>;
}

/** Reads the metadata of a file. Throws `FILE_CORRUPT` for an entry that cannot be read. */
export function readMetadata(metadata: Readonly<Record<string, string>>, file: string): ModelMetadata {
  const json = (key: string): unknown => {
    const text = metadata[key];
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw corrupt(file, key, "JSON", text, cause);
    }
  };
  const number = (key: string): number | undefined => {
    const text = metadata[key];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) throw corrupt(file, key, "a number", text);
    return value;
  };
  const architecture = metadata["architecture"];
  const definition = json("network");
  if (definition !== undefined) {
    if (!isObject(definition)) throw corrupt(file, "network", "an object", metadata["network"] ?? "");
    return { options: {}, network: definition };
  }
  if (architecture !== undefined && architecture !== "mobilenet_v1") {
    throw new DepthwiseError("ARCHITECTURE_UNKNOWN", {
      what: `${file}: architecture`,
      expected: "mobilenet_v1",
      found: JSON.stringify(architecture),
      advice: "This version reads MobileNet V1 and networks saved by saveModel.",
      fields: { architecture },
    });
  }
  const options = json("options");
  if (options !== undefined && !isObject(options)) {
    throw corrupt(file, "options", "an object", metadata["options"] ?? "");
  }
  const range = metadata["range"]?.split(",").map(Number);
  const preprocessing = json("preprocessing") ?? (range === undefined ? undefined : { range });
  const stated = {
    alpha: number("alpha"),
    resolution: number("resolution"),
    inputSize: metadata["input_size"]?.split(",").map(Number),
    padding: metadata["padding"],
    activation: metadata["activation"],
    epsilon: number("epsilon"),
    labels: json("labels"),
    background: metadata["background"] === undefined ? undefined : metadata["background"] === "1",
    preprocessing,
    ...options,
  };
  // The builder checks every value: a file is no more trusted than a caller.
  return { options: withoutUndefined(stated) as MobileNetV1Options };
}

/** Entries that are read as facts; whatever else a file says is a remark. */
const KNOWN: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "alpha",
  "resolution",
  "input_size",
  "classes",
  "padding",
  "activation",
  "epsilon",
  "background",
  "range",
  "folded",
  "options",
  "preprocessing",
  "labels",
  "network",
  "provenance",
]);

/** The same as facts: stated by the metadata, unless the metadata itself says on what they were based. */
export function factsFromMetadata(
  metadata: Readonly<Record<string, string>>,
  file: string,
): {
  readonly facts: Facts;
  readonly network?: Readonly<Record<string, unknown>>;
  readonly remarks: Readonly<Record<string, unknown>>;
} {
  const { options, network } = readMetadata(metadata, file);
  const provenance = parsedProvenance(metadata["provenance"], file);
  const decisions = isObject(provenance["decisions"]) ? provenance["decisions"] : {};
  const facts = Object.entries(options).map(([name, value]) => {
    const before = Object.hasOwn(decisions, name) ? decisions[name] : undefined;
    if (!isFact(before)) return [name, stated(value, "metadata")];
    return [name, { value, basis: before.basis, from: before.from }];
  });
  const remarks = Object.entries(metadata).filter(([key]) => !KNOWN.has(key));
  const origin = isObject(provenance["origin"]) ? { origin: provenance["origin"] } : {};
  return {
    facts: Object.fromEntries(facts),
    remarks: { ...Object.fromEntries(remarks), ...origin },
    ...(network === undefined ? {} : { network }),
  };
}

const BASES: readonly string[] = ["given", "stated", "inferred", "assumed"] satisfies Basis[];

function isFact(value: unknown): value is Fact<unknown> {
  return isObject(value) && BASES.includes(String(value["basis"])) && typeof value["from"] === "string";
}

function parsedProvenance(text: string | undefined, file: string): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below, the same as for JSON that is no object.
  }
  throw corrupt(file, "provenance", "an object as JSON", text);
}

/** The metadata under which a model is saved. */
export function writeMetadata(model: Network): Record<string, string> {
  const { architecture, options, preprocessing, labels, background } = model.info;
  if (architecture !== "mobilenet_v1" || options === undefined) {
    const { name, inputShape, layers, outputs, aliases, info } = model;
    return {
      format: "depthwise",
      architecture,
      network: JSON.stringify({ name, inputShape, layers, outputs, aliases, info }),
    };
  }
  const [height, width] = model.inputShape;
  const range = preprocessing?.["range"];
  const { inputSize: _size, seed: _seed, ...rest } = options;
  const entries = {
    format: "depthwise",
    architecture,
    alpha: String(options["alpha"]),
    ...(height === width ? { resolution: String(height) } : { input_size: `${height},${width}` }),
    classes: String(options["classes"]),
    padding: String(options["padding"]),
    activation: String(options["activation"]),
    epsilon: String(options["epsilon"]),
    background: background === undefined ? undefined : background ? "1" : "0",
    folded: String(options["batchNorm"] === false),
    range: Array.isArray(range) ? range.join(",") : undefined,
    options: JSON.stringify(rest),
    preprocessing: preprocessing === undefined ? undefined : JSON.stringify(preprocessing),
    labels: labels === undefined ? undefined : JSON.stringify(labels),
    provenance: provenanceText(model),
  };
  return withoutUndefined(entries) as Record<string, string>;
}

/** What `decisions` rest on, without their values, which stand in the other entries. */
function provenanceText(model: Network): string | undefined {
  const provenance = provenanceOf(model);
  if (provenance === undefined) return undefined;
  const { decisions, ...origin } = provenance;
  const bases = Object.entries(decisions).map(([name, { basis, from }]) => [name, { basis, from }]);
  return JSON.stringify({ decisions: Object.fromEntries(bases), origin });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function corrupt(file: string, key: string, expected: string, found: string, cause?: unknown): DepthwiseError {
  return new DepthwiseError("FILE_CORRUPT", {
    what: `${file}: metadata "${key}"`,
    expected,
    found: JSON.stringify(found.slice(0, 80)),
    advice: "Correct the metadata, or pass the options to loadModel. Nothing was loaded.",
    fields: { file, key },
    cause,
  });
}
