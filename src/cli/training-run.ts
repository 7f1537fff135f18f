/** What `train` does: opens the data, makes the network, trains, and writes down what came of it. */

import { resolve } from "node:path";
import { DepthwiseError } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { optionError } from "../core/options.ts";
import { visible } from "../core/visible.ts";
import type { Network } from "../layers/index.ts";
import { checkTrainable } from "../train/data/index.ts";
import {
  type Dataset,
  type EpochEvent,
  type EpochRecord,
  type FitResult,
  type FitRun,
  fit,
  type Recipe,
  type Schedule,
} from "../train/index.ts";
import { rateAt, withSteps } from "../train/schedules.ts";
import { saveModel } from "../weights/save-model.ts";
import { print, printAside } from "./print.ts";
import { duration, reportOf } from "./report.ts";
import { percent } from "./report-confusion.ts";
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
import { networkOf, networkPlan, networkWords } from "./training-network.ts";
import { type AskedFor, askedFor, type RunOptions, readRun, recipeFor, type TrainFlags } from "./training-options.ts";
import { version } from "./version.ts";

/** Of data that keep nothing apart themselves. */
const VALIDATION_SHARE = 0.1;
const EPOCHS = 10;
const BATCH = 32;
/** Of the curve of the rate. */
const RATE_POINTS = 400;

/** A run before its first step. */
interface TrainingRun {
  readonly places: RunPlaces;
  readonly model: Network;
  readonly train: Dataset;
  readonly validation: Dataset | undefined;
  readonly options: RunOptions;
  readonly sentences: readonly string[];
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
  const run = await prepared(data, asked, before?.recipe, flags, places);
  const { recipe, seed, backend, threads, simd } = run.options;
  // Which checks all of it; it begins when its events are asked for.
  const training = fit(run.model, run.train, {
    ...recipe,
    ...{ backend, threads, simd, seed, resume, signal },
    ...(run.validation === undefined ? {} : { validation: run.validation }),
    checkpoint: places.checkpoint,
  });
  signal.throwIfAborted();
  print([...run.sentences.map(visible), ""]);
  if (!resume) await beginRun(places, `${JSON.stringify(run.options, null, 2)}\n`);
  await trained(run, training, resume, signal);
}

async function prepared(
  paths: readonly string[],
  asked: AskedFor,
  before: Recipe | undefined,
  flags: TrainFlags,
  places: RunPlaces,
): Promise<TrainingRun> {
  const { seed = 1 } = asked;
  const opened = await openData(paths, flags.signal);
  const { train, validation, words } = await parted(opened, asked, seed, flags.signal);
  const plan = await networkPlan(opened.kind, train, asked);
  const model = networkOf(plan, train, seed);
  const facts = { resolution: plan.resolution, examples: train.size, mayFlip: opened.kind !== "idx" };
  const recipe = before ?? (await recipeFor(asked, facts));
  checkTrainable(train, recipe.batch ?? 1);
  const { backend = "auto", threads = "auto", simd = "auto" } = flags;
  const network = { ...plan, classes: train.classes.length };
  const options = {
    ...{ depthwise: version, data: paths, asked, network, validation: words, recipe },
    ...{ seed, backend, threads, simd },
  };
  const sentences = [opened.words, words, networkWords(model), recipeWords(asked.recipe ?? "fast", recipe, train.size)];
  return { places, model, train, validation, options, sentences };
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

function recipeWords(
  name: string,
  { epochs = EPOCHS, batch = BATCH, optimizer, schedule }: Recipe,
  examples: number,
): string {
  const updates = Math.ceil(examples / batch);
  const how = [
    `${epochs} ${epochs === 1 ? "epoch" : "epochs"} of ${grouped(updates)} ${updates === 1 ? "update" : "updates"}`,
    `${batch} pictures each`,
    ...(optimizer === undefined ? [] : [optimizer.type]),
    ...(schedule === undefined ? [] : [`rate ${schedule.type}${rateWords(schedule)}`]),
  ];
  return `recipe ${name}: ${how.join(", ")}`;
}

function rateWords(schedule: Schedule): string {
  if (schedule.type === "warmup") return ` to ${schedule.after.type}${rateWords(schedule.after)}`;
  return schedule.type === "oneCycle" ? ` up to ${schedule.peak}` : ` from ${schedule.rate}`;
}

async function trained(run: TrainingRun, training: FitRun, resume: boolean, signal: AbortSignal): Promise<void> {
  const { places, options } = run;
  const lines = new TrainingLines();
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
    await writeText(places.report, report(run, result.history, result));
    print(endWords(places, result));
  } catch (error) {
    lines.stop();
    if (!isKept) await forgetRun(places);
    if (!signal.aborted) throw error;
    if (history.length > 0) await writeText(places.report, report(run, history, undefined));
    printAside([visible(interruptedWords(places, isKept, history.length, options.recipe.epochs ?? EPOCHS))]);
    throw error;
  }
}

/** The line of an epoch in the history; `fit` gives the same in the end. */
function recordOf(event: EpochEvent): EpochRecord {
  const { type: _type, epochs: _epochs, seconds, imagesPerSecond, waitedForData, ...result } = event;
  return { ...result, time: { seconds, imagesPerSecond, waitedForData } };
}

function report(run: TrainingRun, history: readonly EpochRecord[], result: FitResult | undefined): string {
  const { options, model, train, sentences, places } = run;
  const { epochs = EPOCHS } = options.recipe;
  return reportOf({
    title: `${model.name}, trained in ${resolve(places.directory).split(/[\\/]/).at(-1)}`,
    sentences,
    history,
    epochs,
    best: result?.best ?? history.findLast(({ isBest }) => isBest)?.epoch,
    rates: ratesOf(options.recipe, train.size),
    confusion: result?.confusion,
    classes: train.classes,
    options: { ...options },
  });
}

/** The rate over the run, in epochs. */
function ratesOf({ epochs = EPOCHS, batch = BATCH, schedule }: Recipe, examples: number) {
  if (schedule === undefined) return [];
  const updates = Math.ceil(examples / batch);
  const total = epochs * updates;
  const whole = withSteps(schedule, total);
  const count = Math.min(total, RATE_POINTS);
  return Array.from({ length: count }, (_, index) => {
    const t = count === 1 ? 0 : Math.round((index * (total - 1)) / (count - 1));
    return { x: t / updates, y: rateAt(whole, t) };
  });
}

function endWords(places: RunPlaces, { history, best, stopped }: FitResult): readonly string[] {
  const seconds = history.reduce((sum, { time }) => sum + time.seconds, 0);
  const last = history.at(-1);
  const chosen = stopped === "early" ? history.find(({ epoch }) => epoch === best) : last;
  const { accuracy, top5 } = chosen?.validation ?? {};
  const said =
    accuracy === undefined
      ? `accuracy ${percent(chosen?.accuracy ?? 0)} in training`
      : `accuracy ${percent(accuracy)} on the validation data${top5 === undefined || top5 === 1 ? "" : `, ${percent(top5)} among the first five`}`;
  return [
    "",
    ...(stopped === "early"
      ? [`It stopped early: nothing was better than epoch ${best}, whose weights were taken.`]
      : []),
    `${said}, in ${duration(seconds)}`,
    visible(`${places.model} holds the network, ${places.report} how it went. Try it:`),
    `  depthwise classify --weights ${quotedPath(places.model)} PICTURE`,
  ];
}

function interruptedWords(places: RunPlaces, isKept: boolean, done: number, epochs: number): string {
  const how = `depthwise train --resume --out ${quotedPath(places.directory)}`;
  if (!isKept) return "depthwise: interrupted before the first checkpoint; nothing was learnt yet";
  return `depthwise: interrupted after ${done} of ${epochs} epochs; go on with: ${how}`;
}

/** A path as a shell takes it. */
function quotedPath(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
