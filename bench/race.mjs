/**
 * How long does a run take, beside the rivals'? One thread and two; logits are compared first. The machine's limit is
 * measured before and after every round, so that each figure is also a share of it.
 *
 *     node race.mjs [--quick] [--model 1.0-224] [--only depthwise:1,litert:1] [--backend reference]
 */

import { contenders, LIMIT, OURS, WASM_RIVALS } from "./harness/contenders.mjs";
import { race } from "./harness/field.mjs";
import { section, summarise } from "./harness/race-tables.mjs";
import { writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { MODEL_NAMES, prepareModel } from "./models/files.mjs";

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
  models[name] = summarise(model, fields, LIMIT_KEY);
  sections.push(section(name, models[name], LIMIT_KEY));
}
writeReport("race", settings, { settings: settings.measure, models }, sections.join("\n\n"));
