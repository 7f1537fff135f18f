/** `describe`: what is known of a model, decision by decision, and on what evidence. */

import { listed, shorten } from "../core/errors.ts";
import { show as showValue, textOf } from "../core/options.ts";
import { DEFAULT_PREPROCESSING } from "../core/preprocessing.ts";
import { elementCount } from "../core/tensor.ts";
import { columnWidth, visible } from "../core/visible.ts";
import type { Basis, Fact } from "../formats/fact.ts";
import { checkNetwork, type Network } from "../layers/network.ts";
import { provenanceOf } from "../understand/provenance.ts";

/** One thing that was decided of a loaded model, and on what evidence. */
export interface Decision {
  /** An option of `mobileNetV1`, or of preprocessing: `range`, `mean`, `deviation`, `channelOrder`, `resize`, … */
  readonly name: string;
  readonly value: unknown;
  readonly basis: Basis;
  /** What it rests on. */
  readonly from: string;
}

/** What a model is and how it was understood, as data; `formatDescription` prints it. */
export interface ModelDescription {
  readonly name: string;
  /** The kind of file it came from; `built by mobileNetV1` for a network made here. */
  readonly format: string;
  readonly file?: string;
  /** How its layers were told apart. */
  readonly understoodBy?: string;
  readonly inputShape: readonly number[];
  readonly outputs: readonly string[];
  readonly parameters: number;
  readonly decisions: readonly Decision[];
  /** What was assumed and would change the answers: a sentence each, with what else it could be. */
  readonly doubts: readonly string[];
  /** What else the file says of itself. */
  readonly remarks: Readonly<Record<string, unknown>>;
}

/** In this order; options that nobody asks about (a seed, a stem) come last, and only if something is known of them. */
const ORDER = ["alpha", "resolution", "inputSize", "inputChannels", "classes", "background", "includeTop", "padding"];

/** What else an assumption could be, and what to do. */
const DOUBTS: Readonly<Record<string, string>> = {
  padding: '"same" (TensorFlow) and "symmetric" (PyTorch, Caffe) see other pixels at stride 2',
  activation: '"relu6" and "relu" give other answers',
  negativeSlope: "frameworks use 0.01 to 0.3",
  epsilon: "TensorFlow's files want 1e-3, PyTorch's and Caffe's 1e-5",
  range: "networks want -1 to 1, 0 to 1, or mean and deviation, and fail quietly on another",
  mean: "networks want -1 to 1, 0 to 1, or mean and deviation, and fail quietly on another",
  resolution: "another size runs too, but answers best at the one it was trained at",
  inputSize: "it answers best at the one it was trained at, which loadModel takes where the file leaves it open",
};

/**
 * Describes a model: for a loaded one each decision says whether it was `given` by the caller, `stated` by the file,
 * `inferred` from what is in it, or `assumed`. What was assumed and would change the answers is among `doubts` as well.
 * Of a network that was built here, each option of the builder is `given`.
 *
 *     console.log(formatDescription(describe(await loadModel("mobilenet.tflite"))));
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network
 */
export function describe(model: Network): ModelDescription {
  checkNetwork("describe", model);
  const provenance = provenanceOf(model);
  const decisions = provenance === undefined ? builtDecisions(model) : decisionsOf(provenance.decisions);
  const parameters = [...model.parameterInfo.values()].map(({ shape }) => elementCount(shape));
  return {
    name: model.name,
    format: provenance?.format ?? `built as ${model.info.architecture}`,
    ...(provenance === undefined ? {} : { file: provenance.file, understoodBy: provenance.understoodBy }),
    inputShape: model.inputShape,
    outputs: Object.keys(model.outputs),
    parameters: parameters.reduce((a, b) => a + b, 0),
    decisions,
    doubts: decisions.flatMap(doubtsAbout),
    remarks: provenance?.remarks ?? {},
  };
}

function builtDecisions({ info }: Network): readonly Decision[] {
  const { options = {}, labels, background, preprocessing } = info;
  const facts = Object.entries({ ...options, labels, background, preprocessing })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, { value, basis: "given" as const, from: "the builder's options" }] as const);
  return decisionsOf(Object.fromEntries(facts));
}

function decisionsOf(facts: Readonly<Record<string, Fact<unknown>>>): readonly Decision[] {
  const { preprocessing, ...others } = facts;
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const decisions = Object.entries(others)
    .map(([name, fact]) => ({ name, ...fact }))
    .sort((a, b) => rank(a.name) - rank(b.name));
  return [...decisions, ...preprocessingDecisions(preprocessing)];
}

/** Preprocessing in parts, with the library's defaults for what a description leaves out; of a range it always says. */
function preprocessingDecisions(fact: Fact<unknown> | undefined): readonly Decision[] {
  const value = (fact?.value ?? {}) as Readonly<Record<string, unknown>>;
  const said = Object.entries(value).map(([name, part]): Decision => {
    return { name, value: part, basis: fact?.basis ?? "assumed", from: fact?.from ?? "" };
  });
  const isDefault = (name: string) => name !== "range" && !Object.hasOwn(value, name);
  const defaults = Object.entries(DEFAULT_PREPROCESSING).filter(([name]) => isDefault(name));
  return [
    ...said,
    ...defaults.map(([name, part]): Decision => {
      return { name, value: part, basis: "assumed", from: "the library's default; the file does not say" };
    }),
  ];
}

function doubtsAbout({ name, value, basis, from }: Decision): readonly string[] {
  const others = Object.hasOwn(DOUBTS, name) ? DOUBTS[name] : undefined;
  if (basis !== "assumed" || others === undefined) return [];
  return [`${name} ${shorten(json(value), 200)} is assumed (${shorten(from, 200)}); ${others}.`];
}

/**
 * The description as text for a terminal: what the model is, a line a decision (name, value, basis, what it rests on),
 * then the doubts. What a terminal would obey in names and values (controls, bidi marks) is written out as `\u{1b}`:
 * nobody could escape it afterwards without the line breaks. `describe` gives them as they are.
 *
 * @param description as `describe` gives it
 * @throws {DepthwiseError} `OPTION_INVALID` for what is no description, such as the model itself
 */
export function formatDescription(description: ModelDescription): string {
  return textOf("formatDescription", "description", "what describe(model) gives", description, () =>
    asText(description),
  );
}

/** `formatDescription` of what is a description, with the table of decisions set by `lay`. */
export function asText(description: ModelDescription, lay: (rows: Rows) => readonly string[] = aligned): string {
  const { name, format, file, understoodBy, inputShape, outputs, parameters, decisions, doubts } = description;
  const rows = decisions.map(({ name: option, value, basis, from }) => [option, show(value), basis, from].map(cell));
  const opening = [
    cell(`${name}: ${format}${file === undefined ? "" : `, ${file}`}`),
    cell(
      `input ${inputShape.join(" × ")}, outputs ${listed(outputs)}, ${parameters.toLocaleString("en-US")} parameters`,
    ),
    // Our own words, in which names of the file are cut already.
    ...(understoodBy === undefined ? [] : [visible(shorten(`understood by ${understoodBy}`))]),
  ];
  return [
    ...opening,
    "",
    ...lay(rows),
    ...(doubts.length === 0 ? [] : ["", "Assumed, to be checked:", ...doubts.map((doubt) => `- ${visible(doubt)}`)]),
  ].join("\n");
}

type Rows = readonly (readonly string[])[];

function aligned(rows: Rows): readonly string[] {
  const widths = [0, 1, 2].map((column) => columnWidth(rows.map((row) => row[column] ?? "")));
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "));
}

/** A value on one line; long lists are counted. */
function show(value: unknown): string {
  if (Array.isArray(value) && value.length > 6) {
    const [first] = value as readonly unknown[];
    return `${value.length} (${typeof first === "string" ? `${first}, …` : "…"})`;
  }
  return typeof value === "string" ? value : json(value);
}

/** What a file says must neither fill the terminal nor steer it. */
function cell(text: string): string {
  return visible(shorten(text, 200));
}

/** A value as JSON, or what can be shown of one that JSON does not know, such as an array within itself. */
function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? showValue(value);
  } catch {
    return showValue(value);
  }
}
