/**
 * Does every process get fast? Engines run new code on a baseline compiler first, and some libraries were seen stuck
 * there for the life of a process. The first hundred runs of twenty fresh processes: how the time falls, and how each
 * process settles (median of runs 61 to 100) beside all of them. A hundred runs of a small network take 60 ms, less
 * than a neighbour may keep the core: its processes go on to a thousand. A process that is stuck has no fast run at
 * all; one with a neighbour has some, so the fastest of the last runs tells the two apart.
 *
 *     node settle.mjs [--quick] [--model 1.0-224] [--only depthwise:1] [--backend reference]
 */

import { contenders, OURS, setUp } from "./harness/contenders.mjs";
import { runOnce } from "./harness/one-shot.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";
import { prepareModel } from "./models/files.mjs";

const RUNS = 100;
const RUNS_OF_SMALL = 1000;
const SMALL_MS = 2;
const SETTLED_AFTER = 60;
const CURVE = [1, 2, 3, 5, 10, 20, 50, 100];

const settings = readSettings({ models: ["1.0-224", "0.25-128"], keys: [`${OURS}:1`, `${OURS}:2`] });
const list = contenders(settings.keys, settings);
await setUp(list);
const models = {};
for (const name of settings.models) {
  const model = prepareModel(name);
  models[name] = Object.fromEntries(list.map((contender) => [contender.key, measure(model, contender)]));
}
writeReport("settle", settings, { processes: settings.measure.freshProcesses, models }, report());

function measure(model, contender) {
  const isSmall = median(runOnce(model, contender, RUNS).times.slice(SETTLED_AFTER)) < SMALL_MS;
  const runs = isSmall ? RUNS_OF_SMALL : RUNS;
  const processes = Array.from(
    { length: settings.measure.freshProcesses },
    () => runOnce(model, contender, runs).times,
  );
  const settled = processes.map((times) => median(times.slice(SETTLED_AFTER, RUNS)));
  const usual = median(settled);
  const fastest = processes.map((times) => Math.min(...times.slice(isSmall ? -RUNS : SETTLED_AFTER)));
  const curve = CURVE.map((run) => [run, median(processes.map((times) => times[run - 1]))]);
  return {
    settledMs: spreadOf(settled),
    overUsual: spreadOf(settled.map((ms) => ms / usual)),
    fastestOverUsual: spreadOf(fastest.map((ms) => ms / usual)),
    curveMs: Object.fromEntries(curve),
    processes: processes.map((times) => times.slice(0, RUNS).map((ms) => Number(ms.toFixed(4)))),
  };
}

function report() {
  const rows = Object.entries(models).flatMap(([name, results]) =>
    Object.entries(results).map(([key, { settledMs, overUsual, fastestOverUsual, curveMs }]) => [
      `${name}, ${key}`,
      spreadText(settledMs),
      overUsual.most.toFixed(2),
      fastestOverUsual.most.toFixed(2),
      ...Object.values(curveMs).map((ms) => ms.toFixed(2)),
    ]),
  );
  const headers = [
    "",
    "settled, ms",
    "slowest process × usual",
    "its fastest late run × usual",
    ...CURVE.map((run) => `run ${run}, ms`),
  ];
  return table(headers, rows);
}
