/**
 * Which parts of a recipe pay? One thing at a time is changed (`recipes/variants.mjs`), a few seeds each, on CIFAR-10,
 * judged by a tenth of its training pictures. Runs that were made are kept in `results/recipes-10-epochs-node24/`, a file
 * each, those of other epochs beside it; what is missing is run, several processes of one thread side by side, and one that
 * was stopped goes on. Runs of other settings are refused, not replaced.
 *
 *     npm run build && npm run data:cifar10 (in the project), then, under Node 24,
 *     node recipes.mjs [--data ../data/cifar10] [--epochs 10] [--seeds 2] [--side-by-side 2] [--simd auto] [--only base,relu]
 *     node recipes.mjs --quick --epochs 1 --only base --seeds 1      a trial, kept apart in .cache/
 */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { percent } from "../scripts/shared/percent.mjs";
import { writePage } from "./harness/kept-page.mjs";
import { keyOf, readRun, readRuns } from "./harness/kept-runs.mjs";
import { asProgram, chosen, countOf, ofThisNode, readFlags, simdOf } from "./harness/program.mjs";
import { resultsFolder } from "./harness/report.mjs";
import { dataOf } from "./recipes/data.mjs";
import { recipesPage } from "./recipes/page.mjs";
import { benchOf, taskOf, VARIANTS } from "./recipes/task.mjs";
import { workedThrough } from "./recipes/worked-through.mjs";

const OPTIONS = {
  data: { type: "string", default: "../data/cifar10" },
  epochs: { type: "string", default: "10" },
  seeds: { type: "string", default: "2" },
  "side-by-side": { type: "string", default: "2" },
  simd: { type: "string", default: "auto" },
  only: { type: "string" },
  quick: { type: "boolean", default: false },
};

const PLACES = {
  results: fileURLToPath(resultsFolder(false)),
  quick: fileURLToPath(resultsFolder(true)),
  cache: fileURLToPath(new URL(".cache/recipes/", import.meta.url)),
};

const PROGRAM = resolve(import.meta.dirname, "recipes/run.mjs");
const start = promisify(execFile);

await asProgram(import.meta.url, (args) => recipes(args));

/**
 * Makes the runs that are missing, and writes the page of all there are.
 *
 * @param {string[]} args @param {typeof PLACES} [places] @throws what is told, and faults
 */
export async function recipes(args, places = PLACES) {
  const flags = readFlags(args, OPTIONS);
  const [epochs, count, width] = ["epochs", "seeds", "side-by-side"].map((name) => countOf(flags, name));
  const names = chosen(flags.only, VARIANTS, "variant");
  const simd = simdOf(flags);
  const data = resolve(flags.data);
  const settings = { epochs, simd, data: await dataOf(data) };
  const seeds = Array.from({ length: count }, (_, index) => index + 1);
  const tasks = seeds.flatMap((seed) => names.map((variant) => taskOf(variant, seed, settings)));
  // What pays in few epochs may cost in many: each number has results of its own.
  const name = ofThisNode(`recipes-${epochs}-epochs`);
  if (!flags.quick) {
    const own = { runs: join(places.results, name), page: join(places.results, `${name}.md`), cache: places.cache };
    return await work(tasks, { ...own, data, settings, width, head: "" });
  }
  // Runs of a trial are no results: nothing is kept of them but the page.
  mkdirSync(places.quick, { recursive: true });
  const folder = mkdtempSync(join(places.quick, "trial-"));
  try {
    const own = { runs: join(folder, "runs"), page: join(places.quick, `${name}.md`), cache: join(folder, "cache") };
    await work(tasks, { ...own, data, settings, width, head: "A quick run: its numbers mean nothing.\n\n" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function work(tasks, { runs, page, cache, data, settings, width, head }) {
  const allRuns = () => readRuns(runs, benchOf(settings));
  const writtenPage = () => writePage(page, () => `${head}${recipesPage(allRuns(), settings)}`);
  // Runs of other settings are refused before hours are spent.
  allRuns();
  const made = async (task) => {
    const [say, checkpoint] = [(line) => console.log(`${nameOf(task)}: ${line}`), join(cache, keyOf(task))];
    const { stdout } = await start(process.execPath, [PROGRAM, data, runs, checkpoint, JSON.stringify(task)]);
    const end = stdout.trim().split("\n").at(-1);
    if (end === "elsewhere") return say("in work elsewhere");
    const { right, minutes } = readRun(runs, task);
    say(`${percent(right)}, ${minutes} minutes`);
    writtenPage();
  };
  const failed = (task, cause) => {
    console.error(`${nameOf(task)}: ${(cause.stderr || cause.message).trim()}`);
    process.exitCode = 1;
  };
  const missing = tasks.filter((task) => readRun(runs, task) === undefined);
  await workedThrough(missing, width, made, failed);
  if (allRuns().length > 0) process.stdout.write(`\n## recipes\n\n${writtenPage()}`);
}

function nameOf({ variant, seed }) {
  return `${variant}, seed ${seed}`;
}
