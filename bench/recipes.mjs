/**
 * Which parts of a recipe pay? One thing at a time is changed (`recipes/variants.mjs`), a few seeds each, on CIFAR-10,
 * judged by a tenth of its training pictures. Runs that were made are kept in `results/recipes-node24.json`; what is
 * missing is run, several processes of one thread side by side.
 *
 *     npm run build && npm run data:cifar10 (in the project), then, under Node 24,
 *     node recipes.mjs [--data ../data/cifar10] [--epochs 12] [--seeds 3] [--side-by-side 2] [--simd auto] [--only base,relu]
 */

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { resultsFolder, table, writeReport } from "./harness/report.mjs";
import { variants } from "./recipes/variants.mjs";

const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: "../data/cifar10" },
    epochs: { type: "string", default: "12" },
    seeds: { type: "string", default: "3" },
    "side-by-side": { type: "string", default: "2" },
    simd: { type: "string", default: "auto" },
    only: { type: "string" },
  },
});
const epochs = Number(flags.epochs);
const names = flags.only?.split(",") ?? Object.keys(variants(1));
const seeds = Array.from({ length: Number(flags.seeds) }, (_, index) => index + 1);

const kept = new URL(`recipes-node${process.versions.node.split(".")[0]}.json`, resultsFolder(false));
/** Of another number of epochs they are other runs. */
const before = existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : { epochs, runs: [] };
const runs = before.epochs === epochs ? before.runs : [];
const missing = seeds
  .flatMap((seed) => names.map((variant) => ({ variant, seed })))
  .filter((task) => !runs.some((run) => run.variant === task.variant && run.seed === task.seed));

const start = promisify(execFile);
async function worker() {
  for (let task = missing.shift(); task !== undefined; task = missing.shift()) {
    const whole = JSON.stringify({ ...task, epochs, simd: flags.simd, data: resolve(flags.data) });
    const { stdout } = await start(process.execPath, [resolve(import.meta.dirname, "recipes/run.mjs"), whole]);
    const run = JSON.parse(stdout.trim().split("\n").at(-1));
    runs.push(run);
    process.stdout.write(
      `${run.variant}, seed ${run.seed}: ${(100 * run.right).toFixed(2)} %, ${run.minutes} minutes\n`,
    );
    write();
  }
}
await Promise.all(Array.from({ length: Number(flags["side-by-side"]) }, worker));
write();

/** After each run: a bench that is stopped loses none. */
function write() {
  const of = (variant) => runs.filter((run) => run.variant === variant);
  const base = new Map(of("base").map(({ seed, right }) => [seed, right]));
  const rows = Object.keys(variants(1)).flatMap((variant) => {
    const found = of(variant).sort((a, b) => a.seed - b.seed);
    if (found.length === 0) return [];
    const beside = found.filter(({ seed }) => base.has(seed)).map(({ seed, right }) => right - base.get(seed));
    const difference = beside.length === 0 ? "" : signed(100 * mean(beside));
    const each = found.map(({ right }) => (100 * right).toFixed(2)).join(", ");
    const training = (100 * mean(found.map((run) => run.training.accuracy))).toFixed(1);
    return [[variant, (100 * mean(found.map(({ right }) => right))).toFixed(2), difference, each, training]];
  });
  const headers = ["changed", "right of the held out, %", "over base", "by seed", "right in training, %"];
  const words = `α 0.25 at 32 × 32, ${epochs} epochs of 45,000 pictures, judged by 5,000 others. Two runs that differ in the seed alone differ by some tenths.`;
  writeReport("recipes", { isQuick: false }, { epochs, simd: flags.simd, runs }, `${words}\n\n${table(headers, rows)}`);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function signed(value) {
  return `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
}
