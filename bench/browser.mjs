/**
 * How long does a run take in a browser? This library alone, in headless Chromium, on one thread and two, as it was
 * built (`npm run build` in the project). It needs none of the peers: `node browser.mjs [--quick] [--model 1.0-224]`.
 *
 * Each field is a fresh browser; the contenders take turns in one page, whose two sessions must give the same bits.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { withPage } from "./harness/page.mjs";
import { jsonText, resultsFolder, table } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";

const THREADS = [1, 2];
const NETWORKS = JSON.parse(readFileSync(new URL("shapes/mobilenet-v1.json", import.meta.url), "utf8"));

const settings = readSettings({ models: ["1.0-224", "0.25-128"] });
const loadBefore = loadavg();
const models = {};
let browserVersion;
for (const name of settings.models) {
  const network = NETWORKS.find((candidate) => candidate.name === name);
  if (network === undefined) throw new Error(`No model "${name}".`);
  const fields = [];
  for (let field = 0; field < settings.measure.fields; field++) fields.push(await runField(network));
  models[name] = summarise(fields);
}
report();

/** One browser, one page, one session for each number of threads. */
async function runField({ alpha, resolution, classes }) {
  return withPage([], (page, version) => {
    browserVersion = version;
    const options = { alpha, resolution, classes };
    return page.evaluate(measureInPage, { options, threads: THREADS, measure: settings.measure });
  });
}

/** Runs in the page, and sees nothing of this file. */
async function measureInPage({ options, threads, measure }) {
  const { compile, mobileNetV1 } = await import("/dist/esm/index.js");
  const model = mobileNetV1(options);
  const input = Float32Array.from({ length: options.resolution ** 2 * 3 }, (_, i) => Math.sin(i * i));
  const members = [];
  for (const count of threads) {
    const session = await compile(model, { backend: "wasm", threads: count });
    const { logits } = await session.run(input);
    members.push({ session, logits: logits.data, times: [] });
  }
  if (members.some(({ logits }) => logits.some((value, i) => value !== members[0].logits[i]))) {
    throw new Error("The threads do not give the same bits: nothing is timed.");
  }
  const turn = async (session, least, ms) => {
    const times = [];
    const start = performance.now();
    while (times.length < least || performance.now() - start < ms) {
      const before = performance.now();
      await session.run(input);
      times.push(performance.now() - before);
    }
    return times;
  };
  for (const { session } of members) await turn(session, 1, measure.warmMs);
  for (let round = 0; round < measure.rounds; round++) {
    for (const { session, times } of round % 2 === 0 ? members : [...members].reverse()) {
      await turn(session, 0, measure.wakeMs);
      times.push(await turn(session, measure.least, measure.sliceMs));
    }
  }
  const { limitGflops } = await members[0].session.profile(input, { runs: 1 });
  const multAdds = members[0].session.plan.steps.reduce((sum, step) => sum + step.multAdds, 0);
  return {
    agent: navigator.userAgent,
    limitGflops,
    multAdds,
    contenders: members.map(({ session, times }) => {
      const { backend, simd, threads: used, features, reasons, bytes } = session.explain();
      session.close();
      return { explain: { backend, simd, threads: used, features, reasons, bytes }, times };
    }),
  };
}

function summarise(fields) {
  const [{ multAdds }] = fields;
  const contenders = THREADS.map((_, index) => {
    const ms = spreadOf(fields.map((field) => median(field.contenders[index].times.flat())));
    const share = spreadOf(
      fields.map(({ contenders: list, limitGflops }) => {
        const { explain, times } = list[index];
        return (2 * multAdds) / median(times.flat()) / 1e6 / limitGflops / explain.threads;
      }),
    );
    const runs = Math.min(...fields.map((field) => field.contenders[index].times.flat().length));
    return { explain: fields[0].contenders[index].explain, ms, share, runs };
  });
  const speedUp = spreadOf(
    fields.map(({ contenders: [one, two] }) =>
      median(one.times.map((times, round) => median(times) / median(two.times[round]))),
    ),
  );
  const limitGflops = spreadOf(fields.map((field) => field.limitGflops));
  // Of thousands of runs the file keeps each round's median.
  const rounds = fields.map((field) => ({
    limitGflops: field.limitGflops,
    rounds: field.contenders.map(({ times }) => times.map((round) => Number(median(round).toFixed(4)))),
  }));
  return { multAdds, contenders, speedUp, limitGflops, fields: rounds };
}

function report() {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const about = {
    date: new Date().toISOString(),
    chromium: browserVersion,
    depthwise: version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    loadBefore,
    loadAfter: loadavg(),
  };
  const rows = Object.entries(models).flatMap(([name, { contenders, speedUp }]) =>
    contenders.map(({ explain, ms, share, runs }) => [
      name,
      explain.threads,
      explain.simd,
      spreadText(ms),
      `${(100 * share.median).toFixed(0)} %`,
      explain.threads === 1 ? "" : spreadText(speedUp),
      runs,
    ]),
  );
  const headers = ["network", "threads", "SIMD", "ms", "share of the limit", "over one thread", "runs a field"];
  const [{ contenders, limitGflops }] = Object.values(models);
  const { features } = contenders[0].explain;
  const on = Object.entries(features).map(([feature, has]) => `${feature} ${has ? "yes" : "no"}`);
  const load = `load ${about.loadBefore[0].toFixed(2)} before, ${about.loadAfter[0].toFixed(2)} after`;
  const text = [
    ...(settings.isQuick ? ["A quick run: its numbers mean nothing."] : []),
    `Chromium ${browserVersion}, headless, cross-origin isolated; ${about.cpu}, ${about.cores} cores, ${load}, ${about.date.slice(0, 10)}. depthwise ${version}.`,
    table(headers, rows),
    `Features: ${on.join(", ")}. The limit of one thread, multiply-adds over registers alone: ${spreadText(limitGflops, 1)} GFLOP/s. In brackets the least and the most of ${settings.measure.fields} fresh browsers.`,
  ].join("\n\n");
  const folder = resultsFolder(settings.isQuick);
  mkdirSync(folder, { recursive: true });
  const data = { about, settings: settings.measure, models };
  writeFileSync(new URL("browser.json", folder), jsonText(data));
  writeFileSync(new URL("browser.md", folder), `${text}\n`);
  process.stdout.write(`\n## browser\n\n${text}\n`);
}
