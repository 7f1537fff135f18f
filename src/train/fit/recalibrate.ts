/**
 * Moving statistics measured anew, for parameters that were not trained together with them: averages, or weights from
 * elsewhere.
 *
 * The network runs over data as in training, each batch norm by the statistics of its batch; the moving ones become the
 * means of those, each batch counting by its examples. Source: Izmailov et al. 2018, "Averaging weights", §3.2.
 */

import { Breath } from "../../core/breath.ts";
import { checkKnownOptions, optionError, positiveInteger } from "../../core/options.ts";
import type { FloatTensor } from "../../core/tensor.ts";
import { checkNetwork, type Network, withParameters } from "../../layers/network.ts";
import { parametersOf } from "../../plan/plan.ts";
import { trainingPlan } from "../../plan/training/training-plan.ts";
import { RANDOM, randomWords, TARGETS } from "../../plan/training/training-step.ts";
import { bindTraining, logitsOf } from "../create-trainer.ts";
import { checkDataset, labelOf, takeOf } from "../data/check-dataset.ts";
import { isDataset } from "../data/dataset.ts";
import { type Augmentation, batches, type Dataset } from "../data/index.ts";
import { completeInput } from "../data/input.ts";
import { checkNorms, smallestNorm } from "../single-value.ts";
import { type BatchNormOptions, checkTrainerOptions, type TrainerOptions } from "../trainer-options.ts";

/** How moving statistics are measured anew. */
export interface RecalibrateOptions
  extends Pick<TrainerOptions, "batch" | "backend" | "simd" | "threads" | "worker" | "seed" | "signal"> {
  /** How many examples it is measured over, of all classes in their shares. Default all. */
  readonly examples?: number;
  /** Default none: as the network will see them. */
  readonly augment?: Augmentation;
  /** See `BatchNormOptions`. Default `biased`. */
  readonly variance?: BatchNormOptions["variance"];
  /** How many batches are made ahead. Default: 2, or as many as hold 128 examples. */
  readonly prefetch?: number;
  /** How many image files are read and decoded at once, within the batches ahead. Default 64. */
  readonly concurrency?: number;
  /** Most pixels an image file may have. Default 16383². */
  readonly maxPixels?: number;
  /** What becomes of a picture that cannot be read: left out (`skip`, default), or thrown. */
  readonly onUnreadable?: "skip" | "throw";
}

const KNOWN = [
  ...["batch", "backend", "simd", "threads", "worker", "seed", "signal", "examples", "augment", "variance"],
  ...["prefetch", "concurrency", "maxPixels", "onUnreadable"],
];

/**
 * The same network with the moving statistics of its batch norms measured over data. Examples are taken in the order of
 * a first epoch.
 *
 * @param options `batch`, default 32, at most the examples there are
 * @throws {DepthwiseError} `OPTION_INVALID`, `NETWORK_INVALID` as `createTrainer` and a step do; `MEMORY_EXCEEDED`; what
 *         `batches` throws; `signal.reason`
 */
export async function recalibrateBatchNorm<Output extends string>(
  model: Network<Output>,
  data: Dataset,
  options: RecalibrateOptions = {},
): Promise<Network<Output>> {
  checkNetwork("recalibrateBatchNorm", model);
  if (!isDataset(data)) throw optionError("recalibrateBatchNorm", "data", "a data set", data);
  checkDataset(data);
  checkKnownOptions("recalibrateBatchNorm", options, KNOWN);
  const { examples, augment, variance, batch: asked = 32, ...others } = options;
  const { prefetch, concurrency, maxPixels, onUnreadable, ...rest } = others;
  const most = positiveInteger("recalibrateBatchNorm", "examples", examples ?? Math.max(1, data.size));
  const used = most < data.size ? takeOf(data, most) : data;
  const batch = Math.min(positiveInteger("recalibrateBatchNorm", "batch", asked), Math.max(1, used.size));
  const checked = checkTrainerOptions("recalibrateBatchNorm", model, {
    ...rest,
    batch,
    batchNorm: { momentum: 0, ...(variance === undefined ? {} : { variance }) },
  });
  const means = meansOf(model);
  if (means.size === 0) return model;
  const target = logitsOf(model);
  const last = lastParameters(model);
  const plan = trainingPlan(model, batch, {
    target,
    // The way back is short: nothing of it is used.
    trains: ({ name }) => last.has(name),
    momentum: 0,
    variance: checked.variance,
    normMode: () => "batch",
    loss: "softmaxCrossEntropy",
  });
  const norm = smallestNorm(plan);
  const { bound } = await bindTraining("recalibrateBatchNorm", model, plan, checked);
  try {
    const held = parametersOf(model);
    bound.write(Object.fromEntries(plan.parameters.map((name) => [name, held.get(name)?.data ?? new Float32Array()])));
    const read = new Set(plan.parameters);
    let total = 0;
    let draw = 0;
    const shuffle = used.classes.length > 1 && used.size > 1;
    const all = batches(used, {
      input: completeInput(model.inputShape, model.info.preprocessing),
      batch,
      seed: checked.seed,
      shuffle: shuffle && hasAllClasses(used),
      augment,
      signal: checked.signal,
      ...(prefetch === undefined ? {} : { prefetch }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(maxPixels === undefined ? {} : { maxPixels }),
      ...(onUnreadable === undefined ? {} : { onUnreadable }),
    });
    for await (const { x, count, release } of all) {
      const isMeasurable = count > 0 && (norm === undefined || norm.pixels * count > 1);
      if (!isMeasurable && total === 0 && count > 0 && used.size <= batch) {
        checkNorms("recalibrateBatchNorm", model.name, norm, count, 1);
      }
      if (isMeasurable) {
        bound.write({
          [plan.input]: x,
          [TARGETS]: new Float32Array(count * (plan.values.get(TARGETS)?.elements ?? 0)),
        });
        if (plan.values.has(RANDOM)) bound.writeBits(RANDOM, randomWords(checked.seed, draw++));
        await bound.run(count, { adds: false, scale: 1, updates: false, breath: new Breath(performance.now()) });
        total += count;
        for (const [name, mean] of means) {
          if (!read.has(name)) continue;
          // Of a running mean with weights: no sum grows.
          for (const [index, value] of bound.read(name).entries()) {
            mean[index] = (mean[index] ?? 0) + ((value - (mean[index] ?? 0)) * count) / total;
          }
        }
      }
      release();
    }
    const parameters = new Map<string, FloatTensor>();
    for (const [name, value] of held) {
      const mean = total > 0 && read.has(name) ? means.get(name) : undefined;
      parameters.set(name, mean === undefined ? value : { ...value, data: Float32Array.from(mean) });
    }
    return withParameters(model, parameters);
  } finally {
    bound.close();
  }
}

/** A sum for each moving statistic. */
function meansOf({ parameterInfo }: Network): Map<string, Float64Array> {
  const moving = [...parameterInfo.values()].filter(({ trainable }) => !trainable);
  return new Map(moving.map(({ name, shape }) => [name, new Float64Array(shape.reduce((all, side) => all * side, 1))]));
}

/** What the last layer with anything to train has. */
function lastParameters({ parameterInfo }: Network): ReadonlySet<string> {
  const trainable = [...parameterInfo.values()].filter((info) => info.trainable);
  const node = trainable.at(-1)?.node;
  return new Set(trainable.flatMap((info) => (info.node === node ? [info.name] : [])));
}

function hasAllClasses(data: Dataset): boolean {
  if (data.labelType === "shares") return true;
  const seen = new Set<unknown>();
  for (let index = 0; index < data.size; index++) seen.add(labelOf(data, index));
  return seen.size === data.classes.length;
}
