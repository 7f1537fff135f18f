/** How a network is trained: the options of a trainer, checked. */

import { BACKENDS, type BackendName, checkThreads, type Simd } from "../backends/choose-backend.ts";
import type { WorkerFactory } from "../backends/wasm/own-worker.ts";
import { checkSeed } from "../core/counted.ts";
import { DepthwiseError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import {
  belowOne,
  checkKnownOptions,
  isListOf,
  isString,
  oneOf,
  optionError,
  positiveInteger,
  positiveNumber,
  signalOption,
} from "../core/options.ts";
import type { Network } from "../layers/network.ts";
import type { ParameterInfo } from "../layers/parameter-info.ts";
import type { Norm } from "../operations/training-call.ts";
import { DEFAULT_BATCH } from "./defaults.ts";
import { checkOptimizer, type Optimizer, sgd } from "./optimizers.ts";
import { checkSchedule, constant, type Schedule } from "./schedules.ts";
import { checkDecayNames, type DecayOverride, decayOf } from "./weight-decay.ts";

/** Of batch norm in training. */
export interface BatchNormOptions {
  /** New moving statistics are momentum · moving + (1 − momentum) · batch, as Keras says it. Default 0.9. */
  readonly momentum?: number;
  /**
   * Which variance of the batch goes into the moving one: `biased`, divided by the pixels n, as Keras 3 does; `unbiased`,
   * by n − 1, as PyTorch does. The batch itself is normalised by the biased one. Default `biased`.
   */
  readonly variance?: Norm["variance"];
  /**
   * Which batch norms normalise by the batch. Default those whose gamma or beta is trained; `frozen` none: all use their
   * moving statistics, and none of these changes.
   */
  readonly mode?: "auto" | "frozen";
}

/** How a trainer is made. What is left out has the default that stands beside it. */
export interface TrainerOptions {
  /** Most examples of a step. Default 32. */
  readonly batch?: number;
  /** Default `sgd({ momentum: 0.9 })`; of `sgd`, `rmsprop`, `adam`, `adamw`, or such data from a recipe. */
  readonly optimizer?: Optimizer;
  /** The learning rate of each update. Default a constant one: 0.01 of sgd, 0.045 of the paper's RMSprop, else 0.001. */
  readonly schedule?: Schedule;
  /** Default `auto`: `wasm` where it can run, else `reference`, plain loops. */
  readonly backend?: BackendName;
  /** Which SIMD the wasm backend emits, as `compile` takes it. Default `auto`. With `plain` the bits are the same on every engine. */
  readonly simd?: Simd;
  /** Threads: 1, 2, 4 or 8; other numbers count as the next smaller one of these. The bits are the same. Default 1. */
  readonly threads?: number | "auto";
  /** Makes the workers of threads, where a bundler moved their script. */
  readonly worker?: WorkerFactory;
  /** All gradients together are scaled down to this L2 norm, where theirs is larger. Default never. */
  readonly clipNorm?: number;
  /** A batch is computed in so many parts, one after the other, of `batch / accumulate` examples. Default 1. */
  readonly accumulate?: number;
  /** Keeps a moving average of the parameters: average = d · average + (1 − d) · parameter. Default none is kept. */
  readonly averageDecay?: number;
  /** A target t becomes t · (1 − s) + s / classes. Default 0. */
  readonly labelSmoothing?: number;
  /** The parameters that change: names, or a function of each. Default all that are trainable. */
  readonly train?: readonly string[] | ((parameter: ParameterInfo) => boolean);
  /** How batch norms are measured. */
  readonly batchNorm?: BatchNormOptions;
  /** The weight decay of a parameter in place of the optimizer's; undefined for that. */
  readonly decay?: DecayOverride;
  /** The learning rate of a parameter is that of the schedule times this. Default 1. */
  readonly rateFactor?: (parameter: ParameterInfo) => number;
  /** Counts what is random in training: dropout. A safe integer of at least 0. Default 1. */
  readonly seed?: number;
  /** Ends the making. */
  readonly signal?: AbortSignal;
}

export const TRAINER_OPTIONS: readonly string[] = [
  ...["batch", "optimizer", "schedule", "backend", "simd", "threads", "worker", "clipNorm", "accumulate"],
  ...["averageDecay", "labelSmoothing", "train", "batchNorm", "decay", "rateFactor", "seed", "signal"],
];

export interface CheckedTrainerOptions {
  readonly batch: number;
  readonly accumulate: number;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly backend: BackendName;
  readonly simd: Simd;
  readonly threads: number | "auto";
  readonly worker: WorkerFactory | undefined;
  readonly clipNorm: number | undefined;
  readonly averageDecay: number | undefined;
  readonly labelSmoothing: number;
  readonly momentum: number;
  readonly variance: Norm["variance"];
  readonly isFrozen: boolean;
  readonly trains: (parameter: ParameterInfo) => boolean;
  readonly decay: (parameter: ParameterInfo) => number;
  readonly rateFactor: (parameter: ParameterInfo) => number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws {DepthwiseError} `OPTION_INVALID`; `NAME_UNKNOWN` for a parameter that the network does not have */
export function checkTrainerOptions(
  owner: string,
  { parameterInfo }: Pick<Network, "parameterInfo">,
  options: TrainerOptions,
): CheckedTrainerOptions {
  checkKnownOptions(owner, options, TRAINER_OPTIONS);
  const signal = signalOption(owner, options.signal);
  signal?.throwIfAborted();
  const { worker, threads = 1, seed = 1, rateFactor = () => 1 } = options;
  checkThreads(owner, threads);
  if (worker !== undefined && typeof worker !== "function") {
    throw optionError(owner, "worker", "a function that makes a Worker of depthwise/worker", worker);
  }
  if (typeof rateFactor !== "function") throw optionError(owner, "rateFactor", "a function of a parameter", rateFactor);
  if (options.decay !== undefined && typeof options.decay !== "function") {
    throw optionError(owner, "decay", "a function of a parameter", options.decay);
  }
  const optimizer = options.optimizer === undefined ? sgd({ momentum: 0.9 }) : checkOptimizer(owner, options.optimizer);
  checkDecayNames(owner, optimizer, [...parameterInfo.values()]);
  const batch = positiveInteger(owner, "batch", options.batch ?? DEFAULT_BATCH);
  const accumulate = positiveInteger(owner, "accumulate", options.accumulate ?? 1);
  if (accumulate > batch) throw optionError(owner, "accumulate", `at most ${batch}, the batch`, accumulate);
  const norm = options.batchNorm ?? {};
  checkKnownOptions(`${owner}: batchNorm`, norm, ["momentum", "variance", "mode"]);
  const factorOf = (parameter: ParameterInfo): number => {
    const factor: unknown = rateFactor(parameter);
    if (typeof factor === "number" && Number.isFinite(factor) && factor >= 0) return factor;
    throw optionError(owner, `rateFactor of ${parameter.name}`, "a finite number of at least 0", factor);
  };
  return {
    batch,
    accumulate,
    optimizer,
    schedule:
      options.schedule === undefined
        ? constant({ rate: usualRate(optimizer) })
        : checkSchedule(owner, options.schedule),
    backend: oneOf(owner, "backend", options.backend ?? "auto", ["auto", ...BACKENDS]),
    simd: oneOf(owner, "simd", options.simd ?? "auto", ["auto", "relaxed", "plain", "wide"] as const),
    threads,
    worker,
    clipNorm: options.clipNorm === undefined ? undefined : positiveNumber(owner, "clipNorm", options.clipNorm),
    averageDecay:
      options.averageDecay === undefined ? undefined : belowOne(owner, "averageDecay", options.averageDecay),
    labelSmoothing: belowOne(owner, "labelSmoothing", options.labelSmoothing ?? 0),
    momentum: belowOne(owner, "batchNorm.momentum", norm.momentum ?? 0.9),
    variance: oneOf(owner, "batchNorm.variance", norm.variance ?? "biased", ["biased", "unbiased"] as const),
    isFrozen: oneOf(owner, "batchNorm.mode", norm.mode ?? "auto", ["auto", "frozen"] as const) === "frozen",
    trains: trainedBy(owner, parameterInfo, options.train),
    decay: (parameter) => decayOf(optimizer, parameter, options.decay),
    rateFactor: factorOf,
    seed: checkSeed(owner, seed),
    signal,
  };
}

function usualRate(optimizer: Optimizer): number {
  if (optimizer.type === "sgd") return 0.01;
  return optimizer.type === "rmsprop" && optimizer.epsilon === 1 ? 0.045 : 0.001;
}

function trainedBy(
  owner: string,
  parameterInfo: Network["parameterInfo"],
  train: TrainerOptions["train"],
): CheckedTrainerOptions["trains"] {
  if (train === undefined) return ({ trainable }) => trainable;
  if (typeof train === "function") return (parameter) => parameter.trainable && train(parameter) === true;
  if (!isListOf(train, isString)) {
    throw optionError(owner, "train", "names of parameters, or a function of a parameter", train);
  }
  for (const name of train) {
    const info = parameterInfo.get(name);
    if (info?.trainable === true) continue;
    throw new DepthwiseError("NAME_UNKNOWN", {
      what: `${owner}: train`,
      expected: "names of parameters that can be trained",
      found: `"${name}"`,
      advice:
        info === undefined
          ? didYouMean(name, parameterInfo.keys()) ||
            "Names are those of the network's parameters, such as conv1/kernel."
          : "Moving statistics are measured, not trained.",
    });
  }
  const names = new Set(train);
  return ({ name }) => names.has(name);
}
