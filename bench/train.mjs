/**
 * How long does a training step take, beside PyTorch's, TensorFlow.js' and jax-js'? Batch norm in train mode, softmax
 * cross-entropy over 10 classes, SGD with momentum. All start from the same parameters and take the same batch; the losses
 * of the first step and after each of three updates are compared first. Where a step spends its time, and what its products
 * are of the limit, comes from the trainer's own profile in the same fields; memory from processes of their own.
 *
 *     node train.mjs [--quick] [--model a25-96-16] [--only depthwise:1,pytorch-contiguous:1] [--backend reference]
 */

import { LIMIT, OURS, trainers } from "./harness/contenders.mjs";
import { findTorch } from "./harness/features.mjs";
import { race, withField } from "./harness/field.mjs";
import { runOnce } from "./harness/one-shot.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";
import { betterLayouts, profileRounds, summariseTraining, trainingSection } from "./harness/training-tables.mjs";
import { prepareTraining, stepFlops, TRAINING_NAMES, trainingBytes } from "./models/training.mjs";

const NAMES = [OURS, `${OURS}-wide`, "pytorch-contiguous", "pytorch-channels-last"];
/** Much slower: on this shape alone, and the second outside the rounds. */
const SLOW_SHAPE = "a25-96-16";
const SLOW = "jax-js:1";
const SLOWEST = "tfjs-cpu:1";
/** The memory of this one is asked. */
const MEMORY_SHAPE = "a100-224-8";
const ALLOWED = 1.3;
const MB = 1e6;

/** A step takes up to a second: fewer rounds and runs than of a single image, thirty timed steps in five fields. */
const FULL = {
  fields: 5,
  rounds: 3,
  warmMs: 300,
  least: 2,
  wakeMs: 50,
  sliceMs: 200,
  processes: 3,
  profiles: 2,
  profileRuns: 3,
};
const QUICK = {
  fields: 1,
  rounds: 1,
  warmMs: 1,
  least: 1,
  wakeMs: 0,
  sliceMs: 1,
  processes: 1,
  profiles: 1,
  profileRuns: 1,
};
/** A step of so many operations wakes caches and clocks up by itself. */
const LONG_FLOPS = 5e9;
const MEMORY_STEPS = 3;

const settings = readSettings({
  models: TRAINING_NAMES,
  keys: [...[1, 2].flatMap((threads) => NAMES.map((name) => `${name}:${threads}`)), SLOW, SLOWEST],
});
const measure = settings.isQuick ? QUICK : FULL;
const models = {};
const sections = [];
for (const name of settings.models) {
  const model = prepareTraining(name);
  models[name] = await measureShape(model);
  sections.push(trainingSection(name, models[name]));
  if (models[name].outside !== undefined) sections.push(outsideText(models[name].outside));
}
const memory = settings.models.includes(MEMORY_SHAPE) ? measureMemory() : undefined;
if (memory !== undefined) sections.push(memoryText(memory));
const python = findTorch();
writeReport("train", settings, { settings: measure, python, models, memory }, [about(), ...sections].join("\n\n"));

async function measureShape(model) {
  const isSlowShape = model.name === SLOW_SHAPE;
  const keys = settings.keys.filter((key) => key !== SLOWEST && (isSlowShape || key !== SLOW));
  const hasWide = keys.some((key) => key.startsWith(`${OURS}-wide`));
  const limits = [`${LIMIT}:1`, ...(hasWide ? ["limit-wide:1"] : [])];
  const all = trainers([...limits, ...keys], settings);
  const own = { ...measure, ...(stepFlops(model) > LONG_FLOPS ? { wakeMs: 0 } : {}) };
  const after = (members) => profileRounds(model, members, { ...own, rounds: own.profiles });
  const first = await race(model, all, { ...own, fields: 1 }, after);
  const layouts = betterLayouts(first[0]);
  const counted = all.filter(({ key }) => !key.startsWith("pytorch") || Object.values(layouts).includes(key));
  const others = await race(model, counted, { ...own, fields: own.fields - 1 }, after);
  const outside = isSlowShape && settings.keys.includes(SLOWEST) ? await measureOutside(model) : undefined;
  return { ...summariseTraining(model, [...first, ...others], layouts), outside };
}

/** Steps that were taken to compare the losses, beside those of this library in the same minute. */
async function measureOutside(model) {
  const ours = `${OURS}:1`;
  const list = trainers([ours, SLOWEST], settings);
  return withField(model, list, { warmMs: 0 }, async ([reference, slowest]) => {
    const { times } = await reference.ask("run", { least: 10, wakeMs: 500, ms: 0 });
    const { stepMs } = slowest.facts;
    const ms = median(stepMs);
    return { key: SLOWEST, stepMs, ms, ratio: ms / median(times), losses: slowest.results };
  });
}

function measureMemory() {
  const model = prepareTraining(MEMORY_SHAPE);
  const { outputs, parameters } = trainingBytes(model);
  const boundMb = (outputs + 3 * parameters) / MB;
  const bareBytes = median(Array.from({ length: measure.processes }, () => runOnce(model, undefined).peakBytes));
  const list = trainers(
    settings.keys.filter((key) => key.startsWith(OURS) && key.endsWith(":1")),
    settings,
  );
  const peaks = Object.fromEntries(
    list.map((contender) => {
      const shots = Array.from({ length: measure.processes }, () => runOnce(model, contender, MEMORY_STEPS));
      const overMb = spreadOf(shots.map(({ peakBytes }) => (peakBytes - bareBytes) / MB));
      const over = spreadOf(shots.map(({ peakBytes }) => (peakBytes - bareBytes) / MB / boundMb));
      return [contender.key, { overMb, over, arenaMb: shots[0].arenaBytes / MB }];
    }),
  );
  return { model: MEMORY_SHAPE, bareMb: bareBytes / MB, boundMb, allowedMb: ALLOWED * boundMb, peaks };
}

function memoryText({ bareMb, boundMb, allowedMb, peaks }) {
  const rows = Object.entries(peaks).map(([key, { overMb, over, arenaMb }]) => [
    key,
    spreadText(overMb, 1),
    arenaMb.toFixed(1),
    spreadText(over),
  ]);
  return [
    `### memory, ${MEMORY_SHAPE}`,
    `Bare Node: ${bareMb.toFixed(1)} MB. Every convolution's output once and three times the parameters: ${boundMb.toFixed(1)} MB; allowed: ${ALLOWED} times that, ${allowedMb.toFixed(1)} MB.`,
    table(["", "peak over bare Node, MB", "held for training, MB", "× the former"], rows),
  ].join("\n\n");
}

function outsideText({ key, stepMs, ratio }) {
  const times = stepMs.map((ms) => (ms / 1000).toFixed(1)).join(" and ");
  return `Outside the rounds, ${key}: ${times} s a step, ${ratio.toFixed(0)} × ${OURS}:1.`;
}

function about() {
  return python === undefined
    ? "PyTorch is left out: no Python here can import torch."
    : `PyTorch ${python.version} of ${python.python}, which takes its own time; the faster of its layouts in the first field goes on to the others, and counts.`;
}
