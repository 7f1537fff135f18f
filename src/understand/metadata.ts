/**
 * What a safetensors file says of its model, all strings:
 *
 *     architecture  the id of one, such as mobilenet_v1, or custom
 *     alpha, resolution (or input_size "h,w"), classes, padding, activation, epsilon, background (1 or 0), range "low,high"
 *     options, preprocessing, labels, network   JSON, written by `saveModel`; `options` holds all of the above
 *     provenance   JSON: where the model once came from, and the evidence for each option
 */

import { DepthwiseError, shorten } from "../core/errors.ts";
import { fileError, quoted } from "../core/file-error.ts";
import { isObject, type JsonObject, parseJson } from "../core/json.ts";
import type { Spend } from "../core/json-keys.ts";
import { type Basis, type Fact, stated } from "../formats/fact.ts";
import type { ModelFile } from "../formats/model-file.ts";
import type { Network } from "../layers/network.ts";
import { type DecodedBudget, spendOn } from "../sources/decoded-budget.ts";
import type { Facts } from "./facts.ts";
import { originOf, provenanceOf } from "./provenance.ts";

type Metadata = Readonly<Record<string, string>>;

/** Entries that are read as facts, or say nothing of the model; whatever else a file says is a remark. */
const KNOWN: ReadonlySet<string> = /* @__PURE__ */ new Set(
  [
    ["format", "architecture", "alpha", "resolution", "input_size", "classes", "padding", "activation", "epsilon"],
    ["background", "range", "folded", "options", "preprocessing", "labels", "network", "provenance"],
  ].flat(),
);

/** A file of which the metadata, if it has any, was read. */
export interface StatedModel extends ModelFile {
  readonly facts: Facts;
  /** The architecture that it says it is of: one known here, unless it spells its network out. */
  readonly architecture?: string | undefined;
  /** A network of the user's own that the file describes, to be checked by `networkFromJson`. */
  readonly network?: JsonObject;
}

/**
 * @param architectures ids of those that can be built
 * @throws {DepthwiseError} `FILE_CORRUPT` for an entry that cannot be read; `ARCHITECTURE_UNKNOWN`
 */
export function withStatements(
  model: ModelFile,
  file: string,
  budget: DecodedBudget,
  architectures: readonly string[],
): StatedModel {
  if (model.metadata === undefined) return model;
  const spend = spendOn(budget, file, "metadata");
  const { facts, network, remarks } = factsFromMetadata(model.metadata, file, spend, architectures);
  return {
    ...model,
    facts: { ...model.facts, ...facts },
    remarks: { ...remarks, ...model.remarks },
    architecture: model.metadata["architecture"],
    ...(network === undefined ? {} : { network }),
  };
}

/**
 * The metadata as facts: stated by it, unless it says itself on what they were based. The builder checks every value:
 * a file is no more trusted than a caller.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for an entry that cannot be read; `ARCHITECTURE_UNKNOWN`
 */
function factsFromMetadata(
  metadata: Metadata,
  file: string,
  spend: Spend,
  architectures: readonly string[],
): {
  readonly facts: Facts;
  /** A network of the user's own; checked by `networkFromJson`. */
  readonly network?: JsonObject;
  readonly remarks: JsonObject;
} {
  const network = jsonObject(metadata, "network", file, spend);
  const { decisions, origin } = jsonObject(metadata, "provenance", file, spend) ?? {};
  const bases = isObject(decisions) ? decisions : {};
  const options = network === undefined ? readOptions(metadata, file, spend, architectures) : {};
  const remarks = Object.entries(metadata).filter(([key]) => !KNOWN.has(key));
  return {
    facts: remembered(options, bases),
    remarks: Object.fromEntries<unknown>(isObject(origin) ? [...remarks, ["origin", origin]] : remarks),
    ...(network === undefined ? {} : { network }),
  };
}

/** What a file says now, on the basis that it had when the model was saved: an assumption stays one. */
export function remembered(values: JsonObject, bases: Readonly<Record<string, unknown>>): Facts {
  const facts = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): readonly [string, Fact<unknown>] => {
      const before = Object.hasOwn(bases, name) ? bases[name] : undefined;
      if (!isFact(before)) return [name, stated(value, "metadata")];
      return [name, { value, basis: before.basis, from: before.from }];
    });
  return Object.fromEntries(facts);
}

function readOptions(metadata: Metadata, file: string, spend: Spend, architectures: readonly string[]): JsonObject {
  const { architecture, padding, activation, background } = metadata;
  if (architecture !== undefined && !architectures.includes(architecture)) {
    throw fileError("ARCHITECTURE_UNKNOWN", file, "architecture", "Other networks are read if saveModel wrote them.", {
      expected: architectures.join(" or "),
      found: quoted(architecture),
      fields: { architecture },
    });
  }
  const range = numbers(metadata, "range", file, 2);
  return {
    alpha: numbers(metadata, "alpha", file, 1)?.[0],
    resolution: numbers(metadata, "resolution", file, 1)?.[0],
    inputSize: numbers(metadata, "input_size", file, 2),
    padding,
    activation,
    epsilon: numbers(metadata, "epsilon", file, 1)?.[0],
    labels: json(metadata, "labels", file, spend),
    background: background === undefined ? undefined : background === "1",
    preprocessing: jsonObject(metadata, "preprocessing", file, spend) ?? (range === undefined ? undefined : { range }),
    ...jsonObject(metadata, "options", file, spend),
  };
}

function json(metadata: Metadata, key: string, file: string, spend: Spend): unknown {
  const text = metadata[key];
  if (text === undefined) return undefined;
  return parseJson(text, (expected, _found, cause) => corrupt(file, key, expected, text, cause), spend);
}

/** The builder has some twenty options, and each of them is looked at again and again. */
const MOST_ENTRIES = 1000;

function jsonObject(metadata: Metadata, key: string, file: string, spend: Spend): JsonObject | undefined {
  const value = json(metadata, key, file, spend);
  const entries = isObject(value) ? Object.keys(value).length : 0;
  if (entries > MOST_ENTRIES) throw corrupt(file, key, `an object of at most ${MOST_ENTRIES} entries`, `${entries}`);
  if (value === undefined || isObject(value)) return value;
  throw corrupt(file, key, "an object as JSON", metadata[key] ?? "");
}

/** Numbers with commas between. */
function numbers(metadata: Metadata, key: string, file: string, count: number): readonly number[] | undefined {
  const text = metadata[key];
  const values = text?.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (values === undefined || (values.length === count && values.every(Number.isFinite))) return values;
  throw corrupt(file, key, count === 1 ? "a number" : `${count} numbers`, text ?? "");
}

const BASES: readonly string[] = ["given", "stated", "inferred", "assumed"] satisfies Basis[];

function isFact(value: unknown): value is Fact<unknown> {
  return isObject(value) && BASES.includes(String(value["basis"])) && typeof value["from"] === "string";
}

/**
 * The metadata under which a model is saved.
 *
 * @param architectures ids of those whose builder makes it again of `info.options`
 */
export function writeMetadata(model: Network, architectures: readonly string[]): Record<string, string> {
  const { architecture, options, preprocessing, labels, background } = model.info;
  if (options === undefined || !architectures.includes(architecture)) {
    const { name, inputShape, layers, outputs, aliases, info } = model;
    return {
      format: "depthwise",
      architecture,
      network: jsonOf(model, { name, inputShape, layers, outputs, aliases, info }),
    };
  }
  const range = preprocessing?.range;
  const { inputSize: _size, seed: _seed, ...rest } = options;
  const { alpha, classes, padding, activation, epsilon, batchNorm } = options;
  const entries = {
    format: "depthwise",
    architecture,
    alpha,
    ...sizeEntry(model),
    classes,
    padding,
    activation,
    epsilon,
    background: background === undefined ? undefined : background ? "1" : "0",
    folded: batchNorm === false,
    range: range?.join(","),
    options: jsonOf(model, rest),
    preprocessing: preprocessing === undefined ? undefined : jsonOf(model, preprocessing),
    labels: labels === undefined ? undefined : jsonOf(model, labels),
    provenance: provenanceText(model),
  };
  const said = Object.entries<unknown>(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said.map(([name, value]) => [name, String(value)]));
}

/** Of an image; what reads none has no option for it. */
function sizeEntry({ inputShape: [height, width, channels] }: Network): Record<string, string> {
  if (channels === undefined) return {};
  return height === width ? { resolution: String(height) } : { input_size: `${height},${width}` };
}

/** What `decisions` rest on, without their values, which stand in the other entries; and where the model began. */
function provenanceText(model: Network): string | undefined {
  const provenance = provenanceOf(model);
  if (provenance === undefined) return undefined;
  const bases = Object.entries(provenance.decisions).map(([name, { basis, from }]) => [name, { basis, from }]);
  return jsonOf(model, { decisions: Object.fromEntries(bases), origin: originOf(provenance) });
}

/** What the network's maker says of it may be anything: an object within itself, a bigint, nesting without end. */
function jsonOf({ name }: Network, value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `${shorten(name, 200)}: info`,
      expected: "plain data, which JSON can hold",
      found: "something else, such as an object within itself or a bigint",
      advice: "Replace it with withInfo.",
      cause,
    });
  }
}

function corrupt(file: string, key: string, expected: string, text: string, cause?: unknown): DepthwiseError {
  const advice = "Correct the metadata, or pass the options to loadModel.";
  const facts = { expected, found: quoted(text), fields: { key }, cause };
  return fileError("FILE_CORRUPT", file, `metadata "${key}"`, advice, facts);
}
