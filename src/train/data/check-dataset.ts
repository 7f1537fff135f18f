/** A data set of somebody's own, checked where training takes it in: any object with the members of one is taken. */

import { grouped } from "../../core/file-error.ts";
import { isNatural } from "../../core/json.ts";
import { optionError } from "../../core/options.ts";
import { isFloat32Array } from "../../core/realms.ts";
import { type Dataset, isDataset } from "./dataset.ts";
import { type ExampleLabel, placeName } from "./example.ts";

const OWNER = "data set";

/** A class's examples are gathered in a list: an engine ends the process where one grows beyond some 2²⁷. */
const MOST_EXAMPLES = 2 ** 26;

/** @throws {DepthwiseError} `OPTION_INVALID` for a `size`, `classes` or `labelType` that none can have */
export function checkDataset({ size, classes, labelType }: Dataset): void {
  if (!isNatural(size) || size > MOST_EXAMPLES) {
    throw optionError(OWNER, "size", `a whole number of at least 0 and at most ${grouped(MOST_EXAMPLES)}`, size);
  }
  const place = classes.findIndex((name: unknown) => typeof name !== "string");
  if (place >= 0) throw optionError(OWNER, `classes[${place}]`, "the name of a class", classes[place]);
  if (labelType === "indices" || labelType === "shares") return;
  throw optionError(OWNER, "labelType", `"indices" or "shares"`, labelType);
}

/** The same, and all of its labels. */
export function checkLabelled(data: Dataset): void {
  checkDataset(data);
  for (let index = 0; index < data.size; index++) labelOf(data, index);
}

/**
 * The label of an example; whether its shares add up to 1 is found by the step.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for what is none
 */
export function labelOf(data: Pick<Dataset, "classes" | "labelAt">, index: number): ExampleLabel {
  const label: unknown = data.labelAt(index);
  const count = data.classes.length;
  if (isNatural(label) ? label < count : isFloat32Array(label) && label.length === count) return label as ExampleLabel;
  const expected = `a class below ${grouped(count)}, or a Float32Array of ${grouped(count)} shares`;
  throw optionError(OWNER, `labelAt(${index}), ${placeName(index)}`, expected, label);
}

/** @throws {DepthwiseError} `OPTION_INVALID` unless `split` gives two data sets */
export function splitOf(data: Dataset, share: number, seed: number): readonly [Dataset, Dataset] {
  const parts: unknown = data.split(share, seed);
  const [first, rest] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (!isDataset(first) || !isDataset(rest)) throw optionError(OWNER, "split", "two data sets", parts);
  return [first, rest];
}

/** @throws {DepthwiseError} `OPTION_INVALID` unless `take` gives a data set */
export function takeOf(data: Dataset, count: number): Dataset {
  const part: unknown = data.take(count);
  if (!isDataset(part)) throw optionError(OWNER, "take", "a data set", part);
  checkDataset(part);
  return part;
}
