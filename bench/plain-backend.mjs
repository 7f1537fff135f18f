/**
 * How fast is the plain backend, which needs neither WebAssembly nor eval, beside TensorFlow.js' cpu backend? Both
 * plain JavaScript on one thread, batch norm folded for both.
 *
 *     node plain-backend.mjs [--quick] [--model 1.0-224] [--backend reference]
 */

import { contenders } from "./harness/contenders.mjs";
import { race, ratios } from "./harness/field.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { spreadOf, spreadText } from "./harness/statistics.mjs";
import { prepareModel } from "./models/files.mjs";

const [OURS, RIVAL] = ["depthwise-plain:1", "tfjs-cpu:1"];

const settings = readSettings({ models: ["1.0-224", "0.25-128"] });
const models = {};
for (const name of settings.models) {
  const fields = await race(prepareModel(name), contenders([OURS, RIVAL], settings), settings.measure);
  const ms = (key) => spreadOf(fields.map((field) => field.get(key).ms));
  models[name] = {
    oursMs: ms(OURS),
    rivalMs: ms(RIVAL),
    ratio: spreadOf(ratios(fields, OURS, RIVAL)),
    fields: fields.map((field) => Object.fromEntries(field)),
  };
}
const rows = Object.entries(models).map(([name, { oursMs, rivalMs, ratio }]) => [
  name,
  spreadText(oursMs, 1),
  spreadText(rivalMs, 1),
  spreadText(ratio),
]);
const markdown = table(["network", "depthwise plain, ms", "tfjs cpu, ms", "ratio"], rows);
writeReport("plain-backend", settings, { settings: settings.measure, models }, markdown);
