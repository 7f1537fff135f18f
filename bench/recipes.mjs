/**
 * Which parts of a recipe pay? One thing at a time is changed (`recipes/variants.mjs`), a few seeds each, on CIFAR-10,
 * judged by a tenth of its training pictures. Runs that were made are kept in `results/recipes-10-epochs-node24.json`, of
 * other epochs beside it; what is missing is run, several processes of one thread side by side. Runs of other settings
 * are refused, not replaced.
 *
 *     npm run build && npm run data:cifar10 (in the project), then, under Node 24,
 *     node recipes.mjs [--data ../data/cifar10] [--epochs 10] [--seeds 2] [--side-by-side 2] [--simd auto] [--only base,relu]
 *     node recipes.mjs --quick --epochs 1 --only base --seeds 1      a trial, kept apart in .cache/
 */

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { Refusal } from "../scripts/shared/refusal.mjs";
import { resultsFolder, table, writeReport } from "./harness/report.mjs";
import { dataOf } from "./recipes/data.mjs";
import { keptRuns, workedThrough } from "./recipes/kept.mjs";
import { keyOf, taskOf } from "./recipes/task.mjs";
import { variants } from "./recipes/variants.mjs";

const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: "../data/cifar10" },
    epochs: { type: "string", default: "10" },
    seeds: { type: "string", default: "2" },
    "side-by-side": { type: "string", default: "2" },
    simd: { type: "string", default: "auto" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});

const start = promisify(execFile);
const ALL = Object.keys(variants(1));

try {
  await main();
} catch (cause) {
  if (!(cause instanceof Refusal)) throw cause;
  console.error(cause.message);
  process.exitCode = 1;
}

async function main() {
  const [epochs, count, width] = ["epochs", "seeds", "side-by-side"].map(numberOf);
  const names = flags.only?.split(",") ?? ALL;
  const unknown = names.find((name) => !ALL.includes(name));
  if (unknown !== undefined) throw new Refusal(`There is no variant "${unknown}". Variants: ${ALL.join(", ")}.`);
  const folder = resolve(flags.data);
  const settings = { epochs, simd: flags.simd, data: await dataOf(folder) };
  const file = `${nameOf(settings)}-node${process.versions.node.split(".")[0]}.json`;
  // Those of a trial are no results: nothing is kept of them.
  const runs = flags.quick ? [] : keptRuns(fileURLToPath(new URL(file, resultsFolder(false))), settings);
  const seeds = Array.from({ length: count }, (_, index) => index + 1);
  const tasks = seeds.flatMap((seed) => names.map((variant) => taskOf(variant, seed, settings)));
  const missing = tasks.filter((task) => !runs.some(({ key }) => key === keyOf(task)));
  const failed = ({ variant, seed }, cause) => {
    console.error(`${variant}, seed ${seed}: ${cause.stderr || cause.message}`);
    process.exitCode = 1;
  };
  const made = async (task) => {
    const { variant, seed } = task;
    const program = resolve(import.meta.dirname, "recipes/run.mjs");
    const { stdout } = await start(process.execPath, [program, folder, JSON.stringify(task)]);
    const run = { key: keyOf(task), variant, seed, ...JSON.parse(stdout.trim().split("\n").at(-1)) };
    runs.push(run);
    process.stdout.write(`${variant}, seed ${seed}: ${(100 * run.right).toFixed(2)} %, ${run.minutes} minutes\n`);
    // After each run: a bench that is stopped loses none.
    write(settings, runs);
  };
  await workedThrough(missing, width, made, failed);
  if (missing.length === 0) write(settings, runs);
}

function numberOf(flag) {
  const value = Number(flags[flag]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Refusal(`--${flag}: expected a whole number of at least 1, found "${flags[flag]}".`);
}

function write(settings, runs) {
  const of = (variant) => runs.filter((run) => run.variant === variant);
  const base = new Map(of("base").map(({ seed, right }) => [seed, right]));
  const rows = ALL.flatMap((variant) => {
    const found = of(variant).sort((a, b) => a.seed - b.seed);
    if (found.length === 0) return [];
    const beside = found.filter(({ seed }) => base.has(seed)).map(({ seed, right }) => right - base.get(seed));
    const difference = beside.length === 0 ? "" : signed(100 * mean(beside));
    const each = found.map(({ right }) => (100 * right).toFixed(2)).join(", ");
    const training = (100 * mean(found.map((run) => run.training.accuracy))).toFixed(1);
    return [[variant, (100 * mean(found.map(({ right }) => right))).toFixed(2), difference, each, training]];
  });
  const headers = ["changed", "right of the held out, %", "over base", "by seed", "right in training, %"];
  const learnt = settings.data.examples.toLocaleString("en-US");
  const words = `α 0.25 at 32 × 32, stem and block 2 at stride 1, ${settings.epochs} epochs of ${learnt} pictures, judged by the tenth that is held out. What stands over base is of the seeds that both have. Two runs that differ in the seed alone differ by some tenths.`;
  writeReport(nameOf(settings), { isQuick: flags.quick }, { settings, runs }, `${words}\n\n${table(headers, rows)}`);
}

/** What pays in few epochs may cost in many: each number has results of its own. */
function nameOf({ epochs }) {
  return `recipes-${epochs}-epochs`;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function signed(value) {
  return `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
}
