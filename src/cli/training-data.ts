/** DATA of `train` and `evaluate`: recognised by what the files hold, and put into words. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { DepthwiseError, isDepthwiseError, listed } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { systemCode } from "../core/realms.ts";
import { readStart } from "../core/regular-file.ts";
import { IMAGE_NAME } from "../images/image-name.ts";
import { entriesOf, RECORD_BYTES } from "../train/data/index.ts";
import { cifar10, type Dataset, idx, imageFolder } from "../train/index.ts";

export type DataKind = "pictures" | "idx" | "cifar10";

/** What DATA turned out to be. */
export interface TrainingData {
  readonly kind: DataKind;
  readonly train: Dataset;
  /** What it keeps apart: MNIST's and CIFAR-10's test files, a folder for validation or testing beside `train`. */
  readonly test: Dataset | undefined;
  /** In words: what and where, for a line. */
  readonly words: string;
  readonly testWords: string | undefined;
}

const EXPECTED =
  "a folder with a folder of pictures for each class, a pair of IDX files or a folder with MNIST's, or CIFAR-10's binary files or a folder with them";

/** Names of folders that hold one part of a set. */
const TRAIN_FOLDER = /^train(ing)?$/i;
const [VALIDATION_FOLDER, TEST_FOLDER] = [/^val(id(ation)?)?$/i, /^test(ing)?$/i];
/** Which is taken where both are there: epochs are not chosen by what is for testing. */
const HELD_FOLDERS = { training: [VALIDATION_FOLDER, TEST_FOLDER], evaluation: [TEST_FOLDER, VALIDATION_FOLDER] };
const TEST_FILE = /t10k|test/i;

/** What data are opened for. */
export type DataUse = keyof typeof HELD_FOLDERS;

/** A folder of more other files is no data set of a few. */
const MOST_FILES = 100;

/** What a file is, by its first bytes and its size. */
type ContentKind = "idx pictures" | "idx labels" | "cifar10" | "picture" | "other";

interface Found {
  readonly path: string;
  readonly kind: ContentKind;
}

/**
 * Opens DATA. Pictures of folders are not read yet; the other files are read whole.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`; `FORMAT_UNKNOWN` with what was found and what is expected; what the readers
 *         of data sets throw; `signal.reason`
 */
export async function openData(
  paths: readonly string[],
  signal: AbortSignal,
  use: DataUse = "training",
): Promise<TrainingData> {
  const [only = "", ...others] = paths;
  if (others.length === 0 && (await isFolder(only))) return openFolder(only, signal, use);
  const found = await Promise.all(paths.map(recognised));
  signal.throwIfAborted();
  const set = await openFiles(found, signal);
  if (set !== undefined) return set;
  throw refusal(paths.join(" "), describeFiles(found), adviceFor(found));
}

async function openFolder(folder: string, signal: AbortSignal, use: DataUse): Promise<TrainingData> {
  const entries = await entriesOf(folder);
  const names = entries.files.filter((name) => !IMAGE_NAME.test(name));
  const found = await Promise.all(names.slice(0, MOST_FILES).map((name) => recognised(join(folder, name))));
  signal.throwIfAborted();
  const set = await openFiles(found, signal, folder);
  if (set !== undefined) return set;
  const trainFolder = entries.folders.find((name) => TRAIN_FOLDER.test(name));
  const testFolder = HELD_FOLDERS[use].flatMap((held) => entries.folders.filter((name) => held.test(name)))[0];
  if (trainFolder !== undefined && testFolder !== undefined && (await holdsFolders(join(folder, trainFolder)))) {
    const [train, test] = [join(folder, trainFolder), join(folder, testFolder)];
    const [first, second] = [await imageFolder(train, { signal }), await imageFolder(test, { signal })];
    checkSameClasses(first, second, test);
    return {
      kind: "pictures",
      train: first,
      test: second,
      words: `${train}: ${described(first)}`,
      testWords: `${test}: ${grouped(second.size)} pictures`,
    };
  }
  if (entries.folders.length === 0) {
    throw refusal(folder, describeFolder(entries.files, found), adviceFor(found, entries.files.length - names.length));
  }
  const train = await imageFolder(folder, { signal });
  return { kind: "pictures", train, test: undefined, words: `${folder}: ${described(train)}`, testWords: undefined };
}

/** A data set of files: one of IDX pictures and one of labels, twice where one pair is for testing; or CIFAR-10's. */
async function openFiles(
  found: readonly Found[],
  signal: AbortSignal,
  folder?: string,
): Promise<TrainingData | undefined> {
  const pictures = found.filter(({ kind }) => kind === "idx pictures").map(({ path }) => path);
  const labels = found.filter(({ kind }) => kind === "idx labels").map(({ path }) => path);
  if (pictures.length > 0 && pictures.length === labels.length && pictures.length <= 2) {
    const [train, test] = pairs(pictures, labels);
    if (train !== undefined) return openPairs(train, test, signal, folder);
  }
  const batches = found.filter(({ kind }) => kind === "cifar10").map(({ path }) => path);
  // Of a pair of which one half is missing the other is not taken for something else.
  if (batches.length === 0 || pictures.length + labels.length > 0) return undefined;
  const [tests, trains] = [batches.filter(isTest), batches.filter((path) => !isTest(path))];
  const main = trains.length > 0 ? trains : tests;
  const train = await cifar10(main, { signal });
  const test = trains.length > 0 && tests.length > 0 ? await cifar10(tests, { signal }) : undefined;
  const files = main.length === 1 ? "one file" : `${main.length} files`;
  return {
    kind: "cifar10",
    train,
    test,
    words: `${folder ?? main[0] ?? ""}: CIFAR-10 in ${files}, ${described(train, " of 32 × 32")}`,
    testWords: test === undefined ? undefined : `${tests[0] ?? ""}: ${grouped(test.size)} pictures`,
  };
}

type IdxPair = readonly [pictures: string, labels: string];

function pairs(pictures: readonly string[], labels: readonly string[]): readonly [train?: IdxPair, test?: IdxPair] {
  const [only = "", second] = pictures;
  if (second === undefined) return [[only, labels[0] ?? ""]];
  const pick = (all: readonly string[], test: boolean) => all.filter((path) => isTest(path) === test);
  const pairOf = (test: boolean): IdxPair | undefined => {
    const [picture, another] = pick(pictures, test);
    const [label] = pick(labels, test);
    return picture === undefined || label === undefined || another !== undefined ? undefined : [picture, label];
  };
  const [train, test] = [pairOf(false), pairOf(true)];
  return train === undefined || test === undefined ? [] : [train, test];
}

/** The name of the file alone: a folder may be called `test` too. */
function isTest(path: string): boolean {
  return TEST_FILE.test(path.split(/[\\/]/).at(-1) ?? "");
}

async function openPairs(
  train: IdxPair,
  test: IdxPair | undefined,
  signal: AbortSignal,
  folder: string | undefined,
): Promise<TrainingData> {
  const first = await idx(...train, { signal });
  // A part may lack the last class; of which there are, the larger part says.
  const second = test === undefined ? undefined : await idx(...test, { signal, classes: first.classes });
  const { image } = await first.at(0);
  const size = typeof image === "object" && "width" in image ? ` of ${image.width} × ${image.height}` : "";
  return {
    kind: "idx",
    train: first,
    test: second,
    words: `${folder ?? train[0]}: IDX, ${described(first, size)}`,
    testWords: second === undefined ? undefined : `${test?.[0] ?? ""}: ${grouped(second.size)} pictures`,
  };
}

/** Whether the classes of another set are those of this one, in the same order. */
export function checkSameClasses(train: Dataset, other: Dataset, name: string): void {
  const isSame = train.classes.length === other.classes.length && train.classes.every((c, i) => c === other.classes[i]);
  if (isSame) return;
  const missing = train.classes.filter((label) => !other.classes.includes(label));
  const extra = other.classes.filter((label) => !train.classes.includes(label));
  const differences = [
    ...(missing.length > 0 ? [`without ${listed(missing)}`] : []),
    ...(extra.length > 0 ? [`with ${listed(extra)}`] : []),
  ];
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `${name}: classes`,
    expected: `those of the training data: ${listed(train.classes)}`,
    found: differences.length > 0 ? differences.join(", ") : "them in another order",
    advice: "Give both the same folders, one for each class.",
    fields: { missing, extra },
  });
}

/** What a data set holds, in words. */
function described({ size, classes }: Dataset, each = ""): string {
  const count = `${grouped(classes.length)} ${classes.length === 1 ? "class" : "classes"}`;
  return `${grouped(size)} pictures${each} in ${count}`;
}

async function recognised(path: string): Promise<Found> {
  return { path, kind: await kindOf(path) };
}

async function kindOf(path: string): Promise<ContentKind> {
  try {
    const { start, size } = await readStart(path, 4096);
    const isPacked = start[0] === 0x1f && start[1] === 0x8b;
    return isPacked ? kindOfHead(await unpacked(start), undefined) : kindOfHead(start, size);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** By magic numbers; CIFAR-10's files have none, but records of one length, each with a label below ten in front. */
function kindOfHead(head: Uint8Array, size: number | undefined): ContentKind {
  const [a = -1, b = -1, type = -1, axes = -1] = head;
  if (head.length > 3 && a === 0 && b === 0 && type >= 8 && type <= 14 && axes >= 1 && axes <= 4) {
    return axes === 1 ? "idx labels" : "idx pictures";
  }
  const isPng = a === 0x89 && b === 0x50;
  const isJpeg = a === 0xff && b === 0xd8;
  if (isPng || isJpeg) return "picture";
  const isRecords = size !== undefined && size > 0 && size % RECORD_BYTES === 0;
  return isRecords && a < 10 && (head[RECORD_BYTES] ?? 0) < 10 ? "cifar10" : "other";
}

/** The first bytes of what a packed beginning holds. */
async function unpacked(packed: Uint8Array): Promise<Uint8Array> {
  const stream = createGunzip();
  stream.end(packed);
  try {
    for await (const part of stream) return part as Uint8Array;
  } catch {
    // It is cut off, as it must be, or no gzip: what came before says what it is.
  }
  return new Uint8Array();
}

async function isFolder(path: string): Promise<boolean> {
  return (
    (
      await stat(path).catch((cause: unknown) => {
        throw unreadable(path, cause);
      })
    ).isDirectory() === true
  );
}

async function holdsFolders(folder: string): Promise<boolean> {
  return (await entriesOf(folder)).folders.length > 0;
}

function unreadable(path: string, cause: unknown): DepthwiseError {
  if (isDepthwiseError(cause)) return cause;
  const code = systemCode(cause) ?? "unknown";
  const isAbsent = code === "ENOENT" || code === "ENOTDIR";
  return new DepthwiseError(isAbsent ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", {
    what: isAbsent ? `${path}: there is no such file or folder` : `${path}: it cannot be read (${code})`,
    advice: `DATA is ${EXPECTED}.`,
    fields: { path },
    cause,
  });
}

function refusal(what: string, found: string, advice: string | undefined): DepthwiseError {
  return new DepthwiseError("FORMAT_UNKNOWN", { what: `${what}: data`, expected: EXPECTED, found, advice });
}

const NAMES = {
  "idx pictures": "IDX pictures",
  "idx labels": "IDX labels",
  cifar10: "CIFAR-10's records",
  picture: "pictures",
  other: "other files",
} as const satisfies Record<ContentKind, string>;

function describeFiles(found: readonly Found[]): string {
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  const parts = kinds.map((kind) => {
    const names = found.filter((each) => each.kind === kind).map(({ path }) => path.split(/[\\/]/).at(-1) ?? "");
    return `${NAMES[kind]} (${listed(names, ", ", 3)})`;
  });
  return parts.join(", ");
}

function describeFolder(files: readonly string[], found: readonly Found[]): string {
  if (files.length === 0) return "an empty folder";
  const pictures = files.filter((name) => IMAGE_NAME.test(name)).length;
  const loose = pictures === 0 ? [] : [`${grouped(pictures)} pictures without a folder for their class`];
  return [...loose, ...(found.length === 0 ? [] : [describeFiles(found)])].join(", ");
}

/** @param loose pictures in a folder that has none for their class */
function adviceFor(found: readonly Found[], loose = 0): string | undefined {
  const count = (kind: ContentKind) => found.filter((each) => each.kind === kind).length;
  const [pictures, labels] = [count("idx pictures"), count("idx labels")];
  if (pictures > 0 && labels === 0) return "Pass the file of their labels too.";
  if (labels > 0 && pictures === 0) return "Pass the file of their pictures too.";
  if (pictures + labels > 0) return "Pass one file of pictures and the one of their labels.";
  if (loose + count("picture") === 0) return undefined;
  return "Put the pictures of each class into a folder of its name, and pass the folder that holds those.";
}
