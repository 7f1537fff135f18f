/** What is tried: one thing at a time is changed of a run that is otherwise the same. */

import { cosine, oneCycle, sgd, warmUp } from "../../dist/esm/train.js";
import { blocksWith } from "../../scripts/shared/blocks.mjs";

const optimizer = (weightDecay) => sgd({ momentum: 0.9, nesterov: true, weightDecay });
const augment = (paddedCrop, flip) => ({ ...(paddedCrop ? { paddedCrop } : {}), ...(flip ? { flip } : {}) });
const CROP = { padding: 4, fill: "reflect" };

/** α 0.25 at 32 × 32, stem stride 1, block 2 at stride 1, so that the last map is 4 × 4: small enough to be tried often. */
export const BASE = {
  network: { alpha: 0.25, blocks: blocksWith({ 2: 1 }) },
  options: {
    batch: 128,
    optimizer: optimizer(5e-4),
    schedule: oneCycle({ peak: 0.2 }),
    augment: augment(CROP, "alternating"),
    labelSmoothing: 0.1,
  },
};

/**
 * @param {number} updates of the whole run, for schedules and averages that count them
 * @returns {Record<string, { network?: object, options?: object }>} what is laid over `BASE`
 */
export const variants = (updates) => ({
  base: {},
  "flip by chance": { options: { augment: augment(CROP, "random") } },
  "no flip": { options: { augment: augment(CROP) } },
  "no crop": { options: { augment: augment(undefined, "alternating") } },
  "crop with a black margin": { options: { augment: augment({ padding: 4, fill: "black" }, "alternating") } },
  "crop by 2": { options: { augment: augment({ padding: 2, fill: "reflect" }, "alternating") } },
  "cutout 8": { options: { augment: { ...augment(CROP, "alternating"), cutout: { size: 8 } } } },
  "mixup 0.2": { options: { augment: { ...augment(CROP, "alternating"), mixup: { alpha: 0.2 } } } },
  "no label smoothing": { options: { labelSmoothing: 0 } },
  "label smoothing 0.2": { options: { labelSmoothing: 0.2 } },
  "warm-up then cosine": {
    options: {
      schedule: warmUp({
        steps: Math.max(1, Math.round(updates / 20)),
        after: cosine({ rate: 0.2, steps: Math.max(1, Math.round(0.95 * updates)) }),
      }),
    },
  },
  "peak 0.1": { options: { schedule: oneCycle({ peak: 0.1 }) } },
  "peak 0.4": { options: { schedule: oneCycle({ peak: 0.4 }) } },
  "batch 64 with peak 0.1": { options: { batch: 64, schedule: oneCycle({ peak: 0.1 }) } },
  "weight decay 1e-4": { options: { optimizer: optimizer(1e-4) } },
  "weight decay 1e-3": { options: { optimizer: optimizer(1e-3) } },
  averages: { options: { averageDecay: 1 - 1 / Math.min(2000, Math.max(4, updates / 20)), average: true } },
  "batch norm momentum 0.6": { options: { batchNorm: { momentum: 0.6 } } },
  "batch norm momentum 0.8": { options: { batchNorm: { momentum: 0.8 } } },
  relu: { network: { activation: "relu" } },
  "4 × 4 end map (block 12 at stride 1 in place of block 2)": { network: { blocks: blocksWith({ 12: 1 }) } },
  "2 × 2 end map (the paper's strides)": { network: { blocks: blocksWith({}) } },
});
