/**
 * `npm run make:digits`: the network behind `depthwise/models/digits`, from random numbers, to the same bytes each time.
 *
 *     npm run data:mnist && npm run make:digits [-- --threads 2] [--seed 2] [--quick]
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../shared/refusal.mjs";
import { make } from "./make.mjs";

const LABELS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

await make({
  name: "digits",
  data: "data/mnist",
  async open({ idx }, folder) {
    const part = (name) => {
      const files = ["images-idx3", "labels-idx1"].map((ending) => join(folder, `${name}-${ending}-ubyte`));
      const missing = files.find((file) => !existsSync(file));
      if (missing !== undefined) throw new Refusal(`${missing} is not there: npm run data:mnist makes ${folder}.`);
      return idx(...files);
    };
    return { train: await part("train"), test: await part("t10k") };
  },
  network: {
    alpha: 0.25,
    resolution: 28,
    inputChannels: 1,
    classes: 10,
    stem: { stride: 1, filters: 32 },
    dropout: 0,
    labels: LABELS,
    preprocessing: { range: [-1, 1], cropFraction: 1 },
  },
  recipe: ({ oneCycle, sgd }) => ({
    epochs: 20,
    batch: 128,
    optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    schedule: oneCycle({ peak: 0.2 }),
    augment: { paddedCrop: { padding: 2 } },
    labelSmoothing: 0.1,
  }),
  quick: { examples: 12_000, epochs: 2 },
});
