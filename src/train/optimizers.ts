/**
 * Optimizers: plain data, which a recipe holds as JSON. The formulas stand in `operations/update-call.ts`.
 *
 * Weight decay is of parameter groups. Data without `decayOnly` decay every parameter, as such data do elsewhere; the
 * functions here write `decayOnly: "matrices"` unless told otherwise: the kernels of convolutions and dense layers, and
 * neither depthwise kernels, which have few parameters (Howard et al. 2017, §3.2), nor batch norm and biases.
 */

import { booleanOption, checkKnownOptions, oneOf, optionError, positiveNumber, stringsOf } from "../core/options.ts";
import type { AdamRule, RmspropRule, SgdRule, UpdateRule } from "../operations/update-call.ts";

/**
 * Which parameters decay: all of them, which is the meaning of none given; `"matrices"`, the kernels that are not
 * depthwise; or those of these names (`conv_pw_1/kernel`).
 */
export type DecayGroup = "all" | "matrices" | readonly string[];

interface Decay {
  /** Above 0; absent for none. */
  readonly weightDecay?: number;
  readonly decayOnly?: DecayGroup;
}

/** Stochastic gradient descent. With a constant rate or no momentum both forms agree, and `either` says so. */
export interface SgdOptimizer extends Omit<SgdRule, "form">, Decay {
  readonly form: "torch" | "keras" | "either";
}

/** RMSprop. Its weight decay is added to the gradient. */
export interface RmspropOptimizer extends RmspropRule, Decay {}

/** Adam, which has no weight decay: tools mean different things by it, and AdamW is one of them. */
export interface AdamOptimizer extends AdamRule {}

/** Adam with decoupled weight decay. */
export interface AdamwOptimizer extends Omit<AdamRule, "type">, Decay {
  readonly type: "adamw";
}

/** An optimizer as plain data, as `sgd`, `rmsprop`, `adam` and `adamw` give it. */
export type Optimizer = SgdOptimizer | RmspropOptimizer | AdamOptimizer | AdamwOptimizer;

/** Options of a function: all but the type may be left out. */
type OptimizerOptions<T> = Partial<Omit<T, "type">>;
type Given = Readonly<Record<string, unknown>>;

const DECAY_KEYS = ["weightDecay", "decayOnly"] as const;
const KEYS = {
  sgd: ["momentum", "nesterov", "form", ...DECAY_KEYS],
  rmsprop: ["decay", "momentum", "epsilon", "form", "initialAccumulator", ...DECAY_KEYS],
  adam: ["beta1", "beta2", "epsilon", "form"],
  adamw: ["beta1", "beta2", "epsilon", "form", ...DECAY_KEYS],
} as const satisfies Record<Optimizer["type"], readonly string[]>;

/** The numbers of RMSprop in each tool. */
const RMSPROP = {
  paper: { form: "tensorflow", decay: 0.9, momentum: 0.9, epsilon: 1, initialAccumulator: 1 },
  tensorflow: { form: "tensorflow", decay: 0.9, momentum: 0, epsilon: 1e-10, initialAccumulator: 1 },
  keras: { form: "tensorflow", decay: 0.9, momentum: 0, epsilon: 1e-7, initialAccumulator: 0 },
  torch: { form: "torch", decay: 0.99, momentum: 0, epsilon: 1e-8, initialAccumulator: 0 },
} as const;

const ADAM_EPSILON = { torch: 1e-8, keras: 1e-7 } as const;
const ADAMW_DECAY = { torch: 0.01, keras: 0.004 } as const;

/**
 * Stochastic gradient descent.
 *
 * @param options `momentum`, default 0; `nesterov`, default false; `form`, default `"torch"`, where the velocity is of
 *                gradients, so that a new rate counts at once; in `"keras"` it is of steps, each with the rate it was made
 *                at; `weightDecay`, default none, added to the gradient; `decayOnly`, default `"matrices"`
 * @throws {DepthwiseError} `OPTION_INVALID` for numbers out of range, and for Nesterov's without momentum
 */
export function sgd(options: OptimizerOptions<SgdOptimizer> = {}): SgdOptimizer {
  const decays = made("sgd", options);
  return { type: "sgd", ...sgdNumbers("sgd", "", options), ...decays };
}

/**
 * RMSprop, with the formula and the numbers of one tool.
 *
 * | form | formula | decay, momentum, epsilon, initialAccumulator |
 * |---|---|---|
 * | `"paper"` (default) | `tensorflow` | 0.9, 0.9, 1, 1: MobileNet's, as found in TF-slim |
 * | `"tensorflow"` | epsilon under the root, the rate in the velocity | 0.9, 0, 1e-10, 1: TensorFlow 1 |
 * | `"keras"` | `tensorflow` | 0.9, 0, 1e-7, 0 |
 * | `"torch"` | epsilon beside the root, the rate outside | 0.99, 0, 1e-8, 0 |
 *
 * @param options `form`; any of the numbers; `weightDecay`, default none, added to the gradient; `decayOnly`, default
 *                `"matrices"`
 * @throws {DepthwiseError} `OPTION_INVALID` for numbers out of range
 */
export function rmsprop(
  options: OptimizerOptions<Omit<RmspropOptimizer, "form">> & { readonly form?: keyof typeof RMSPROP } = {},
): RmspropOptimizer {
  const decays = made("rmsprop", options);
  const tool = oneOf("rmsprop", "form", options.form ?? "paper", Object.keys(RMSPROP) as (keyof typeof RMSPROP)[]);
  return { type: "rmsprop", ...rmspropNumbers("rmsprop", "", options, RMSPROP[tool]), ...decays };
}

/**
 * Adam.
 *
 * @param options `beta1`, default 0.9; `beta2`, default 0.999; `form`, default `"torch"`, epsilon beside the corrected
 *                root, 1e-8; or `"keras"`, beside the root as it is, 1e-7
 * @throws {DepthwiseError} `OPTION_INVALID` for numbers out of range, and for weight decay, which is `adamw`'s
 */
export function adam(options: OptimizerOptions<AdamOptimizer> = {}): AdamOptimizer {
  made("adam", options);
  return { type: "adam", ...adamNumbers("adam", "", options) };
}

/**
 * Adam with decoupled weight decay: w −= rate · weightDecay · w.
 *
 * @param options those of `adam`; `weightDecay`, default 0.01 in the form `"torch"`, 0.004 in `"keras"`; `decayOnly`,
 *                default `"matrices"`
 * @throws {DepthwiseError} `OPTION_INVALID` for numbers out of range
 */
export function adamw(options: OptimizerOptions<AdamwOptimizer> = {}): AdamwOptimizer {
  checkKnownOptions("adamw", options, KEYS.adamw);
  const numbers = adamNumbers("adamw", "", options);
  const { weightDecay = ADAMW_DECAY[numbers.form] } = options;
  return { type: "adamw", ...numbers, ...made("adamw", { ...options, weightDecay }) };
}

/**
 * An optimizer of unknown origin, such as JSON: a complete copy, or an error. What it does not say has the defaults of its
 * form; but `decayOnly`, left out, means all parameters.
 *
 * @param owner  what the error names
 * @param option default `optimizer`
 * @throws {DepthwiseError} `OPTION_INVALID` for an unknown type or key, or a number out of range
 */
export function checkOptimizer(owner: string, value: unknown, option = "optimizer"): Optimizer {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const advice = 'Such as { "type": "sgd", "momentum": 0.9 }.';
    throw optionError(owner, option, "an optimizer, an object with a type", value, advice);
  }
  const given = value as Given;
  const type = oneOf(owner, `${option}.type`, given["type"], Object.keys(KEYS) as Optimizer["type"][]);
  refuseDecayOfAdam(owner, type, given);
  checkKnownOptions(`${owner}: ${option} of type "${type}"`, given, ["type", ...KEYS[type]]);
  const prefix = `${option}.`;
  switch (type) {
    case "sgd":
      return { type, ...sgdNumbers(owner, prefix, given), ...decay(owner, prefix, given) };
    case "rmsprop": {
      const form = oneOf(owner, `${prefix}form`, given["form"] ?? "tensorflow", ["tensorflow", "torch"]);
      return { type, ...rmspropNumbers(owner, prefix, given, RMSPROP[form]), ...decay(owner, prefix, given) };
    }
    case "adam":
      return { type, ...adamNumbers(owner, prefix, given) };
    case "adamw":
      return { type, ...adamNumbers(owner, prefix, given), ...decay(owner, prefix, given) };
  }
}

/** The formula of an optimizer and its numbers, without weight decay, which is of each parameter (`decayOf`). */
export function ruleOf(optimizer: Optimizer): UpdateRule {
  switch (optimizer.type) {
    case "sgd": {
      const { type, momentum, nesterov, form } = optimizer;
      return { type, momentum, nesterov, form: form === "either" ? "torch" : form };
    }
    case "rmsprop": {
      const { type, decay, momentum, epsilon, form, initialAccumulator } = optimizer;
      return { type, decay, momentum, epsilon, form, initialAccumulator };
    }
    default: {
      const { beta1, beta2, epsilon, form } = optimizer;
      return { type: "adam", beta1, beta2, epsilon, form };
    }
  }
}

/** Checks the keys of a function's options, and completes its weight decay. */
function made(type: Optimizer["type"], options: object): Decay {
  const given = options as Given;
  refuseDecayOfAdam(type, type, given ?? {});
  checkKnownOptions(type, options, KEYS[type]);
  const { weightDecay, decayOnly = "matrices" } = decay(type, "", given);
  return weightDecay === undefined ? {} : { weightDecay, decayOnly };
}

function decay(owner: string, prefix: string, given: Given): Decay {
  const { weightDecay = 0, decayOnly } = given;
  const amount = notBelowZero(owner, `${prefix}weightDecay`, weightDecay);
  const group = decayOnly === undefined ? {} : { decayOnly: checkGroup(owner, `${prefix}decayOnly`, decayOnly) };
  return amount === 0 ? {} : { weightDecay: amount, ...group };
}

function checkGroup(owner: string, option: string, value: unknown): DecayGroup {
  if (value === "all" || value === "matrices") return value;
  return stringsOf(owner, option, value, '"all", "matrices", or an array of names of parameters');
}

/** Refuses weight decay of Adam, from whoever it comes. */
export function refuseDecayOfAdam(owner: string, type: Optimizer["type"], given: Given): void {
  if (type !== "adam" || given["weightDecay"] === undefined) return;
  const advice = "Use adamw, where it is w −= rate · weightDecay · w.";
  throw optionError(owner, "weightDecay", "none: adam has no weight decay", given["weightDecay"], advice);
}

function sgdNumbers(owner: string, prefix: string, given: Given) {
  const { momentum = 0, nesterov = false, form = "torch" } = given;
  const numbers = {
    momentum: share(owner, `${prefix}momentum`, momentum),
    nesterov: booleanOption(owner, `${prefix}nesterov`, nesterov),
    form: oneOf(owner, `${prefix}form`, form, ["torch", "keras", "either"]),
  };
  if (numbers.nesterov && numbers.momentum === 0) {
    throw optionError(owner, `${prefix}momentum`, "a number above 0, for nesterov", momentum, "0.9 is usual.");
  }
  return numbers;
}

function rmspropNumbers(owner: string, prefix: string, given: Given, standard: Omit<RmspropRule, "type">) {
  const { decay, momentum, epsilon, initialAccumulator } = { ...standard, ...defined(given) } as Given;
  return {
    decay: share(owner, `${prefix}decay`, decay),
    momentum: share(owner, `${prefix}momentum`, momentum),
    epsilon: epsilonOption(owner, `${prefix}epsilon`, epsilon),
    form: standard.form,
    initialAccumulator: notBelowZero(owner, `${prefix}initialAccumulator`, initialAccumulator),
  };
}

function adamNumbers(owner: string, prefix: string, given: Given) {
  const { beta1 = 0.9, beta2 = 0.999, form: tool = "torch" } = given;
  const form = oneOf(owner, `${prefix}form`, tool, ["torch", "keras"]);
  const { epsilon = ADAM_EPSILON[form] } = given;
  return {
    beta1: share(owner, `${prefix}beta1`, beta1),
    beta2: share(owner, `${prefix}beta2`, beta2),
    epsilon: epsilonOption(owner, `${prefix}epsilon`, epsilon),
    form,
  };
}

function defined(given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** At least 0 and, as a float32, below 1: what is kept of a state from step to step. */
function share(owner: string, option: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && Math.fround(value) < 1) return value;
  throw optionError(owner, option, "a number of at least 0 and, as a float32, below 1", value);
}

function epsilonOption(owner: string, option: string, value: unknown): number {
  const epsilon = positiveNumber(owner, option, value);
  if (Math.fround(epsilon) > 0 && Number.isFinite(Math.fround(epsilon))) return epsilon;
  throw optionError(owner, option, "a number that a float32 holds, above 0", value);
}

function notBelowZero(owner: string, option: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && Number.isFinite(Math.fround(value))) return value;
  throw optionError(owner, option, "a finite number of at least 0", value);
}
