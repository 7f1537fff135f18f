/** What `train` does: opens the data, makes the network, trains, and writes down what came of it. */

import { resolve } from "node:path";
import { shownAddress } from "../core/address.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { optionError } from "../core/options.ts";
import { visible } from "../core/visible.ts";
import type { Network } from "../layers/index.ts";
import { checkTrainable } from "../train/data/index.ts";
import {
  type Dataset,
  type EpochEvent,
  type EpochRecord,
  type FitOptions,
  type FitRun,
  fineTune,
  fit,
  keepDecoded,
} from "../train/index.ts";
import { replaceHead } from "../weights/index.ts";
import { saveModel } from "../weights/save-model.ts";
import { withoutUndefined } from "./network-options.ts";
import { print, printAside } from "./print.ts";
import { checkSameClasses, openData, type TrainingData } from "./training-data.ts";
import {
  beginRun,
  checkNoRun,
  forgetRun,
  type RunPlaces,
  readHistory,
  runPlaces,
  writeHistory,
  writeText,
} from "./training-files.ts";
import { TrainingLines } from "./training-lines.ts";
import { loadedNetwork, networkOf, networkPlan, networkWords } from "./training-network.ts";
import {
  type AskedFor,
  askedFor,
  type BegunRun,
  readRun,
  recipeFor,
  recipeName,
  type TrainFlags,
} from "./training-options.ts";
import { type ReportedRun, runReport } from "./training-report.ts";
import {
  allEpochs,
  endWords,
  fewUpdatesWords,
  inOwnWords,
  interruptedWords,
  recipeWords,
  tuningWords,
} from "./training-words.ts";
import { version } from "./version.ts";

/** Of data that keep nothing apart themselves. */
const VALIDATION_SHARE = 0.1;
/** Of fine-tuning, before the epochs of the recipe. */
const FROZEN_EPOCHS = 1;

/** A run before its first step. */
interface TrainingRun extends ReportedRun {
  readonly validation: Dataset | undefined;
  /** `fit`, or `fineTune` of a network that was trained before. */
  readonly learn: (model: Network, data: Dataset, options: FitOptions) => FitRun;
}

/** @param paths DATA; none where a run goes on: those it began with */
export async function runTraining(paths: readonly string[], flags: TrainFlags): Promise<void> {
  const { signal, resume = false } = flags;
  const places = runPlaces(flags.out);
  const before = resume ? await readRun(places.options, askedFor(flags)) : undefined;
  const asked = before?.asked ?? askedFor(flags);
  const data = paths.length > 0 ? paths : (before?.data ?? []);
  if (data.length === 0) {
    const advice = "Call it as: depthwise train DATA --out DIRECTORY";
    throw new DepthwiseError("OPTION_INVALID", {
      what: "train: data",
      expected: "what to train on",
      found: "nothing",
      advice,
    });
  }
  if (!resume) await checkNoRun(places);
  const run = await prepared(data, asked, before, flags, places);
  const { recipe, seed, backend, threads, simd } = run.options;
  // Which checks all of it; it begins when its events are asked for.
  const training = run.learn(run.model, run.train, {
    ...recipe,
    ...{ backend, threads, simd, seed, resume, signal },
    ...(run.validation === undefined ? {} : { validation: run.validation }),
    checkpoint: places.checkpoint,
  });
  signal.throwIfAborted();
  print([...run.sentences.map(visible), ""]);
  if (!resume) await beginRun(places, `${JSON.stringify(run.options, null, 2)}\n`);
  await trained(run, training, { resume, paths: resume ? paths : [], signal });
}

async function prepared(
  paths: readonly string[],
  asked: AskedFor,
  before: BegunRun | undefined,
  flags: TrainFlags,
  places: RunPlaces,
): Promise<TrainingRun> {
  const { seed = 1 } = asked;
  const opened = await openData(paths, flags.signal);
  const { train, validation, words } = await parted(opened, asked, seed, flags.signal);
  const { from } = asked;
  const plan = from === undefined ? await networkPlan(opened.kind, train, asked) : undefined;
  const model =
    plan === undefined ? await loadedNetwork(from ?? "", asked, flags.signal) : networkOf(plan, train, seed);
  const resolution = Math.max(...model.inputShape.slice(0, 2));
  const facts = { resolution, examples: train.size, mayFlip: opened.kind !== "idx" };
  const recipe = before?.recipe ?? (await recipeFor(asked, facts));
  checkTrainable(train, recipe.batch ?? 1);
  const { backend = "auto", threads = "auto", simd = "auto" } = { ...before?.running, ...runningOf(flags) };
  const network = { ...(plan ?? { from: shownAddress(from ?? ""), resolution }), classes: train.classes.length };
  const options = {
    ...{
      depthwise: version,
      data: paths.map((path) => resolve(path)),
      directory: resolve("."),
      asked,
      network,
      validation: words,
      recipe,
    },
    ...(plan === undefined ? { frozenEpochs: FROZEN_EPOCHS } : {}),
    ...{ seed, backend, threads, simd },
  };
  const sentences = [
    // Of fine-tuning, as it will be with the classifier for these classes.
    ...[opened.words, words, networkWords(plan === undefined ? replaceHead(model, { labels: train.classes }) : model)],
    ...(plan === undefined ? [tuningWords(from ?? "", train, FROZEN_EPOCHS)] : []),
    recipeWords(recipeName(asked), recipe, train.size),
    ...fewUpdatesWords(recipe, train.size),
  ];
  // Decoded once, as far as there is room: crops are cut from what is held.
  const held = { train: keepDecoded(train), validation: validation && keepDecoded(validation, { maxBytes: 2 ** 27 }) };
  return { places, model, ...held, options, sentences, learn: plan === undefined ? tuned : fit };
}

/** The flags that were given. */
function runningOf({ backend, threads, simd }: TrainFlags): Pick<TrainFlags, "backend" | "threads" | "simd"> {
  return withoutUndefined({ backend, threads, simd });
}

/** `fineTune` with the epochs of the head that options.json names. */
function tuned(model: Network, data: Dataset, options: FitOptions): FitRun {
  return fineTune(model, data, { ...options, frozenEpochs: FROZEN_EPOCHS });
}

/** What is trained on, and what is kept from it. */
async function parted(
  { train, test, testWords }: TrainingData,
  { validation }: AskedFor,
  seed: number,
  signal: AbortSignal,
): Promise<{ readonly train: Dataset; readonly validation: Dataset | undefined; readonly words: string }> {
  if (typeof validation === "string") {
    const other = await openData([validation], signal);
    const held = other.test ?? other.train;
    checkSameClasses(train, held, validation);
    return { train, validation: held, words: `validation on ${other.testWords ?? other.words}` };
  }
  if (validation === 0) return { train, validation: undefined, words: "no validation" };
  if (validation === undefined && test !== undefined) {
    return { train, validation: test, words: `validation on ${testWords}` };
  }
  const share = validation ?? VALIDATION_SHARE;
  const [kept, held] = train.split(1 - share, seed);
  if (held.size === 0) {
    const advice = "Add pictures, or pass --validation none.";
    throw optionError("train", "--validation", "a share of two or more pictures of a class", share, advice);
  }
  return {
    train: kept,
    validation: held,
    words: `validation on ${grouped(held.size)} of them, trained on ${grouped(kept.size)}`,
  };
}

interface Going {
  readonly resume: boolean;
  /** Data that were given to a run that goes on. */
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
}

async function trained(run: TrainingRun, training: FitRun, { resume, paths, signal }: Going): Promise<void> {
  const { places, options } = run;
  const lines = new TrainingLines(allEpochs(options));
  let history = resume ? await readHistory(places.history) : [];
  let isKept = resume;
  try {
    for await (const event of training) {
      if (event.type === "checkpoint") isKept = true;
      if (event.type === "epoch") {
        const record = recordOf(event);
        history = [...history.filter(({ epoch }) => epoch < record.epoch), record];
        await writeHistory(places.history, history);
      }
      lines.tell(event);
    }
    const result = await training.done;
    lines.stop();
    await writeHistory(places.history, result.history);
    await saveModel(result.model, places.model);
    await writeText(places.report, runReport(run, result.history, result));
    print(endWords(places, run.train.classes.length, options.recipe, result));
  } catch (error) {
    lines.stop();
    // Somebody who goes on with it, as soon as it is begun, has its checkpoint: then it is theirs.
    const isTheirs = isDepthwiseError(error) && error.code === "CHECKPOINT_IN_USE";
    if (!isKept && !isTheirs) await forgetRun(places);
    if (!signal.aborted) throw inOwnWords(error);
    if (history.length > 0) await writeText(places.report, runReport(run, history, undefined));
    printAside([visible(interruptedWords(places, paths, isKept, history.length, allEpochs(options)))]);
    throw error;
  }
}

/** The line of an epoch in the history; `fit` gives the same in the end. */
function recordOf(event: EpochEvent): EpochRecord {
  const { type: _type, epochs: _epochs, seconds, imagesPerSecond, waitedForData, ...result } = event;
  return { ...result, time: { seconds, imagesPerSecond, waitedForData } };
}
