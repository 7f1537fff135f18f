/**
 * How long does a run take with `simd: "wide"`, beside our own relaxed SIMD and beside native code? Vectors of 256 bits
 * are an experimental switch of V8 (Node 24 and later), on in the processes of the contenders named "wide" alone. One
 * interleaved run, as in `race.mjs`; shares are of the limit of 256 bits.
 *
 * The switch joins vectors in others' WebAssembly too: the fastest rival is there with it. onnxruntime-web is there
 * without, because the rivals' published ratios are over it.
 *
 *     node wide.mjs [--quick] [--model 1.0-224] [--only depthwise-wide:1,pytorch:1]
 */

import { findTorch, hasWideSimd } from "./harness/features.mjs";
import { BASE, raceModels } from "./harness/race-tables.mjs";
import { writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { MODEL_NAMES } from "./models/files.mjs";

const LIMIT_KEY = "limit-wide:1";
const ON_BOTH = ["depthwise-relaxed", "depthwise-wide", "onnxruntime-node", "litert-wide"];

const settings = readSettings({
  models: MODEL_NAMES,
  keys: [...[1, 2].flatMap((threads) => ON_BOTH.map((name) => `${name}:${threads}`)), "pytorch:1", BASE],
});
if (hasWideSimd) await measure();
else process.stdout.write("\n## wide\n\nThis engine joins no vectors to wide ones: nothing to measure.\n");

async function measure() {
  const { models, sections } = await raceModels(settings, LIMIT_KEY);
  const python = findTorch();
  writeReport(
    "wide",
    settings,
    { settings: settings.measure, python, models },
    [about(python), ...sections].join("\n\n"),
  );
}

function about(python) {
  return python === undefined
    ? "pytorch is left out: no Python here can import torch."
    : `pytorch: ${python.version} of ${python.python}, which takes its own time; channels last.`;
}
