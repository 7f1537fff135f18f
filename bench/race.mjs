/**
 * How long does a run take, beside the rivals'? One thread and two; logits are compared first. The machine's limit is
 * measured before and after every round, so that each figure is also a share of it.
 *
 *     node race.mjs [--quick] [--model 1.0-224] [--only depthwise:1,litert:1] [--backend reference]
 */

import { contenders, LIMIT, OURS, WASM_RIVALS } from "./harness/contenders.mjs";
import { perField, race, ratios } from "./harness/field.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { spreadOf, spreadText } from "./harness/statistics.mjs";
import { MODEL_NAMES, prepareModel } from "./models/files.mjs";
import { multAdds } from "./models/mobilenet-v1.mjs";

const BASE = "onnxruntime-web:1";
const LIMIT_KEY = `${LIMIT}:1`;

const settings = readSettings({
  models: MODEL_NAMES,
  keys: [1, 2].flatMap((threads) => [OURS, ...WASM_RIVALS].map((name) => `${name}:${threads}`)),
});
const models = {};
const sections = [];
for (const name of settings.models) {
  const model = prepareModel(name);
  const fields = await race(model, contenders([LIMIT_KEY, ...settings.keys], settings), settings.measure);
  models[name] = summarise(model, fields);
  sections.push(section(name, models[name]));
}
writeReport("race", settings, { settings: settings.measure, models }, sections.join("\n\n"));

function summarise(model, fields) {
  const flops = 2 * multAdds(model);
  const keys = [...fields[0].keys()].filter((key) => key !== LIMIT_KEY);
  const rows = keys.map((key) => {
    const ms = fields.map((field) => field.get(key).ms);
    const share = perField(fields, key, (field, round) => {
      const limit = field.get(LIMIT_KEY);
      return flops / field.get(key).rounds[round] / (limit.flopsPerRun / limit.rounds[round]);
    });
    const runs = Math.min(...fields.map((field) => field.get(key).runs));
    return [key, { ms: spreadOf(ms), gflops: flops / spreadOf(ms).median / 1e6, share: spreadOf(share), runs }];
  });
  const pairs = keys.flatMap((key) =>
    keys.filter((other) => other !== key && (key.startsWith(OURS) || other === BASE)).map((other) => [key, other]),
  );
  return {
    contenders: Object.fromEntries(rows),
    limitGflops: spreadOf(
      fields.map((field) => field.get(LIMIT_KEY)).map(({ flopsPerRun, ms }) => flopsPerRun / ms / 1e6),
    ),
    ratios: Object.fromEntries(
      pairs.map(([key, other]) => [`${key} / ${other}`, spreadOf(ratios(fields, key, other))]),
    ),
    fields: fields.map((field) => Object.fromEntries(field)),
  };
}

function section(name, { contenders: rows, limitGflops, ratios: all }) {
  const ourKeys = Object.keys(rows).filter((key) => key.startsWith(OURS));
  const ratioCell = (key, other) => (all[`${key} / ${other}`] ? spreadText(all[`${key} / ${other}`]) : "");
  const headers = [
    "contender:threads",
    "ms",
    "GFLOP/s",
    "share of limit",
    `× ${BASE}`,
    ...ourKeys.map((key) => `${key} takes`),
  ];
  const lines = Object.entries(rows).map(([key, { ms, gflops, share }]) => [
    key,
    spreadText(ms),
    gflops.toFixed(1),
    spreadText(share),
    ratioCell(key, BASE),
    ...ourKeys.map((ours) => ratioCell(ours, key)),
  ]);
  const limit = `${LIMIT_KEY}: ${spreadText(limitGflops, 1)} GFLOP/s. Medians of the fields, smallest to largest.`;
  return `### ${name}\n\n${limit}\n\n${table(headers, lines)}`;
}
