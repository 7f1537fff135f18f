/**
 * How much memory does it take? Peak resident memory of a fresh process over bare Node's, after twenty runs of
 * 1.0-224. Megabytes of 1,000,000 bytes.
 *
 *     node memory.mjs [--quick] [--only depthwise:1,litert:1] [--backend reference]
 */

import { contenders, OURS, setUp, WASM_RIVALS } from "./harness/contenders.mjs";
import { runOnce } from "./harness/one-shot.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";
import { prepareModel } from "./models/files.mjs";

const MB = 1e6;
const RUNS = 20;
/** A second each: no peak comes after the third. */
const RUNS_OF = { "tfjs-cpu:1": 3 };
const PROCESSES = 5;
/** What the project allows: the weights (twice, while they are packed), and this. The arena comes on top. */
const [WEIGHTS_MB, OWN_MB] = [17, 25];

const settings = readSettings({
  models: ["1.0-224"],
  keys: [1, 2].flatMap((threads) => [OURS, ...WASM_RIVALS, "tfjs-cpu"].map((name) => `${name}:${threads}`)),
});
const model = prepareModel(settings.models[0]);
const list = contenders(settings.keys, settings);
await setUp(list);
const processes = Math.min(PROCESSES, settings.measure.processes);
const bareBytes = median(Array.from({ length: processes }, () => runOnce(model, undefined).peakBytes));
const peaks = Object.fromEntries(list.map((contender) => [contender.key, measure(contender)]));
const ours = peaks[`${OURS}:1`];
const allowedMb = 2 * WEIGHTS_MB + (ours?.arenaMb ?? 0) + OWN_MB;
const rivalsMb = Object.entries(peaks).flatMap(([key, { overMb }]) =>
  key.startsWith(OURS) || !key.endsWith(":1") ? [] : overMb.median,
);
const smallestRivalMb = Math.min(...rivalsMb);
report();

function measure(contender) {
  const shots = Array.from({ length: processes }, () => runOnce(model, contender, RUNS_OF[contender.key] ?? RUNS));
  const overMb = spreadOf(shots.map(({ peakBytes }) => (peakBytes - bareBytes) / MB));
  const { arenaBytes } = shots[0];
  return { overMb, ...(arenaBytes === undefined ? {} : { arenaMb: arenaBytes / MB }) };
}

function report() {
  const rows = Object.entries(peaks).map(([key, { overMb }]) => [key, spreadText(overMb, 1)]);
  const allowance = ours
    ? `Allowed: 2 × ${WEIGHTS_MB} MB of weights + ${ours.arenaMb.toFixed(1)} MB of arena + ${OWN_MB} MB = ${allowedMb.toFixed(1)} MB.\n\n`
    : "";
  const markdown = `Bare Node: ${(bareBytes / MB).toFixed(1)} MB. ${allowance}${table(["", "over bare Node, MB"], rows)}`;
  writeReport("memory", settings, { processes, bareMb: bareBytes / MB, allowedMb, smallestRivalMb, peaks }, markdown);
}
