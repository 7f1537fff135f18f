/**
 * `npm run make:cifar10`: the network behind `depthwise/models/cifar10`, from random numbers, to the same bytes each time.
 *
 *     npm run data:cifar10 && npm run make:cifar10 [-- --threads 2] [--seed 2] [--quick]
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { blocksWith } from "../shared/blocks.mjs";
import { cifar10Files } from "../shared/cifar10-files.mjs";
import { Refusal } from "../shared/refusal.mjs";
import { make } from "./make.mjs";

const LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** A 4 × 4 map is left of 32 × 32 pixels, not 2 × 2. */
const BLOCKS = blocksWith({ 2: 1 });

await make({
  name: "cifar10",
  data: "data/cifar10",
  async open({ cifar10 }, folder) {
    const labels = (await readFile(join(folder, "batches.meta.txt"), "utf8")).trim().split("\n");
    if (labels.join() !== LABELS.join()) throw new Refusal(`${folder} names other classes: ${labels.join(", ")}.`);
    const { train, test } = cifar10Files(folder);
    return { train: await cifar10(train), test: await cifar10(test) };
  },
  network: {
    alpha: 0.37,
    channelRounding: "divisible8",
    resolution: 32,
    classes: 10,
    stem: { stride: 1, filters: 32 },
    blocks: BLOCKS,
    dropout: 0,
    labels: LABELS,
    preprocessing: { range: [-1, 1], cropFraction: 1 },
  },
  recipe: ({ oneCycle, sgd }) => ({
    epochs: 24,
    batch: 128,
    optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    schedule: oneCycle({ peak: 0.2 }),
    augment: { paddedCrop: { padding: 4, fill: "reflect" }, flip: "alternating" },
    labelSmoothing: 0.1,
  }),
  quick: { examples: 4_000, epochs: 2 },
});
