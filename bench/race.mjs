/**
 * How long does a run take, beside the rivals'? One thread and two; logits are compared first. The machine's limit is
 * measured before and after every round, so that each figure is also a share of it.
 *
 *     node race.mjs [--quick] [--model 1.0-224] [--only depthwise:1,litert:1] [--backend reference]
 */

import { LIMIT, OURS, WASM_RIVALS } from "./harness/contenders.mjs";
import { raceModels } from "./harness/race-tables.mjs";
import { writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { MODEL_NAMES } from "./models/files.mjs";

const LIMIT_KEY = `${LIMIT}:1`;

const settings = readSettings({
  models: MODEL_NAMES,
  keys: [1, 2].flatMap((threads) => [OURS, ...WASM_RIVALS].map((name) => `${name}:${threads}`)),
});
const { models, sections } = await raceModels(settings, LIMIT_KEY);
writeReport("race", settings, { settings: settings.measure, models }, sections.join("\n\n"));
