/**
 * What do a few hundred photographs teach a MobileNet V1 (α 0.25, 128×128) that knows ImageNet's classes, and one that
 * knows nothing? A linear probe and nearest neighbours on its embeddings, fine-tuning, and training from nothing, on the
 * training part of `split.json`, each measured once on its test part, for seeds 1 to 5.
 *
 * No setting was chosen by the test part. The probe's and the neighbours' are the library's defaults, which were chosen by
 * cross-validation within the training part; those of fine-tuning are its defaults; from nothing learns by the usual recipe
 * of SGD and one cycle. Augmentation is fastai's: crops of 35 % of the area or more, and flips.
 *
 * The probe on all photographs has nothing random: it is measured once. On 5 and on 20 a class the seed says which.
 *
 *     npm run build (in the project), then
 *     node flowers.mjs --data DIR --weights FILE [--seeds 5] [--only probe,nearest,tune,nothing] [--epochs 60] [--threads 1]
 *
 * DIR holds a folder a class and split.json, `{ classes, train: [file], test: [file] }`. FILE is one that loadModel reads.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadModel, mobileNetV1 } from "../dist/esm/index.js";
import { dataset, fewShot, fineTune, fit, keepDecoded, oneCycle, sgd } from "../dist/esm/train.js";
import { table, writeReport } from "./harness/report.mjs";

const { values: flags } = parseArgs({
  options: {
    data: { type: "string" },
    weights: { type: "string" },
    seeds: { type: "string", default: "5" },
    only: { type: "string", default: "probe,nearest,tune,nothing" },
    epochs: { type: "string", default: "60" },
    threads: { type: "string", default: "1" },
  },
});
if (flags.data === undefined || flags.weights === undefined) throw new Error("Pass --data DIR and --weights FILE.");
const threads = Number(flags.threads);
const seeds = Array.from({ length: Number(flags.seeds) }, (_, at) => at + 1);
const AUGMENT = { randomResizedCrop: { area: [0.35, 1] }, flip: "random" };

const { classes, ...parts } = JSON.parse(readFileSync(join(flags.data, "split.json"), "utf8"));
const labelOf = (file) => classes.indexOf(file.split("/")[0]);
const setOf = async (files) => {
  const examples = files.map((file) => ({ image: join(flags.data, file), label: labelOf(file), name: file }));
  return keepDecoded(await dataset(examples, { classes }));
};
const [train, test] = [await setOf(parts.train), await setOf(parts.test)];
const model = await loadModel(flags.weights);

const results = [];

/** A row of the table: `run` gives the share that is right, for each seed. */
async function measure(name, ofSeeds, run) {
  const runs = [];
  for (const seed of ofSeeds) {
    const start = performance.now();
    const { accuracy, ...told } = await run(seed);
    const seconds = (performance.now() - start) / 1000;
    runs.push({ seed, accuracy, seconds, ...told });
    process.stderr.write(`${name}, seed ${seed}: ${(100 * accuracy).toFixed(1)} %, ${seconds.toFixed(1)} s\n`);
  }
  results.push({ name, runs });
}

/** Of each class the first by an order that the seed says. */
function drawn(files, each, seed) {
  const order = files.map((file, at) => ({ file, key: Math.imul((at + 1) * 2654435761, seed * 40503 + 1) >>> 0 }));
  order.sort((a, b) => a.key - b.key);
  return classes.flatMap((name) => {
    return order
      .filter(({ file }) => file.startsWith(`${name}/`))
      .slice(0, each)
      .map(({ file }) => file);
  });
}

async function taught(method, files) {
  const shots = await fewShot(model, { method, threads });
  try {
    for (const name of classes) {
      const own = files.filter((file) => file.startsWith(`${name}/`)).map((file) => join(flags.data, file));
      await shots.add(name, own);
    }
    const start = performance.now();
    const { examples, multiplyAdds } = await shots.train();
    const trainSeconds = (performance.now() - start) / 1000;
    const said = await shots.classify(
      parts.test.map((file) => join(flags.data, file)),
      { topK: 1 },
    );
    const correct = said.filter(([best], at) => best.index === labelOf(parts.test[at])).length;
    return { accuracy: correct / said.length, examples, multiplyAdds, trainSeconds };
  } finally {
    shots.close();
  }
}

/** What the last epoch's parameters say of the test part; what earlier ones said is told and chooses nothing. */
async function lastOf(run) {
  const { history } = await run.done;
  const perEpoch = history.map(({ loss, validation }) => ({ loss, accuracy: validation.accuracy }));
  return { accuracy: history.at(-1).validation.accuracy, perEpoch };
}

const RUNS = {
  probe: async () => {
    await measure("linear probe, all 525", [1], () => taught("linear", parts.train));
    await measure("linear probe, 20 a class", seeds, (seed) => taught("linear", drawn(parts.train, 20, seed)));
    await measure("linear probe, 5 a class", seeds, (seed) => taught("linear", drawn(parts.train, 5, seed)));
  },
  nearest: async () => {
    await measure("nearest neighbours, all 525", [1], () => taught("nearest", parts.train));
    await measure("nearest neighbours, 20 a class", seeds, (seed) => taught("nearest", drawn(parts.train, 20, seed)));
    await measure("nearest neighbours, 5 a class", seeds, (seed) => taught("nearest", drawn(parts.train, 5, seed)));
  },
  tune: () =>
    measure("fine-tuned, 1 + 10 epochs", seeds, (seed) =>
      lastOf(fineTune(model, train, { seed, threads, validation: test, augment: AUGMENT })),
    ),
  nothing: () =>
    measure(`from nothing, ${flags.epochs} epochs`, seeds, (seed) => {
      const fresh = mobileNetV1({ alpha: 0.25, resolution: 128, classes: classes.length, labels: classes, seed });
      return lastOf(
        fit(fresh, train, {
          seed,
          threads,
          epochs: Number(flags.epochs),
          optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.0005, decayOnly: "matrices" }),
          schedule: oneCycle({ peak: 0.1 }),
          validation: test,
          augment: AUGMENT,
        }),
      );
    }),
};

for (const name of flags.only.split(",")) {
  if (RUNS[name] === undefined) throw new Error(`No run "${name}": choose from ${Object.keys(RUNS).join(", ")}.`);
  await RUNS[name]();
}

const percent = (share) => (100 * share).toFixed(1);
const rows = results.map(({ name, runs }) => {
  const all = runs.map(({ accuracy }) => accuracy);
  const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, all.length - 1));
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0) / runs.length;
  return [
    name,
    percent(mean),
    all.length > 1 ? percent(deviation) : "",
    all.map(percent).join(", "),
    seconds.toFixed(1),
  ];
});
const text = table(["", "mean, %", "standard deviation", "each seed", "seconds a run"], rows);
const weights = flags.weights.split("/").at(-1);
writeReport(
  "flowers",
  { isQuick: false },
  { settings: { threads, weights, epochs: Number(flags.epochs) }, results },
  `${test.size} photographs of ${classes.length} kinds, ${train.size} to learn from, ${threads} thread${threads === 1 ? "" : "s"}, ${weights}.\n\n${text}`,
);
