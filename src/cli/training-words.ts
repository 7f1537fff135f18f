/** What is said of a run: before it, at its end, when it is broken off. */

import { shownAddress } from "../core/address.ts";
import { log } from "../core/elementary.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { visible } from "../core/visible.ts";
import { DEFAULT_BATCH, DEFAULT_EPOCHS } from "../train/defaults.ts";
import type { Dataset, EpochRecord, FitResult, Recipe, Schedule } from "../train/index.ts";
import { duration, lossText } from "./report.ts";
import { percent } from "./report-confusion.ts";
import type { RunPlaces } from "./training-files.ts";
import type { TrainingOptions } from "./training-options.ts";

/** What `fit` takes where a recipe says nothing. */
export function withDefaults(recipe: Recipe, examples: number): Recipe & Required<Pick<Recipe, "epochs" | "batch">> {
  return { epochs: DEFAULT_EPOCHS, batch: Math.min(DEFAULT_BATCH, examples), ...recipe };
}

/** Epochs of the whole run: of fine-tuning those of the head too. */
export function allEpochs({
  recipe: { epochs = DEFAULT_EPOCHS },
  frozenEpochs = 0,
}: Pick<TrainingOptions, "recipe" | "frozenEpochs">): number {
  return epochs + frozenEpochs;
}

export function recipeWords(name: string, recipe: Recipe, examples: number): string {
  const { epochs, batch, optimizer, schedule } = withDefaults(recipe, examples);
  const updates = Math.ceil(examples / batch);
  const how = [
    `${epochs} ${epochs === 1 ? "epoch" : "epochs"} of ${grouped(updates)} ${updates === 1 ? "update" : "updates"}`,
    `${batch} pictures each`,
    ...(optimizer === undefined ? [] : [optimizer.type]),
    ...(schedule === undefined ? [] : [`rate ${schedule.type}${rateWords(schedule)}`]),
  ];
  return `recipe ${name}: ${how.join(", ")}`;
}

/** So many teach a network little. */
const FEW_UPDATES = 50;

export function fewUpdatesWords(recipe: Recipe, examples: number): readonly string[] {
  const { epochs, batch } = withDefaults(recipe, examples);
  const updates = epochs * Math.ceil(examples / batch);
  if (updates >= FEW_UPDATES) return [];
  const count = updates === 1 ? "1 update in all teaches" : `${updates} updates in all teach`;
  return [`${count} little: a smaller --batch makes more of them, and so do more --epochs`];
}

function rateWords(schedule: Schedule): string {
  if (schedule.type === "warmup") return ` to ${schedule.after.type}${rateWords(schedule.after)}`;
  return schedule.type === "oneCycle" ? ` up to ${schedule.peak}` : ` from ${schedule.rate}`;
}

/** What becomes of weights that were trained on other classes. */
export function tuningWords(from: string, { classes }: Dataset, frozenEpochs: number): string {
  const epochs = frozenEpochs === 1 ? "for 1 epoch" : `for ${frozenEpochs} epochs`;
  return `from ${shownAddress(from)}, with a new classifier of ${grouped(classes.length)} classes, which learns alone ${epochs} before the rest, at twice the highest rate`;
}

/** The epoch whose weights a run gives: with patience the best, whether it ran out or not. */
export function takenEpoch(
  history: readonly EpochRecord[],
  patience: number | undefined,
  best: number | undefined,
): EpochRecord | undefined {
  return (patience === undefined ? undefined : history.find(({ epoch }) => epoch === best)) ?? history.at(-1);
}

export function endWords(
  places: RunPlaces,
  classes: number,
  { patience }: Pick<Recipe, "patience">,
  { history, best, stopped }: FitResult,
): readonly string[] {
  const seconds = history.reduce((sum, { time }) => sum + time.seconds, 0);
  const chosen = takenEpoch(history, patience, best);
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
    ...betterWords(history, chosen),
    ...divergedWords(Math.max(chosen?.loss ?? 0, chosen?.validation?.loss ?? 0), classes),
    visible(`${places.model} holds the network, ${places.report} how it went. Try it:`),
    `  depthwise classify --weights ${quotedPath(places.model)} PICTURE`,
  ];
}

/** Where an epoch before was better, which no one would look for among the stars. */
function betterWords(history: readonly EpochRecord[], taken: EpochRecord | undefined): readonly string[] {
  const best = history.findLast(({ isBest }) => isBest);
  const before = best?.validation?.accuracy;
  const now = taken?.validation?.accuracy;
  if (best === undefined || before === undefined || now === undefined || before <= now) return [];
  return [
    `Epoch ${best.epoch} was better (${percent(before)}): "patience" in a file for --recipe takes the weights of the best one.`,
  ];
}

/** Times the loss of guessing: sure of what is wrong a network may be, but not as sure as that. */
const DIVERGED = 10;

/** Of a loss far above that of a network that holds all classes for equally likely. */
function divergedWords(loss: number, classes: number): readonly string[] {
  const guessing = log(Math.max(2, classes));
  if (loss <= DIVERGED * guessing) return [];
  return [
    `The loss, ${lossText(loss)}, is far above that of guessing, ${lossText(guessing)} (ln ${classes}): the run has come to nothing. Train again with a lower --rate and another --out.`,
  ];
}

/**
 * What to do about numbers that are none, in the words of the command line.
 *
 * @param error of the run; any other stays as it is
 */
export function inOwnWords(error: unknown): unknown {
  if (!isDepthwiseError(error) || error.code !== "VALUES_NOT_FINITE") return error;
  return new DepthwiseError("VALUES_NOT_FINITE", {
    what: error.message,
    advice: "On the command line: a lower --rate and another --out, or clipNorm in a file for --recipe.",
    fields: error.fields,
    cause: error,
  });
}

/** @param paths data that the run went on with; none: those that it began with */
export function interruptedWords(
  places: RunPlaces,
  paths: readonly string[],
  isKept: boolean,
  done: number,
  epochs: number,
): string {
  const how = ["depthwise train", ...paths.map(quotedPath), `--resume --out ${quotedPath(places.directory)}`].join(" ");
  if (!isKept) return "depthwise: interrupted before the first checkpoint; nothing was learnt yet";
  return `depthwise: interrupted in epoch ${Math.min(done + 1, epochs)} of ${epochs}; go on: ${how}`;
}

/** A path as a shell takes it. */
function quotedPath(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
