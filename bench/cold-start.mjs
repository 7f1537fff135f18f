/**
 * How long from starting a process to the first prediction in hand? Node's own start, loading the library, reading
 * the weights from a file in the page cache, compiling, one run. Processes one after another, contenders in turn;
 * ratios within a turn.
 *
 *     node cold-start.mjs [--quick] [--model 1.0-224] [--only depthwise:1,litert:1] [--backend reference]
 */

import { contenders, OURS, setUp, WASM_RIVALS } from "./harness/contenders.mjs";
import { runOnce } from "./harness/one-shot.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { spreadOf, spreadText } from "./harness/statistics.mjs";
import { prepareModel } from "./models/files.mjs";

const BARE = "bare Node";
/** The same from weights with batch norm already folded, which is what the rivals' files hold. */
const FROM_FOLDED = "depthwise:1, folded file";

const settings = readSettings({ models: ["1.0-224", "0.25-128"], keys: [OURS, ...WASM_RIVALS] });
const models = {};
for (const name of settings.models) models[name] = await measure(prepareModel(name));
const sections = Object.entries(models).map(([name, result]) => section(name, result));
writeReport("cold-start", settings, { processes: settings.measure.processes, models }, sections.join("\n\n"));

async function measure(model) {
  const rivalsAndUs = contenders(settings.keys, settings);
  await setUp(rivalsAndUs);
  const ours = rivalsAndUs.find(({ key }) => key === `${OURS}:1`);
  const folded = ours && { ...ours, key: FROM_FOLDED, options: { ...ours.options, file: "folded" } };
  const all = [undefined, ...rivalsAndUs, ...(folded ? [folded] : [])];
  const times = Object.fromEntries(all.map((contender) => [contender?.key ?? BARE, []]));
  for (let turn = 0; turn <= settings.measure.processes; turn++) {
    for (const contender of all) {
      const { firstMs } = runOnce(model, contender);
      // The first turn brings all files into the page cache.
      if (turn > 0) times[contender?.key ?? BARE].push(firstMs);
    }
  }
  const spreads = Object.fromEntries(Object.entries(times).map(([key, values]) => [key, spreadOf(values)]));
  return { spreads, ...(ours === undefined ? {} : compare(times, spreads, ours.key)), times };
}

/** Our time over each rival's, turn by turn, and over the fastest one's. */
function compare(times, spreads, ours) {
  const rivals = WASM_RIVALS.map((name) => `${name}:1`).filter((key) => times[key] !== undefined);
  const over = (rival) => spreadOf(times[ours].map((ms, turn) => ms / times[rival][turn]));
  const fastest = [...rivals].sort((a, b) => spreads[a].median - spreads[b].median)[0];
  return {
    fastest,
    ratios: Object.fromEntries(rivals.map((rival) => [rival, over(rival)])),
    ...(fastest === undefined ? {} : { overFastest: over(fastest) }),
  };
}

function section(name, { spreads, ratios = {} }) {
  const rows = Object.entries(spreads).map(([key, ms]) => [
    key,
    spreadText(ms, 0),
    ms.least.toFixed(0),
    ratios[key] ? spreadText(ratios[key]) : "",
  ]);
  return `### ${name}\n\n${table(["", "first prediction, ms", "fastest", `${OURS}:1 takes`], rows)}`;
}
