/**
 * How much does a MobileNet V1 learn of CIFAR-10 in 20, 60 and 150 minutes of two cores? From nothing, on the 50,000, by
 * `recipe("fast")`; the 10,000 test pictures are looked at once, after the last epoch, one view of each.
 * Runs that were made are kept in `results/goals-node24/`, a file each; one that was stopped goes on from its last
 * checkpoint. Several processes may work side by side. Runs of other settings are refused, not replaced. The minutes are
 * those that `--time` finds: it trains a few hundred updates, alone on the machine; the runs need not be alone.
 *
 *     npm run build && npm run data:cifar10 (in the project), then, under Node 24,
 *     node goals.mjs [--data ../data/cifar10] [--only 20,60] [--seeds 1] [--threads 2] [--simd wide] [--time]
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cifar10 } from "../dist/esm/train.js";
import { cifar10Files } from "../scripts/shared/cifar10-files.mjs";
import { percent } from "../scripts/shared/percent.mjs";
import { goalsPage } from "./goals/page.mjs";
import { benchOf, GOALS, taskOf } from "./goals/task.mjs";
import { keepTime, readTimes, timeOf } from "./goals/times.mjs";
import { writePage } from "./harness/kept-page.mjs";
import { keyOf, readRun, readRuns } from "./harness/kept-runs.mjs";
import { learn } from "./harness/learn.mjs";
import { asProgram, chosen, countOf, ofThisNode, readFlags, simdOf } from "./harness/program.mjs";
import { resultsFolder } from "./harness/report.mjs";
import { sha256Of } from "./harness/sha256.mjs";

const OPTIONS = {
  data: { type: "string", default: "../data/cifar10" },
  only: { type: "string" },
  seeds: { type: "string", default: "1" },
  threads: { type: "string", default: "2" },
  simd: { type: "string", default: "wide" },
  time: { type: "boolean", default: false },
};

const PLACES = {
  results: fileURLToPath(resultsFolder(false)),
  cache: fileURLToPath(new URL(".cache/goals/", import.meta.url)),
};

await asProgram(import.meta.url, (args) => goals(args));

/**
 * Trains what is missing, or takes times, and writes the page of all there is.
 *
 * @param {string[]} args @param {typeof PLACES} [places] @param {typeof GOALS} [all] @throws what is told, and faults
 */
export async function goals(args, { results, cache } = PLACES, all = GOALS) {
  const flags = readFlags(args, OPTIONS);
  const [seeds, threads] = [countOf(flags, "seeds"), countOf(flags, "threads")];
  const names = all.map(({ minutes }) => String(minutes));
  const wanted = chosen(flags.only, names, "goal").map((name) => all[names.indexOf(name)]);
  const simd = simdOf(flags);
  const files = cifar10Files(flags.data);
  const [train, judges] = [await cifar10(files.train), await cifar10(files.test)];
  const data = { sha256: sha256Of([...files.train, files.test]), examples: train.size, tests: judges.size };
  const settings = { simd, data };
  const runs = join(results, ofThisNode("goals"));
  const times = join(results, `${ofThisNode("goals")}-times.json`);
  const allRuns = () => readRuns(runs, benchOf(all, settings));
  const writtenPage = () =>
    writePage(join(results, `${ofThisNode("goals")}.md`), () => goalsPage(allRuns(), readTimes(times), all, settings));
  // Runs of other settings, and damaged files, are refused before hours are spent.
  allRuns();
  readTimes(times);
  if (flags.time) {
    for (const goal of wanted) {
      const time = await timeOf(goal, settings, threads, train);
      console.log(`${goal.minutes} minutes: ${time.imagesPerSecond} images/s`);
      keepTime(times, time);
    }
  }
  for (let seed = 1; seed <= (flags.time ? 0 : seeds); seed++) {
    for (const goal of wanted) {
      const task = taskOf(goal, seed, settings);
      const name = `${goal.minutes} minutes, seed ${seed}`;
      const say = (line) => console.log(`${name}: ${line}`);
      const end = await learn(task, { runs, checkpoint: join(cache, keyOf(task)), train, judges, threads, say });
      if (end === "elsewhere") say("in work elsewhere");
      if (end !== "made") continue;
      say(`${percent(readRun(runs, task).right)} of the test pictures`);
      writtenPage();
    }
  }
  if (allRuns().length > 0) process.stdout.write(`\n## goals\n\n${writtenPage()}`);
}
