/** A data set: examples by index, and the three ways to make another of it. Nothing is read before it is asked for. */

import { checkSeed } from "../../core/counted.ts";
import { checkKnownOptions, optionError, positiveInteger } from "../../core/options.ts";
import { checkImage, type Example, type ExampleImage, type ExampleLabel, placeName } from "./example.ts";
import { classOf, type DatasetLabels } from "./labels.ts";
import { uniform } from "./randomness.ts";

/** At once, or later. */
export type Awaitable<Value> = Value | Promise<Value>;

/** Examples by index, with their classes. */
export interface Dataset {
  /** How many examples there are: at most 2²⁶. */
  readonly size: number;
  /** Names of the classes in the order of their indices. */
  readonly classes: readonly string[];
  /** What labels are: class indices, or a row of shares for each example. */
  readonly labelType: DatasetLabels["type"];
  /**
   * An example; an image file is not decoded. What comes is the data set's own: read it only.
   *
   * @throws {DepthwiseError} `OPTION_INVALID` for an index that is none; `signal.reason`
   */
  at(index: number, signal?: AbortSignal): Awaitable<Example>;
  /** The label of an example, without its picture. */
  labelAt(index: number): ExampleLabel;
  /** What an example is called in reports. */
  nameAt(index: number): string;
  /**
   * Two parts: `share` of each class, and the rest of it; for example `[train, validation] = data.split(0.9)`. The same
   * seed gives the same parts on every machine. A class of two or more examples is in both.
   *
   * @param share above 0 and below 1; a class's number is rounded half up
   * @param seed  default 0
   * @throws {DepthwiseError} `OPTION_INVALID`
   */
  split(share: number, seed?: number): readonly [Dataset, Dataset];
  /**
   * The first examples of each class, `count` in all, the classes in their shares (largest remainder): of a folder
   * sorted by class, the first of all would be of one class.
   *
   * @param count 1 to `size`
   * @throws {DepthwiseError} `OPTION_INVALID`
   */
  take(count: number): Dataset;
  /**
   * The same labels with other pictures: `change` is called whenever an example is asked for, and may be asynchronous.
   * It gives the same picture for the same example, or training cannot be resumed exactly.
   */
  map(change: (example: Example, index: number) => Awaitable<ExampleImage>): Dataset;
}

/** What a data set is made of. */
export interface DatasetParts {
  readonly classes: readonly string[];
  readonly labels: DatasetLabels;
  readonly imageAt: (index: number, signal?: AbortSignal) => Awaitable<ExampleImage>;
  /** Default: the index. */
  readonly nameAt?: (index: number) => string;
}

/** @param parts kept, and never written */
export function datasetOf({ classes, labels, imageAt, nameAt = placeName }: DatasetParts): Dataset {
  const width = Math.max(1, classes.length);
  const size = labels.type === "indices" ? labels.data.length : labels.data.length / width;
  const labelOf = (index: number): ExampleLabel =>
    labels.type === "indices" ? (labels.data[index] ?? 0) : labels.data.subarray(width * index, width * (index + 1));
  const made = (image: ExampleImage, index: number): Example => ({
    image,
    label: labelOf(index),
    name: nameAt(index),
  });
  return withViews({
    size,
    classes,
    labelType: labels.type,
    labelAt: (index) => labelOf(checkedIndex(size, index)),
    nameAt: (index) => nameAt(checkedIndex(size, index)),
    at(index, signal) {
      checkedIndex(size, index);
      signal?.throwIfAborted();
      return later(imageAt(index, signal), (image) => made(image, index));
    },
  });
}

type DatasetSource = Omit<Dataset, "split" | "take" | "map">;

/** A data set with the three ways to make another of it. */
export function withViews(source: DatasetSource): Dataset {
  return {
    ...source,
    split: (share, seed = 0) => {
      const [first, rest] = splitIndices(source, share, seed);
      return [subset(source, first), subset(source, rest)];
    },
    take: (count) => subset(source, takenIndices(source, count)),
    map: (change) => mapped(source, change),
  };
}

function subset(source: DatasetSource, indices: Int32Array): Dataset {
  const size = indices.length;
  const place = (index: number) => indices[checkedIndex(size, index)] ?? 0;
  return withViews({
    ...source,
    size,
    labelAt: (index) => source.labelAt(place(index)),
    nameAt: (index) => source.nameAt(place(index)),
    at: (index, signal) => source.at(place(index), signal),
  });
}

function mapped(source: DatasetSource, change: (example: Example, index: number) => Awaitable<ExampleImage>): Dataset {
  if (typeof change !== "function") throw optionError("map", "change", "a function of an example", change);
  return withViews({
    ...source,
    at: (index, signal) =>
      later(source.at(index, signal), (example) =>
        later(change(example, index), (image: unknown) => {
          checkImage("map: what the function gave", image);
          return { ...example, image };
        }),
      ),
  });
}

/** At once where the value is there: a promise for each of 60,000 small pictures would cost more than they do. */
export function later<Value, Result>(value: Awaitable<Value>, use: (value: Value) => Awaitable<Result>) {
  return isLater(value) ? value.then(use) : use(value);
}

/** A promise, of whoever made it. */
export function isLater<Value>(value: Awaitable<Value>): value is Promise<Value> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function checkedIndex(size: number, index: number): number {
  if (Number.isSafeInteger(index) && index >= 0 && index < size) return index;
  throw optionError("data set", "index", `a whole number below its size, ${size.toLocaleString("en-US")}`, index);
}

/** The examples of each class, in order. */
function membersOf({ size, classes, labelAt }: Pick<Dataset, "size" | "classes" | "labelAt">): number[][] {
  const members: number[][] = classes.map(() => []);
  for (let index = 0; index < size; index++) members[classOf(labelAt(index))]?.push(index);
  return members;
}

function splitIndices(source: DatasetSource, share: number, seed: number): readonly [Int32Array, Int32Array] {
  if (!(typeof share === "number" && share > 0 && share < 1)) {
    throw optionError("split", "share", "a number above 0 and below 1", share, "0.9 gives [nine tenths, the rest].");
  }
  checkSeed("split", seed);
  const isFirst = new Uint8Array(source.size);
  for (const members of membersOf(source)) {
    const drawn = members.map((index) => ({ index, key: uniform(seed, 0, index, "split") }));
    drawn.sort((a, b) => a.key - b.key || a.index - b.index);
    const rounded = Math.floor(share * members.length + 0.5);
    const count = Math.max(Math.min(rounded, members.length - 1), Math.min(1, members.length));
    for (const { index } of drawn.slice(0, count)) isFirst[index] = 1;
  }
  const all = Int32Array.from({ length: source.size }, (_, index) => index);
  return [all.filter((index) => isFirst[index] === 1), all.filter((index) => isFirst[index] === 0)];
}

function takenIndices(source: DatasetSource, count: number): Int32Array {
  positiveInteger("take", "count", count);
  if (count > source.size) throw optionError("take", "count", `at most the ${source.size} examples there are`, count);
  const classes = membersOf(source).map((members, c) => {
    const exact = count * members.length;
    return { members, c, whole: Math.floor(exact / source.size), rest: exact % source.size };
  });
  let left = classes.reduce((sum, { whole }) => sum - whole, count);
  const taken = new Int32Array(count);
  let filled = 0;
  for (const { members, whole, rest } of [...classes].sort((a, b) => b.rest - a.rest || a.c - b.c)) {
    const more = left > 0 && rest > 0 ? 1 : 0;
    left -= more;
    taken.set(members.slice(0, whole + more), filled);
    filled += whole + more;
  }
  return taken.sort();
}

export function isDataset(value: unknown): value is Dataset {
  if (typeof value !== "object" || value === null) return false;
  const { size, classes, at, labelAt, nameAt, split, take } = value as Partial<Dataset>;
  const functions = [at, labelAt, nameAt, split, take];
  return typeof size === "number" && Array.isArray(classes) && functions.every((each) => typeof each === "function");
}

/** @throws {DepthwiseError} `OPTION_INVALID` for what is no data set: a promise of one, for example */
export function expectDataset(owner: string, data: unknown): asserts data is Dataset {
  if (isDataset(data)) return;
  const advice = "Make one with imageFolder, idx, cifar10 or arrays, or await dataset(iterable).";
  throw optionError(owner, "data", "a data set", data, advice);
}

/** What the classes of data are called. */
export interface ClassOptions {
  /** Names of the classes by index, or how many there are. Default: what the labels say. */
  readonly classes?: readonly string[] | number;
}

export function checkClassOptions(owner: string, options: ClassOptions, more: readonly string[] = []): void {
  checkKnownOptions(owner, options, ["classes", ...more]);
}
