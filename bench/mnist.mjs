/**
 * What does a MobileNet V1 (α 0.25, 28×28 grey, stem stride 1) learn of MNIST from nothing, and how long does it take?
 * Trained on the 60,000, measured once on the 10,000 after the last epoch. Nothing was chosen by the test part.
 *
 *     npm run build && npm run data:mnist (in the project), then
 *     node mnist.mjs [--data ../data/mnist] [--seeds 1] [--epochs 20] [--threads 2] [--simd auto]
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mobileNetV1 } from "../dist/esm/index.js";
import { fit, idx, oneCycle, sgd } from "../dist/esm/train.js";
import { evaluate } from "../scripts/shared/evaluate.mjs";
import { table, writeReport } from "./harness/report.mjs";

const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: "../data/mnist" },
    seeds: { type: "string", default: "1" },
    epochs: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    simd: { type: "string", default: "auto" },
    peak: { type: "string", default: "0.2" },
  },
});

const packedOrNot = (name) => join(flags.data, existsSync(join(flags.data, name)) ? name : `${name}.gz`);
const set = (name) => idx(packedOrNot(`${name}-images-idx3-ubyte`), packedOrNot(`${name}-labels-idx1-ubyte`));
const [train, test] = await Promise.all([set("train"), set("t10k")]);
const results = [];
for (let seed = 1; seed <= Number(flags.seeds); seed++) {
  const model = mobileNetV1({
    alpha: 0.25,
    resolution: 28,
    inputChannels: 1,
    classes: 10,
    stem: { stride: 1, filters: 32 },
    dropout: 0,
    seed,
    preprocessing: { range: [-1, 1], cropFraction: 1 },
  });
  const start = performance.now();
  const run = fit(model, train, {
    epochs: Number(flags.epochs),
    batch: 128,
    optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    schedule: oneCycle({ peak: Number(flags.peak) }),
    augment: { paddedCrop: { padding: 2 } },
    labelSmoothing: 0.1,
    seed,
    threads: Number(flags.threads),
    simd: flags.simd,
  });
  let waited = 0;
  for await (const event of run) {
    if (event.type !== "epoch") continue;
    waited = event.waitedForData;
    console.log(
      `seed ${seed}, epoch ${event.epoch}: loss ${event.loss.toFixed(4)}, ${event.imagesPerSecond.toFixed(0)} images/s, waited ${(100 * waited).toFixed(1)} %`,
    );
  }
  const { model: trained } = await run.done;
  const minutes = (performance.now() - start) / 60_000;
  const accuracy = await accuracyOn(trained);
  results.push({ seed, accuracy, minutes });
  console.log(`seed ${seed}: ${(100 * accuracy).toFixed(2)} % of the 10,000, in ${minutes.toFixed(1)} minutes`);
}
const rows = results.map(({ seed, accuracy, minutes }) => [seed, (100 * accuracy).toFixed(2), minutes.toFixed(1)]);
const { epochs, threads, simd, peak } = flags;
writeReport(
  "mnist",
  { isQuick: false },
  { settings: { epochs, threads, simd, peak }, results },
  `${epochs} epochs on ${threads} threads.\n\n${table(["seed", "right of the 10,000, %", "minutes, all in all"], rows)}`,
);

/** The share of the test part that a network says rightly. */
async function accuracyOn(model) {
  const answers = await evaluate(model, test);
  return answers.filter(({ label, said }) => label === said).length / answers.length;
}
