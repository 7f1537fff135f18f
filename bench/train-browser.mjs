/**
 * How long does a training step take in a browser? This library alone, one thread, in a worker of a page of headless
 * Chromium, taking turns with a process of the Node that runs this.
 *
 *     node train-browser.mjs [--quick] [--model a25-96-16]
 */

import { basename, dirname } from "node:path";
import { UPDATES } from "./adapters/training.mjs";
import { OURS, trainers } from "./harness/contenders.mjs";
import { checkResults, goRounds, withField } from "./harness/field.mjs";
import { withPage } from "./harness/page.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";
import { STEM_FILTERS } from "./models/mobilenet-v1.mjs";
import { prepareTraining, TRAINING } from "./models/training.mjs";

const PAGE = "chromium:1";
const NODE = `${OURS}:1`;

const settings = readSettings({ models: ["a25-96-16"] });
const models = {};
let browserVersion;
for (const name of settings.models) {
  const model = prepareTraining(name);
  const fields = [];
  for (let field = 0; field < settings.measure.fields; field++) fields.push(await runField(model));
  models[name] = summarise(fields);
}
report();

/** One browser with one worker, one process of Node: key → the median of each round. */
async function runField(model) {
  const mounts = [`/models=${dirname(model.files.image)}`];
  return withField(model, trainers([NODE]), settings.measure, ([node]) =>
    withPage(mounts, async (page, version) => {
      browserVersion = version;
      const member = await startInPage(page, model);
      checkResults([node, member]);
      const { rounds, least, warmMs, wakeMs, sliceMs } = settings.measure;
      await member.ask("run", { least: 1, wakeMs: 0, ms: warmMs });
      const turns = await goRounds([node, member], {
        rounds,
        turn: async ({ ask }) => median((await ask("run", { least, wakeMs, ms: sliceMs })).times),
      });
      return { createMs: member.facts.createMs, rounds: Object.fromEntries(turns) };
    }),
  );
}

/** As `withField` gives its members. */
async function startInPage(page, model) {
  await page.evaluate(() => {
    const worker = new Worker("/bench/adapters/train-page-worker.js", { type: "module" });
    globalThis.askWorker = (message) =>
      new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message: text }) => resolve({ error: `The worker failed: ${text}` });
        worker.postMessage(message);
      });
  });
  const ask = async (order, details) => {
    const answer = await page.evaluate((message) => globalThis.askWorker(message), { order, ...details });
    if (answer.error !== undefined) throw new Error(`${PAGE}: ${answer.error}`);
    return answer;
  };
  const served = Object.entries(model.files).map(([key, path]) => [key, `/models/${basename(path)}`]);
  const { results, facts } = await ask("load", {
    model: { ...model, ...TRAINING, stemFilters: STEM_FILTERS },
    files: Object.fromEntries(served),
    updates: UPDATES,
    options: { backend: "wasm", threads: 1 },
  });
  return { key: PAGE, contender: { adapter: "page" }, results, facts, ask };
}

function summarise(fields) {
  const msOf = (key) => spreadOf(fields.map(({ rounds }) => median(rounds[key])));
  const rate = ({ rounds }) => median(rounds[NODE].map((ms, round) => ms / rounds[PAGE][round]));
  return {
    nodeMs: msOf(NODE),
    chromiumMs: msOf(PAGE),
    rate: spreadOf(fields.map(rate)),
    createMs: spreadOf(fields.map(({ createMs }) => createMs)),
    fields,
  };
}

function report() {
  const rows = Object.entries(models).map(([name, { nodeMs, chromiumMs, rate, createMs }]) => [
    name,
    spreadText(nodeMs, 1),
    spreadText(chromiumMs, 1),
    spreadText(rate),
    spreadText(createMs, 0),
  ]);
  const headers = [
    "one thread",
    "Node, ms a step",
    "Chromium, ms a step",
    "Chromium's rate over Node's",
    "made in, ms",
  ];
  const text = [
    `Chromium ${browserVersion}, headless, cross-origin isolated, in a worker; each field a fresh browser and a fresh process.`,
    table(headers, rows),
  ].join("\n\n");
  writeReport("train-browser", settings, { settings: settings.measure, chromium: browserVersion, models }, text);
}
