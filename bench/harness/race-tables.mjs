/** What a race comes to: times, shares of the limit, ratios within a round; and the table of a network. */

import { prepareModel } from "../models/files.mjs";
import { multAdds } from "../models/mobilenet-v1.mjs";
import { contenders, OURS } from "./contenders.mjs";
import { perField, race, ratios } from "./field.mjs";
import { table } from "./report.mjs";
import { spreadOf, spreadText } from "./statistics.mjs";

/** The rivals' published ratios are over this one. */
export const BASE = "onnxruntime-web:1";

/** Races on every model of the settings: what it comes to by model, and the tables. */
export async function raceModels(settings, limitKey) {
  const models = {};
  const sections = [];
  for (const name of settings.models) {
    const model = prepareModel(name);
    const fields = await race(model, contenders([limitKey, ...settings.keys], settings), settings.measure);
    models[name] = summarise(model, fields, limitKey);
    sections.push(section(name, models[name], limitKey));
  }
  return { models, sections };
}

/** @param limitKey the limit of which each figure is a share */
function summarise(model, fields, limitKey) {
  const flops = 2 * multAdds(model);
  const keys = [...fields[0].keys()].filter((key) => key !== limitKey);
  const rows = keys.map((key) => {
    const ms = fields.map((field) => field.get(key).ms);
    const share = perField(fields, key, (field, round) => {
      const limit = field.get(limitKey);
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
      fields.map((field) => field.get(limitKey)).map(({ flopsPerRun, ms }) => flopsPerRun / ms / 1e6),
    ),
    ratios: Object.fromEntries(
      pairs.map(([key, other]) => [`${key} / ${other}`, spreadOf(ratios(fields, key, other))]),
    ),
    fields: fields.map((field) => Object.fromEntries(field)),
  };
}

function section(name, { contenders: rows, limitGflops, ratios: all }, limitKey) {
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
  const limit = `${limitKey}: ${spreadText(limitGflops, 1)} GFLOP/s. Medians of the fields, smallest to largest.`;
  return `### ${name}\n\n${limit}\n\n${table(headers, lines)}`;
}
