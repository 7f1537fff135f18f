/**
 * Recipes: how a network is trained, as plain data, so that a recipe is a JSON file. Keys and values are those of `fit`.
 *
 * `paper`: what Howard et al. 2017, §3.2, say (RMSprop, little augmentation, no weight decay on depthwise kernels, no label
 * smoothing), with the numbers of TF-slim's `mobilenet_v1_train.py`: a rate of 0.045 at 64 pictures an update, times 0.94
 * every 2.5 epochs; weight decay 4e-5. For long runs on much data.
 *
 * `fast`: for few epochs on little time: SGD with Nesterov's momentum, one cycle of the rate (Smith and Topin 2018), label
 * smoothing, pictures flipped in every other epoch (Jordan 2024). No average of the weights: at the end of such a cycle
 * they hardly move, and averages were no better in two pairs of runs. In 10 epochs of α 0.25 the padded crop cost 0.7
 * points and label smoothing 0.5, in the mean of two seeds (bench/results/recipes-10-epochs-node24.md); both are kept for
 * longer runs, which were not compared yet.
 *
 * `tune`: for `fineTune`, of a network that knows pictures already: AdamW, one cycle up to 0.001, the augmentation of `fast`.
 */

import { checkKnownOptions, oneOf, positiveInteger } from "../core/options.ts";
import type { Augmentation } from "./data/augmentation.ts";
import { DEFAULT_EPOCHS, usualBatch } from "./defaults.ts";
import { adamw, type Optimizer, rmsprop, sgd } from "./optimizers.ts";
import { exponential, oneCycle, type Schedule } from "./schedules.ts";
import type { BatchNormOptions } from "./trainer-options.ts";

/** What a recipe may say; what it leaves out is `fit`'s default. */
export interface Recipe {
  readonly epochs?: number;
  readonly batch?: number;
  readonly optimizer?: Optimizer;
  readonly schedule?: Schedule;
  readonly augment?: Augmentation;
  readonly labelSmoothing?: number;
  readonly averageDecay?: number;
  readonly average?: boolean;
  readonly clipNorm?: number;
  readonly accumulate?: number;
  readonly patience?: number;
  readonly batchNorm?: BatchNormOptions;
}

/** All keys, written once; TypeScript checks that none is missing or invented. */
export const RECIPE_KEYS = /* @__PURE__ */ Object.keys({
  epochs: 1,
  batch: 1,
  optimizer: 1,
  schedule: 1,
  augment: 1,
  labelSmoothing: 1,
  averageDecay: 1,
  average: 1,
  clipNorm: 1,
  accumulate: 1,
  patience: 1,
  batchNorm: 1,
} satisfies Record<keyof Recipe, 1>) as readonly (keyof Recipe)[];

/** The names of the recipes. */
export const RECIPES = ["paper", "fast", "tune"] as const;

/** The name of a recipe. */
export type RecipeName = (typeof RECIPES)[number];

/** What a recipe has to know of the run. */
export interface RecipeOptions {
  /** Side of the network's input in pixels. */
  readonly resolution: number;
  /** Pictures in an epoch. */
  readonly examples: number;
  /** Default 10. */
  readonly epochs?: number;
  /** Pictures in an update. Default 64, of `tune` 32, of little data fewer: an eighth of it, and 8 or more. */
  readonly batch?: number;
  /** Whether left and right may be exchanged. Default true; false for letters and digits. */
  readonly mayFlip?: boolean;
}

const OWNER = "recipe";

/** Up to so many pixels a picture is shifted, not cropped: there is nothing to spare. */
const SMALL = 40;

/** Where none is given. Little data give few updates in an epoch, and tuning is done with little. */
const USUAL_BATCH = { paper: 64, fast: 64, tune: 32 } as const satisfies Record<RecipeName, number>;

/** For which the rates were found: they grow with the batch, in proportion (Goyal et al. 2017). */
const RATE_BATCH = { paper: 64, fast: 128 } as const;

/**
 * A recipe for a run: plain data, equal to itself through JSON. Pass it to `fit` among its options.
 *
 *     const { model } = await fit(network, data, recipe("fast", { resolution: 32, examples: data.size })).done;
 *
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
export function recipe(name: RecipeName, options: RecipeOptions): Recipe {
  oneOf(OWNER, "name", name, RECIPES);
  checkKnownOptions(OWNER, options, ["resolution", "examples", "epochs", "batch", "mayFlip"]);
  const resolution = positiveInteger(OWNER, "resolution", options.resolution);
  const examples = positiveInteger(OWNER, "examples", options.examples);
  const epochs = positiveInteger(OWNER, "epochs", options.epochs ?? DEFAULT_EPOCHS);
  const batch = positiveInteger(OWNER, "batch", options.batch ?? usualBatch(USUAL_BATCH[name], examples));
  const run = { resolution, epochs, batch, updates: Math.ceil(examples / batch), mayFlip: options.mayFlip ?? true };
  return MAKERS[name](run);
}

interface Run {
  readonly resolution: number;
  readonly epochs: number;
  readonly batch: number;
  /** In an epoch. */
  readonly updates: number;
  readonly mayFlip: boolean;
}

const MAKERS = { paper, fast, tune } as const satisfies Record<RecipeName, (run: Run) => Recipe>;

function paper({ resolution, epochs, batch, updates, mayFlip }: Run): Recipe {
  return {
    epochs,
    batch,
    optimizer: rmsprop({ form: "paper", weightDecay: 4e-5 }),
    schedule: exponential({
      rate: rounded((0.045 * batch) / RATE_BATCH.paper),
      factor: 0.94,
      decaySteps: Math.max(1, Math.round(2.5 * updates)),
      staircase: true,
    }),
    augment: {
      ...(resolution <= SMALL
        ? { paddedCrop: { padding: paddingOf(resolution, 16), fill: "reflect" } }
        : { randomResizedCrop: { area: [0.6, 1] } }),
      ...(mayFlip ? { flip: "random" } : {}),
    },
  };
}

function fast({ resolution, epochs, batch, mayFlip }: Run): Recipe {
  return {
    epochs,
    batch,
    optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    schedule: oneCycle({ peak: rounded((0.2 * batch) / RATE_BATCH.fast) }),
    augment: cropAndFlip(resolution, mayFlip),
    labelSmoothing: 0.1,
  };
}

function tune({ resolution, epochs, batch, mayFlip }: Run): Recipe {
  return {
    epochs,
    batch,
    optimizer: adamw(),
    schedule: oneCycle({ peak: 0.001 }),
    augment: cropAndFlip(resolution, mayFlip),
    labelSmoothing: 0.1,
  };
}

function cropAndFlip(resolution: number, mayFlip: boolean): Augmentation {
  return {
    ...(resolution <= SMALL
      ? { paddedCrop: { padding: paddingOf(resolution, 8), fill: "reflect" } }
      : { randomResizedCrop: { area: [0.35, 1] } }),
    ...(mayFlip ? { flip: "alternating" } : {}),
  };
}

/** A sixteenth or an eighth of the side, at least a pixel: 4 of CIFAR's 32. */
function paddingOf(resolution: number, part: number): number {
  return Math.max(1, Math.round(resolution / part));
}

/** A number that a person can read in the file. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
