/** The report of a run, from what it was and what came of it. */

import { resolve } from "node:path";
import type { Network } from "../layers/index.ts";
import type { Dataset, EpochRecord, FitResult } from "../train/index.ts";
import { highestRate, rateAt, withSteps } from "../train/rates.ts";
import { checkSchedule } from "../train/schedules.ts";
import { reportOf } from "./report.ts";
import type { RunPlaces } from "./training-files.ts";
import type { TrainingOptions } from "./training-options.ts";
import { allEpochs, takenEpoch, withDefaults } from "./training-words.ts";

/** Of the curve of the rate. */
const RATE_POINTS = 400;

export interface ReportedRun {
  readonly places: RunPlaces;
  readonly model: Network;
  readonly train: Dataset;
  readonly options: TrainingOptions;
  readonly sentences: readonly string[];
}

/** @param result none of a run that was broken off */
export function runReport(run: ReportedRun, history: readonly EpochRecord[], result: FitResult | undefined): string {
  const { options, model, train, sentences, places } = run;
  const best = result?.best ?? history.findLast(({ isBest }) => isBest)?.epoch;
  return reportOf({
    title: `${model.name}, trained in ${resolve(places.directory).split(/[\\/]/).at(-1)}`,
    sentences,
    history,
    epochs: allEpochs(options),
    best,
    taken: takenEpoch(history, options.recipe.patience, best),
    rates: ratesOf(options, train.size),
    confusion: result?.confusion,
    classes: train.classes,
    options: { ...options },
  });
}

/** The rate over the run, in epochs. While a new head learns alone it is twice the highest, as `fineTune` has it. */
export function ratesOf({ recipe, frozenEpochs = 0 }: TrainingOptions, examples: number) {
  const { epochs, batch, schedule: given } = withDefaults(recipe, examples);
  if (given === undefined) return [];
  // A recipe of a file may leave out what a schedule may leave out.
  const schedule = checkSchedule("report", given);
  const updates = Math.ceil(examples / batch);
  const total = epochs * updates;
  const whole = withSteps(schedule, total);
  const count = Math.min(total, RATE_POINTS);
  const points = Array.from({ length: count }, (_, index) => {
    const t = count === 1 ? 0 : Math.round((index * (total - 1)) / (count - 1));
    return { x: frozenEpochs + t / updates, y: rateAt(whole, t) };
  });
  if (frozenEpochs === 0) return points;
  const highest = 2 * highestRate(schedule);
  return [{ x: 0, y: highest }, { x: frozenEpochs, y: highest }, ...points];
}
