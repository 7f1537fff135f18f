/** What a run of `train` was asked for: flags, the recipe, and options.json, from which it goes on or another takes it. */

import { resolve } from "node:path";
import { shownAddress } from "../core/address.ts";
import { DepthwiseError, isDepthwiseError, listed } from "../core/errors.ts";
import { isObject, type JsonObject, parseJson } from "../core/json.ts";
import { checkKnownOptions, optionError, show } from "../core/options.ts";
import { systemCode } from "../core/realms.ts";
import { type FileStart, readStart } from "../core/regular-file.ts";
import type { Schedule } from "../train/index.ts";
import { RECIPE_KEYS, RECIPES, type Recipe, type RecipeName, recipe } from "../train/recipes.ts";
import type { SessionFlags } from "./session-options.ts";

export interface TrainFlags extends Pick<SessionFlags, "backend" | "threads" | "simd"> {
  readonly out: string;
  readonly resume?: boolean;
  readonly alpha?: number;
  readonly resolution?: number;
  readonly from?: string;
  readonly recipe?: string;
  readonly epochs?: number;
  readonly batch?: number;
  readonly rate?: number;
  /** A share, 0 for none, or a path. */
  readonly validation?: number | string;
  readonly seed?: number;
  readonly signal: AbortSignal;
}

/** What decides what comes out of a run: it goes on with the same, or not at all. */
const DECIDING = ["alpha", "resolution", "from", "recipe", "epochs", "batch", "rate", "validation", "seed"] as const;

/** The flags that decide, as they were given. */
export type AskedFor = Partial<Pick<TrainFlags, (typeof DECIDING)[number]>>;

/** options.json. */
export interface TrainingOptions {
  /** Version of the command. */
  readonly depthwise: string;
  /** Absolute paths: the run can be resumed from another directory. */
  readonly data: readonly string[];
  /** From which relative paths in `asked` count. These stay as they were given: the model says what it was made of. */
  readonly directory: string;
  readonly asked: AskedFor;
  /** What came of it, in words that the run began with. */
  readonly network: Readonly<Record<string, unknown>>;
  readonly validation: string;
  readonly recipe: Recipe;
  /** Of fine-tuning: epochs before those of the recipe, in which the new head alone learns. */
  readonly frozenEpochs?: number;
  readonly seed: number;
  readonly backend: NonNullable<SessionFlags["backend"]>;
  readonly threads: NonNullable<SessionFlags["threads"]>;
  readonly simd: NonNullable<SessionFlags["simd"]>;
}

const OWNER = "train";
const MOST_BYTES = 2 ** 20;

export function askedFor(flags: TrainFlags): AskedFor {
  return Object.fromEntries(DECIDING.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
}

/** What is no path among the weights: standard input, an address, `keras:…`, `hf:…`. A drive is one letter. */
const NO_PATH = /^(?:-$|[a-z][a-z0-9+.-]+:)/i;

/** The same with absolute paths, where relative ones count from a directory. */
function withPlaces({ from, recipe: name, validation, ...rest }: AskedFor, directory: string): AskedFor {
  // A file that was changed by hand may hold anything: what it is then, is said elsewhere.
  const place = <Value>(value: Value) => (typeof value === "string" ? resolve(directory, value) : value);
  return {
    ...rest,
    ...(from === undefined ? {} : { from: NO_PATH.test(from) ? from : place(from) }),
    ...(name === undefined ? {} : { recipe: isRecipeName(name) ? name : place(name) }),
    ...(validation === undefined ? {} : { validation: place(validation) }),
  };
}

/** What goes on of a run. */
export interface BegunRun {
  readonly data: readonly string[];
  readonly asked: AskedFor;
  readonly recipe: Recipe;
  /** What computed it: other instructions give other bits. What they may be, `fit` checks. */
  readonly running: Pick<TrainFlags, "backend" | "threads" | "simd">;
}

/**
 * What options.json says of the run that goes on.
 *
 * @param file  its path
 * @param asked flags that are given again: each must be as it was
 * @throws {DepthwiseError} `FILE_NOT_FOUND` if there is none; `OPTION_INVALID` for other flags, with all differences
 */
export async function readRun(file: string, asked: AskedFor): Promise<BegunRun> {
  const advice = "Pass the --out of a run that was begun, or leave out --resume.";
  const all = await readJsonFile(file, advice);
  const { data, directory = ".", asked: before, recipe: made, backend, threads, simd } = all;
  const isSound = Array.isArray(data) && data.every((path) => typeof path === "string");
  if (!isSound || typeof directory !== "string" || !isObject(before) || !isObject(made)) {
    throw new DepthwiseError("FILE_CORRUPT", {
      what: file,
      expected: "the options of a run: data, asked and recipe",
      found: `an object with ${Object.keys(all).join(", ") || "nothing"}`,
      advice,
    });
  }
  checkKnownOptions(file, before, DECIDING);
  const placed: JsonObject = { ...withPlaces(before as AskedFor, directory) };
  const given = Object.entries(withPlaces(asked, ".")).filter(([name, value]) => placed[name] !== value);
  if (given.length > 0) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: `train: --resume with ${given.map(([name]) => `--${name}`).join(", ")}`,
      expected: given.map(([name]) => `--${name} ${before[name] === undefined ? "left out" : before[name]}`).join(", "),
      found: given.map(([, value]) => String(value)).join(", "),
      advice: "A run goes on with the options it began with. Leave them out, or begin another with another --out.",
      fields: { differences: given.map(([name]) => name) },
    });
  }
  const running = { backend, threads, simd } as BegunRun["running"];
  return {
    data,
    asked: (resolve(directory) === resolve(".") ? before : placed) as AskedFor,
    recipe: checkRecipe(file, made),
    running,
  };
}

/** What a recipe has to know of data and network. */
export interface RecipeFacts {
  readonly resolution: number;
  readonly examples: number;
  readonly mayFlip: boolean;
}

/**
 * The recipe of a run: one of ours by its name, or a file, with what the flags say in place of what it does.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; what reading a file throws
 */
export async function recipeFor(asked: AskedFor, facts: RecipeFacts): Promise<Recipe> {
  const { epochs, batch, rate } = asked;
  const name = recipeName(asked);
  const made = isRecipeName(name)
    ? recipe(name, { ...facts, ...(epochs === undefined ? {} : { epochs }), ...(batch === undefined ? {} : { batch }) })
    : await recipeFile(name);
  const { schedule } = made;
  if (rate !== undefined && schedule === undefined) {
    throw optionError(OWNER, "--rate", "a recipe with a schedule", "none", "Write a schedule into the recipe.");
  }
  return {
    ...made,
    ...(epochs === undefined ? {} : { epochs }),
    ...(batch === undefined ? {} : { batch }),
    ...(rate === undefined || schedule === undefined ? {} : { schedule: withRate(schedule, rate) }),
  };
}

/** The recipe that is asked for, or what is taken where none is. */
export function recipeName({ recipe: name, from }: AskedFor): string {
  return name ?? (from === undefined ? "fast" : "tune");
}

function isRecipeName(name: string): name is RecipeName {
  return (RECIPES as readonly string[]).includes(name);
}

async function recipeFile(path: string): Promise<Recipe> {
  const names = listed(RECIPES);
  const all = await readJsonFile(
    path,
    `--recipe is one of ${names}, or a JSON file such as the options.json of a run.`,
  );
  const own = all["recipe"];
  return checkRecipe(path, isObject(own) ? own : all);
}

/** Its keys; what stands behind them, training checks. */
function checkRecipe(file: string, value: JsonObject): Recipe {
  checkKnownOptions(`recipe ${file}`, value, RECIPE_KEYS);
  return value as Recipe;
}

/** The same schedule with another highest rate. */
function withRate(schedule: Schedule, rate: number): Schedule {
  if (schedule.type === "warmup") return { ...schedule, after: withRate(schedule.after, rate) };
  return schedule.type === "oneCycle" ? { ...schedule, peak: rate } : { ...schedule, rate };
}

async function readJsonFile(file: string, advice: string): Promise<JsonObject> {
  const name = shownAddress(file);
  let read: FileStart;
  try {
    read = await readStart(file, MOST_BYTES);
  } catch (cause) {
    if (isDepthwiseError(cause)) throw cause;
    const code = systemCode(cause) ?? "unknown";
    const isAbsent = code === "ENOENT" || code === "ENOTDIR";
    throw new DepthwiseError(isAbsent ? "FILE_NOT_FOUND" : "FILE_UNREADABLE", {
      what: isAbsent ? `${name}: there is no such file` : `${name}: it cannot be read (${code})`,
      advice,
      cause,
    });
  }
  const wrong = (expected: string, found: string, cause?: unknown) =>
    new DepthwiseError("FORMAT_UNKNOWN", { what: name, expected, found, advice, cause });
  if (read.size > MOST_BYTES) throw wrong(`at most ${MOST_BYTES} bytes of JSON`, `${read.size}`);
  const value = parseJson(new TextDecoder().decode(read.start), wrong, () => undefined);
  if (isObject(value)) return value;
  throw wrong("a JSON object", show(value));
}
