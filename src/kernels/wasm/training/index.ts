/** The kernels of training, by their modules. A page that only runs a network has none of them. */

import type { ModuleBuilder } from "../assembler/index.ts";
import type { Features } from "../emit.ts";
import { type Emitter, MODULES } from "../modules.ts";
import { multiplyPanels } from "../multiply-panels.ts";
import type { Tile } from "../tiles.ts";
import { depthwiseTraining } from "./depthwise-training.ts";
import { dropout } from "./dropout.ts";
import { elementwiseGradient } from "./elementwise-gradient.ts";
import { finishNorm, frozenNorm } from "./finish-norm.ts";
import { finishNormGradient } from "./finish-norm-gradient.ts";
import { finishGradientNorm, squareSums } from "./gradient-norm.ts";
import { gradientPanels, gradientProduct } from "./gradient-product.ts";
import { gradientTiles } from "./gradient-tile.ts";
import { col2im, im2col } from "./im2col.ts";
import { jobs } from "./jobs.ts";
import { moments } from "./moments.ts";
import { normGradient } from "./norm-gradient.ts";
import { normSums } from "./norm-sums.ts";
import { normalise } from "./normalise.ts";
import { activationGradient, sum } from "./number-by-number.ts";
import { packGroups } from "./pack-groups.ts";
import { pack, packTransposed } from "./pack-panels.ts";
import { poolGradient } from "./pool-gradient.ts";
import { product } from "./product.ts";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { softmaxGradient } from "./softmax-gradient.ts";
import { columnSums, finishSums, reduce } from "./sums.ts";
import { type UpdateFormula, update } from "./update.ts";

/** Kernels that run as jobs, in the order in which a table of jobs counts them. */
export const JOB_KERNELS = [
  "pack",
  "packTransposed",
  "packGroups",
  "finishNorm",
  "frozenNorm",
  "finishNormGradient",
  "finishSums",
  "reduce",
] as const;
export type JobKernel = (typeof JOB_KERNELS)[number];

function jobModule(module: ModuleBuilder, _features: Features, tile: Tile) {
  const kernels = {
    pack: pack(module, tile),
    packTransposed: packTransposed(module, tile),
    packGroups: packGroups(module, tile),
    finishNorm: finishNorm(module),
    frozenNorm: frozenNorm(module),
    finishNormGradient: finishNormGradient(module),
    finishSums: finishSums(module),
    reduce: reduce(module),
  } as const satisfies Record<JobKernel, unknown>;
  return jobs(
    module,
    JOB_KERNELS.map((name) => kernels[name]),
  );
}

/** The first kernels of jobs, for slim tiles. */
function slimPacks(module: ModuleBuilder, _features: Features, { slim, ...tile }: Tile) {
  return jobs(module, [pack(module, slim ?? tile), packTransposed(module, slim ?? tile)]);
}

const updateModule =
  (formula: UpdateFormula): Emitter =>
  (module) =>
    jobs(module, [update(module, formula)]);

function products(module: ModuleBuilder, features: Features, tile: Tile) {
  const tiles = gradientTiles(module, tile, features);
  const panels = multiplyPanels(module, tile, features);
  return [
    product(module, panels, tile),
    gradientProduct(module, tiles, tile),
    gradientPanels(module, tiles, tile),
    im2col(module),
    col2im(module),
  ] as const;
}

/** The modules of training; those of a run stand beside them, for the steps that are the same. */
export const TRAINING_MODULES = {
  ...MODULES,
  "training-products": products,
  "training-products-slim": (module, features, tile) => products(module, features, tile.slim ?? tile),
  "training-norms": (module, features, tile) => [
    normalise(module, features, tile),
    moments(module, features, tile),
    normGradient(module, features, tile),
    normSums(module, features, tile),
    columnSums(module),
  ],
  "training-depthwise": (module, features, tile) => depthwiseTraining(module, 0, features, tile),
  "training-depthwise-3": (module, features, tile) => depthwiseTraining(module, 3, features, tile),
  "training-depthwise-5": (module, features, tile) => depthwiseTraining(module, 5, features, tile),
  "training-jobs": jobModule,
  "training-slim-packs": slimPacks,
  "training-gradient-norm": (module) => [squareSums(module), jobs(module, [finishGradientNorm(module)])],
  "training-others": (module) => [
    dropout(module),
    softmaxCrossEntropy(module),
    sum(module),
    activationGradient(module, "clampGradient"),
    activationGradient(module, "hardSigmoidGradient"),
    activationGradient(module, "hardSwishGradient"),
    activationGradient(module, "leakyReluGradient"),
    softmaxGradient(module),
    poolGradient(module, "averagePoolGradient"),
    poolGradient(module, "maxPoolGradient"),
    elementwiseGradient(module, "addGradient"),
    elementwiseGradient(module, "multiplyGradient"),
  ],
  "update-sgd": updateModule("sgd"),
  "update-sgdMomentum": updateModule("sgdMomentum"),
  "update-sgdNesterov": updateModule("sgdNesterov"),
  "update-sgdMomentumKeras": updateModule("sgdMomentumKeras"),
  "update-sgdNesterovKeras": updateModule("sgdNesterovKeras"),
  "update-rmsprop": updateModule("rmsprop"),
  "update-rmspropMomentum": updateModule("rmspropMomentum"),
  "update-rmspropTorch": updateModule("rmspropTorch"),
  "update-rmspropMomentumTorch": updateModule("rmspropMomentumTorch"),
  "update-adam": updateModule("adam"),
} as const satisfies Readonly<Record<string, Emitter>>;
