/**
 * How much does a MobileNet V1 learn of CIFAR-10 in 20, 60 and 150 minutes of two cores? From nothing, on the 50,000, by
 * `recipe("fast")`; the 10,000 test pictures are looked at once, after the last epoch, one view of each.
 * Runs that were made are kept in `results/goals-node24.json`; one that was stopped goes on from its last epoch.
 *
 *     npm run build && npm run data:cifar10 (in the project), then, under Node 24,
 *     node goals.mjs [--data ../data/cifar10] [--only 20,60] [--seeds 1] [--threads 2] [--simd wide]
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mobileNetV1 } from "../dist/esm/index.js";
import { cifar10, fit, recipe } from "../dist/esm/train.js";
import { cifar10Files } from "../scripts/shared/cifar10-files.mjs";
import { evaluate } from "../scripts/shared/evaluate.mjs";
import { resultsFolder, table, writeReport } from "./harness/report.mjs";
import { BASE } from "./recipes/variants.mjs";

const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: "../data/cifar10" },
    only: { type: "string" },
    seeds: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    simd: { type: "string", default: "wide" },
  },
});

/** Minutes, what is to be right after them, and the network and the epochs that fill them on this machine. */
const GOALS = [
  { minutes: 20, right: 0.88, alpha: 0.37, epochs: 21 },
  { minutes: 60, right: 0.91, alpha: 0.5, epochs: 43 },
  { minutes: 150, right: 0.92, alpha: 0.75, epochs: 55 },
];

const files = cifar10Files(flags.data);
const [train, test] = [await cifar10(files.train), await cifar10(files.test)];
const place = new URL(`goals-node${process.versions.node.split(".")[0]}.json`, resultsFolder(false));
const runs = existsSync(place) ? JSON.parse(readFileSync(place, "utf8")).runs : [];
const wanted = flags.only?.split(",").map(Number) ?? GOALS.map(({ minutes }) => minutes);

for (let seed = 1; seed <= Number(flags.seeds); seed++) {
  for (const { minutes, alpha, epochs } of GOALS.filter((goal) => wanted.includes(goal.minutes))) {
    const task = taskOf(alpha, epochs, seed);
    if (runs.some(({ key }) => key === keyOf(task))) continue;
    const checkpoint = fileURLToPath(new URL(`.cache/goals/${keyOf(task)}`, import.meta.url));
    runs.push({ key: keyOf(task), goal: minutes, seed, ...(await made(task, checkpoint)) });
    write();
    rmSync(checkpoint, { recursive: true });
  }
}
write();

/** What a run is: of another one, nothing is kept. */
function taskOf(alpha, epochs, seed) {
  const network = {
    ...{ resolution: 32, classes: 10, stem: { stride: 1, filters: 32 }, dropout: 0 },
    preprocessing: { range: [-1, 1], cropFraction: 1 },
    // Block 2 at stride 1, so that the last map is 4 × 4.
    blocks: BASE.network.blocks,
    ...{ alpha, seed },
  };
  return { network, options: recipe("fast", { resolution: 32, examples: train.size, epochs, batch: 128 }), seed };
}

function keyOf(task) {
  return createHash("sha256").update(JSON.stringify(task)).digest("hex").slice(0, 16);
}

async function made({ network, options, seed }, checkpoint) {
  const how = { threads: Number(flags.threads), simd: flags.simd };
  const run = fit(mobileNetV1(network), train, { ...options, ...how, seed, checkpoint, resume: true });
  let runtime;
  for await (const event of run) {
    if (event.type === "started") runtime = { simd: event.simd, threads: event.threads };
    if (event.type !== "epoch") continue;
    const { epoch, epochs, loss, imagesPerSecond } = event;
    console.log(
      `α ${network.alpha}, seed ${seed}, epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(0)} images/s`,
    );
  }
  const { model, history } = await run.done;
  const seconds = history.reduce((sum, { time }) => sum + time.seconds, 0);
  const answers = await evaluate(model, test);
  const right = answers.filter(({ label, said }) => label === said).length / answers.length;
  return {
    alpha: network.alpha,
    epochs: options.epochs,
    right,
    minutes: Number((seconds / 60).toFixed(1)),
    ...runtime,
  };
}

function write() {
  const rows = GOALS.flatMap(({ minutes, right: bar, alpha, epochs }) => {
    const found = runs.filter((run) => run.goal === minutes && run.alpha === alpha && run.epochs === epochs);
    if (found.length === 0) return [];
    const right = found.map((run) => percent(run.right));
    const mean = percent(found.reduce((sum, run) => sum + run.right, 0) / found.length);
    const took = found.map((run) => run.minutes.toFixed(1)).join(", ");
    const how = [...new Set(found.map(({ simd, threads }) => `${simd}, ${threads} threads`))].join("; ");
    return [[`≥ ${percent(bar)} in ${minutes} minutes`, alpha, epochs, mean, right.join(", "), took, how]];
  });
  const headers = ["goal", "α", "epochs", "right, mean, %", "by seed, %", "minutes by seed", "computed by"];
  const words =
    "From nothing, on all 50,000 pictures of CIFAR-10, stem and block 2 at stride 1. Right of the 10,000 test pictures after the last epoch, one view of each.";
  writeReport("goals", { isQuick: false }, { runs }, `${words}\n\n${table(headers, rows)}`);
}

function percent(share) {
  return (100 * share).toFixed(2);
}
