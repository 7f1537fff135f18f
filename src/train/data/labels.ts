/** Labels of a data set: checked once, then numbers in one array. */

import { DepthwiseError } from "../../core/errors.ts";
import { isString, optionError, positiveInteger, show, stringsOf } from "../../core/options.ts";
import { typedArray } from "../../core/realms.ts";
import { shareFault } from "../shares.ts";
import type { ExampleLabel } from "./example.ts";

/** Class indices, one an example, or rows of shares, `[examples][classes]`. */
export type DatasetLabels =
  | { readonly type: "indices"; readonly data: Int32Array }
  | { readonly type: "shares"; readonly data: Float32Array };

/**
 * Names of the classes; a count gives `"0"`, `"1"`, …
 *
 * @param least of them there must be, since labels name them
 * @throws {DepthwiseError} `OPTION_INVALID`; `CLASSES_MISMATCH` if a label lies beyond
 */
export function classNames(owner: string, classes: unknown, least: number): readonly string[] {
  if (classes === undefined || typeof classes === "number") {
    const count = classes === undefined ? least : positiveInteger(owner, "classes", classes);
    checkCount(owner, count, least);
    return Array.from({ length: count }, (_, index) => String(index));
  }
  const names = stringsOf(owner, "classes", classes, "names of the classes, or their count");
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) throw optionError(owner, "classes", "each name once", twice);
  checkCount(owner, names.length, least);
  return names;
}

function checkCount(owner: string, count: number, least: number): void {
  if (count >= least) return;
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `${owner}: labels`,
    expected: `class indices below ${count}, as classes says`,
    found: `${least - 1}`,
    advice: "Indices count from 0. Pass as many classes as there are, or correct the label.",
    fields: { owner, classes: count, label: least - 1 },
  });
}

/** @throws {DepthwiseError} `OPTION_INVALID` with the position of the first that is no class index */
export function indicesOf(owner: string, labels: ArrayLike<unknown>): Int32Array {
  const indices = new Int32Array(labels.length);
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    if (!(typeof label === "number" && Number.isInteger(label) && label >= 0 && label < MOST_CLASSES)) {
      throw optionError(owner, `label ${index}`, "a class index: 0, 1, 2, …", label, oneHot(label));
    }
    indices[index] = label;
  }
  return indices;
}

/** How rows of ones and zeros are passed. */
function oneHot(label: unknown): string | undefined {
  const isRow = Array.isArray(label) || typedArray(label) !== undefined;
  return isRow ? "Rows of shares, one-hot ones too, are a float32 tensor [examples, classes]." : undefined;
}

/** More are no classes but something else: names of a million classes would be made first. */
const MOST_CLASSES = 1_000_000;

/** The class after the highest. */
export function classesIn(indices: Int32Array): number {
  let most = -1;
  for (const index of indices) most = Math.max(most, index);
  return most + 1;
}

/** @throws {DepthwiseError} `OPTION_INVALID` for a row of shares that are no shares */
export function checkShares(owner: string, index: number, shares: ArrayLike<unknown>): void {
  const fault = shareFault(shares, 0, shares.length);
  if (fault === undefined) return;
  const { classIndex, found } = fault;
  if (classIndex !== undefined) throw optionError(owner, `label ${index}`, "shares of the classes, each 0 to 1", found);
  throw optionError(owner, `label ${index}`, "shares of the classes that add to 1", `a sum of ${found}`);
}

/**
 * Labels as they come with single examples: indices, rows of shares, or names of classes, of one kind throughout.
 *
 * @param classes names or count; default what the labels say: names sorted by code units, indices up to the highest
 * @throws {DepthwiseError} `OPTION_INVALID`, `CLASSES_MISMATCH`
 */
export function labelsOf(
  owner: string,
  given: readonly unknown[],
  classes?: unknown,
): { readonly labels: DatasetLabels; readonly classes: readonly string[] } {
  const first = given[0];
  if (typeof first === "string") return fromNames(owner, given, classes);
  if (typeof first !== "object" || first === null) {
    const data = indicesOf(owner, given);
    return { labels: { type: "indices", data }, classes: classNames(owner, classes, classesIn(data)) };
  }
  const count = rowOf(owner, 0, first).length;
  const data = new Float32Array(count * given.length);
  for (const [index, label] of given.entries()) {
    const row = rowOf(owner, index, label);
    if (row.length !== count) throw optionError(owner, `label ${index}`, `${count} shares, as label 0 has`, label);
    checkShares(owner, index, row);
    data.set(row, index * count);
  }
  return { labels: { type: "shares", data }, classes: namesOfShares(owner, classes, count) };
}

/** @throws {DepthwiseError} `CLASSES_MISMATCH` unless there is a share for each class */
export function namesOfShares(owner: string, classes: unknown, count: number): readonly string[] {
  const names = classNames(owner, classes, count);
  if (names.length === count) return names;
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `${owner}: labels`,
    expected: `${names.length} shares, one for each class`,
    found: `${count}`,
    advice: "Pass the names of all classes, or leave classes out.",
    fields: { owner, classes: names.length, shares: count },
  });
}

function rowOf(owner: string, index: number, label: unknown): ArrayLike<number> {
  if (Array.isArray(label) || typedArray(label) !== undefined) return label as ArrayLike<number>;
  throw optionError(owner, `label ${index}`, "a class index, a class name, or a row of shares", label);
}

function fromNames(owner: string, given: readonly unknown[], classes: unknown) {
  const names = given.map((label, index) => {
    if (isString(label)) return label;
    throw optionError(owner, `label ${index}`, "the name of a class, as label 0 is", label);
  });
  // By code units, not by a language: the same on every machine.
  const known = classes === undefined ? [...new Set(names)].sort() : classNames(owner, classes, 0);
  const places = new Map(known.map((name, index) => [name, index]));
  const data = Int32Array.from(names, (name, index) => {
    const place = places.get(name);
    if (place !== undefined) return place;
    throw new DepthwiseError("CLASSES_MISMATCH", {
      what: `${owner}: label ${index}`,
      expected: `one of the ${known.length} classes`,
      found: show(name),
      advice: "Correct the label, or name its class in classes too.",
      fields: { owner, index, label: name },
    });
  });
  return { labels: { type: "indices", data } as const, classes: known };
}

/** The class of a label; of shares the largest, and of equal ones the first. */
export function classOf(label: ExampleLabel): number {
  if (typeof label === "number") return label;
  let best = 0;
  for (const [index, share] of label.entries()) if (share > (label[best] ?? 0)) best = index;
  return best;
}
