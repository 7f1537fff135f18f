/**
 * The learning rate of each update, by a schedule. Powers and cosines are the library's own, so that a rate has the same
 * bits on every engine.
 */

import { cosineOfHalfTurns } from "../core/cosine.ts";
import { optionError, positiveInteger } from "../core/options.ts";
import { powerOf } from "../core/power.ts";
import type { CosineSchedule, LinearSchedule, OneCycleSchedule, Schedule } from "./schedules.ts";

/** The same schedule for a run of so many updates, where it does not say `steps` itself. */
export function withSteps(schedule: Schedule, steps: number): Schedule {
  switch (schedule.type) {
    case "warmup":
      // A run may end within its warm-up.
      return { ...schedule, after: withSteps(schedule.after, Math.max(1, steps - schedule.steps)) };
    case "cosine":
    case "linear":
    case "oneCycle":
      return schedule.steps === undefined
        ? { ...schedule, steps: positiveInteger("withSteps", "steps", steps) }
        : schedule;
    default:
      return schedule;
  }
}

/**
 * The learning rate of update `t`, counted from 0.
 *
 * @param schedule checked
 * @throws {DepthwiseError} `OPTION_INVALID` if it does not say its `steps`
 */
export function rateAt(schedule: Schedule, t: number): number {
  switch (schedule.type) {
    case "constant":
      return schedule.rate;
    case "step":
      return schedule.rate * powerOf(schedule.factor, Math.floor(t / schedule.every));
    case "exponential": {
      const turns = t / schedule.decaySteps;
      return schedule.rate * powerOf(schedule.factor, schedule.staircase ? Math.floor(turns) : turns);
    }
    case "cosine": {
      const steps = stepsOf(schedule);
      return between(schedule.minimum, schedule.rate, Math.min(t, steps) / steps);
    }
    case "linear": {
      const steps = stepsOf(schedule);
      const done = Math.min(t, steps) / steps;
      return schedule.rate * (1 - done) + schedule.end * done;
    }
    case "warmup": {
      const { steps, after } = schedule;
      return t < steps ? (rateAt(after, 0) / steps) * (t + 1) : rateAt(after, t - steps);
    }
    case "oneCycle": {
      const { peak, pctStart, divFactor, finalDivFactor } = schedule;
      const last = stepsOf(schedule) - 1;
      const up = pctStart * (last + 1) - 1;
      const start = peak / divFactor;
      if (t < up) return between(peak, start, t / up);
      return between(start / finalDivFactor, peak, (Math.min(t, last) - up) / (last - up));
    }
  }
}

/** The highest rate that a schedule names. */
export function highestRate(schedule: Schedule): number {
  switch (schedule.type) {
    case "oneCycle":
      return schedule.peak;
    case "linear":
      return Math.max(schedule.rate, schedule.end);
    case "warmup":
      return highestRate(schedule.after);
    case "cosine":
      return Math.max(schedule.rate, schedule.minimum);
    default:
      return schedule.rate;
  }
}

/** Half a cosine from `high` (done = 0) to `low`: (1 + cos πx) / 2 is cos² of half the angle, and exact at both ends. */
function between(low: number, high: number, done: number): number {
  const half = cosineOfHalfTurns(done / 2);
  const share = half * half;
  return low * (1 - share) + high * share;
}

function stepsOf(schedule: CosineSchedule | LinearSchedule | OneCycleSchedule): number {
  if (schedule.steps !== undefined) return schedule.steps;
  const advice = "fit knows how many updates a run has, and fills them in; elsewhere say steps.";
  throw optionError(schedule.type, "steps", "a positive integer", undefined, advice);
}
