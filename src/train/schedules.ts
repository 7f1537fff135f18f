/** Schedules of the learning rate: plain data, which a recipe holds as JSON. In the formulas t counts updates from 0. */

import { DepthwiseError } from "../core/errors.ts";
import {
  belowOne,
  booleanOption,
  checkKnownOptions,
  oneOf,
  optionError,
  positiveInteger,
  positiveNumber,
} from "../core/options.ts";

/** rate. */
export interface ConstantSchedule {
  readonly type: "constant";
  readonly rate: number;
}

/** rate · factor^⌊t / every⌋. */
export interface StepSchedule {
  readonly type: "step";
  readonly rate: number;
  readonly factor: number;
  /** Updates. */
  readonly every: number;
}

/** rate · factor^(t / decaySteps); `staircase` rounds the exponent down. */
export interface ExponentialSchedule {
  readonly type: "exponential";
  readonly rate: number;
  readonly factor: number;
  /** Updates. */
  readonly decaySteps: number;
  readonly staircase: boolean;
}

/** minimum + (rate − minimum) · (1 + cos(π · min(t, steps) / steps)) / 2. */
export interface CosineSchedule {
  readonly type: "cosine";
  readonly rate: number;
  /** Updates; left out, those of the run (`withSteps`). */
  readonly steps?: number;
  readonly minimum: number;
}

/** From `rate` to `end` in a straight line over `steps`, then `end`. */
export interface LinearSchedule {
  readonly type: "linear";
  readonly rate: number;
  readonly end: number;
  /** Updates; left out, those of the run. */
  readonly steps?: number;
}

/** after(0) · (t + 1) / steps while t < steps, then after(t − steps). */
export interface WarmUpSchedule {
  readonly type: "warmup";
  /** Updates. */
  readonly steps: number;
  readonly after: Schedule;
}

/**
 * Up to `peak` along half a cosine, and down again, almost to 0:
 *
 *     start = peak / divFactor     end = start / finalDivFactor     up = pctStart · steps − 1     last = steps − 1
 *     t < up:  start + (peak − start) · (1 − cos(π · t / up)) / 2
 *     else     end + (peak − end) · (1 + cos(π · (min(t, last) − up) / (last − up))) / 2
 */
export interface OneCycleSchedule {
  readonly type: "oneCycle";
  readonly peak: number;
  /** Updates; left out, those of the run. */
  readonly steps?: number;
  /** The share, not per cent, of the updates on the way up. */
  readonly pctStart: number;
  readonly divFactor: number;
  readonly finalDivFactor: number;
}

/** The learning rate of each update as plain data. */
export type Schedule =
  | ConstantSchedule
  | StepSchedule
  | ExponentialSchedule
  | CosineSchedule
  | LinearSchedule
  | WarmUpSchedule
  | OneCycleSchedule;

type ScheduleType = Schedule["type"];
type Given = Readonly<Record<string, unknown>>;

/** Warm-ups within warm-ups: one has a use, and a file may hold any number. */
const MOST_LEVELS = 4;

const KEYS = {
  constant: ["rate"],
  step: ["rate", "factor", "every"],
  exponential: ["rate", "factor", "decaySteps", "staircase"],
  cosine: ["rate", "steps", "minimum"],
  linear: ["rate", "end", "steps"],
  warmup: ["steps", "after"],
  oneCycle: ["peak", "steps", "pctStart", "divFactor", "finalDivFactor"],
} as const satisfies Record<ScheduleType, readonly string[]>;

/**
 * The same rate all the time.
 *
 * @param options `rate` above 0
 * @throws {DepthwiseError} `OPTION_INVALID`, as all schedules do for numbers that make none
 */
export function constant(options: Pick<ConstantSchedule, "rate">): ConstantSchedule {
  return made("constant", options);
}

/**
 * The rate is multiplied by a factor every so many updates: rate · factor^⌊t / every⌋.
 *
 * @param options `rate`; `factor`, default 0.1; `every`, in updates
 */
export function step(options: Pick<StepSchedule, "rate" | "every"> & Partial<StepSchedule>): StepSchedule {
  return made("step", options);
}

/**
 * rate · factor^(t / decaySteps). The MobileNet paper's networks were trained with TF-slim's `rate: 0.045, factor: 0.94,
 * staircase: true` and the updates of so many epochs.
 *
 * @param options `rate`, `factor`; `decaySteps`, in updates, default 1; `staircase`, default false
 */
export function exponential(
  options: Pick<ExponentialSchedule, "rate" | "factor"> & Partial<ExponentialSchedule>,
): ExponentialSchedule {
  return made("exponential", options);
}

/**
 * Half a cosine from `rate` to `minimum`, which then stays. Source: Loshchilov and Hutter 2017, equation 5, without
 * restarts.
 *
 * @param options `rate`; `minimum`, default 0; `steps`, in updates, default those of the run, which `fit` knows
 */
export function cosine(options: Pick<CosineSchedule, "rate"> & Partial<CosineSchedule>): CosineSchedule {
  return made("cosine", options);
}

/**
 * A straight line from `rate` to `end`, which then stays.
 *
 * @param options `rate`; `end`, default 0; `steps`, in updates, default those of the run, which `fit` knows
 */
export function linear(options: Pick<LinearSchedule, "rate"> & Partial<LinearSchedule>): LinearSchedule {
  return made("linear", options);
}

/**
 * A straight line up to the first rate of another schedule, which then begins: after(0) · (t + 1) / steps.
 *
 * @param options `steps`, in updates; `after`, a schedule
 */
export function warmUp(options: Pick<WarmUpSchedule, "steps" | "after">): WarmUpSchedule {
  return made("warmup", options);
}

/**
 * One cycle: from peak / divFactor up to `peak`, then down to peak / divFactor / finalDivFactor, both along half a cosine.
 * Formula and defaults are those of PyTorch's `OneCycleLR` (see `OneCycleSchedule`); fastai's `fit_one_cycle` is
 * `pctStart: 0.25, finalDivFactor: 4000`. Momentum stays as the optimizer has it. Source: Smith and Topin 2018.
 *
 * @param options `peak`; `steps`, in updates, default those of the run, which `fit` knows; `pctStart`, the share of them
 *                on the way up, default 0.3; `divFactor`, default 25; `finalDivFactor`, default 10,000
 */
export function oneCycle(options: Pick<OneCycleSchedule, "peak"> & Partial<OneCycleSchedule>): OneCycleSchedule {
  return made("oneCycle", options);
}

/**
 * A schedule of unknown origin, such as JSON: a complete copy, or an error.
 *
 * @param owner  what the error names
 * @param option default `schedule`
 * @throws {DepthwiseError} `OPTION_INVALID` for an unknown type or key, a number out of range, or warm-ups nested deeper
 *         than four levels
 */
export function checkSchedule(owner: string, value: unknown, option = "schedule"): Schedule {
  return checked(owner, option, value, MOST_LEVELS);
}

/** Where a number was passed, as other libraries take it. */
const CALLED_WITH = {
  constant: "{ rate: 0.1 }",
  step: "{ rate: 0.1, every: 1000 }",
  exponential: "{ rate: 0.1, factor: 0.94 }",
  cosine: "{ rate: 0.1 }",
  linear: "{ rate: 0.1 }",
  warmup: "{ steps: 500, after: cosine({ rate: 0.1 }) }",
  oneCycle: "{ peak: 0.1 }",
} as const satisfies Record<ScheduleType, string>;

function made<T extends ScheduleType>(type: T, options: object): Extract<Schedule, { readonly type: T }> {
  const owner = type === "warmup" ? "warmUp" : type;
  if (typeof options !== "object" || options === null) {
    throw optionError(owner, "options", "an object", options, `Call it as ${owner}(${CALLED_WITH[type]}).`);
  }
  checkKnownOptions(owner, options, KEYS[type]);
  return complete(owner, "", type, options as Given, MOST_LEVELS) as Extract<Schedule, { readonly type: T }>;
}

function checked(owner: string, option: string, value: unknown, levels: number): Schedule {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const advice = 'Such as { "type": "constant", "rate": 0.1 }.';
    throw optionError(owner, option, "a schedule, an object with a type", value, advice);
  }
  if (levels === 0) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: `${owner}: ${option}`,
      expected: `warm-ups nested at most ${MOST_LEVELS - 1} deep`,
      found: "deeper ones",
      fields: { owner, option },
    });
  }
  const given = value as Given;
  const type = oneOf(owner, `${option}.type`, given["type"], Object.keys(KEYS) as ScheduleType[]);
  checkKnownOptions(`${owner}: ${option} of type "${type}"`, given, ["type", ...KEYS[type]]);
  return complete(owner, `${option}.`, type, given, levels);
}

function complete(owner: string, prefix: string, type: ScheduleType, given: Given, levels: number): Schedule {
  const or = (key: string, standard: unknown) => {
    const value = given[key];
    return value === undefined ? standard : value;
  };
  const positive = (key: string, standard?: number) => positiveNumber(owner, prefix + key, or(key, standard));
  const updates = (key: string, standard?: number) => positiveInteger(owner, prefix + key, or(key, standard));
  // A rate in which something ends may be 0.
  const last = (key: string) => notNegative(owner, prefix + key, or(key, 0));
  const steps = () => (given["steps"] === undefined ? {} : { steps: updates("steps") });
  switch (type) {
    case "constant":
      return { type, rate: positive("rate") };
    case "step":
      return { type, rate: positive("rate"), factor: positive("factor", 0.1), every: updates("every") };
    case "exponential": {
      const staircase = booleanOption(owner, `${prefix}staircase`, or("staircase", false));
      return {
        type,
        rate: positive("rate"),
        factor: positive("factor"),
        decaySteps: updates("decaySteps", 1),
        staircase,
      };
    }
    case "cosine":
      return { type, rate: positive("rate"), ...steps(), minimum: last("minimum") };
    case "linear":
      return { type, rate: positive("rate"), end: last("end"), ...steps() };
    case "warmup":
      return { type, steps: updates("steps"), after: checked(owner, `${prefix}after`, given["after"], levels - 1) };
    case "oneCycle": {
      const pctStart = belowOne(owner, `${prefix}pctStart`, or("pctStart", 0.3));
      const divFactor = positive("divFactor", 25);
      return {
        type,
        peak: positive("peak"),
        ...steps(),
        pctStart,
        divFactor,
        finalDivFactor: positive("finalDivFactor", 1e4),
      };
    }
  }
}

function notNegative(owner: string, option: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw optionError(owner, option, "a finite number of at least 0", value);
}
