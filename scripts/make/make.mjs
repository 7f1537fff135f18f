/**
 * Makes a network that lies in the package: trains it, stores it as 8-bit integers, measures what was stored, and writes
 * the file, its figures and its card. Everything is done with plain SIMD, whose bits are the same on each machine and
 * each version of Node: so is the file.
 */

import { createHash } from "node:crypto";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { isDepthwiseError, loadModel, mobileNetV1 } from "../../dist/esm/index.js";
import * as train from "../../dist/esm/train.js";
import { encodeModel, foldBatchNorm } from "../../dist/esm/weights.js";
import { Refusal } from "../data/packages.mjs";
import { writeCard } from "./card.mjs";
import { measure, sureOfNothing } from "./measure.mjs";
import { withNothing } from "./nothing.mjs";

const SIMD = "plain";

/**
 * @typedef {object} Made what is made
 * @property {string} name as it is imported: `depthwise/models/NAME`
 * @property {string} data the folder that `npm run data:…` makes
 * @property {(train: typeof train, folder: string) => Promise<{ train: train.Dataset, test: train.Dataset }>} open
 * @property {object} network options of `mobileNetV1`, but for the seed
 * @property {(train: typeof train) => object} recipe options of `fit`
 * @property {{ examples: number, epochs: number }} quick what a run of two minutes takes
 */

/** @param {Made} made */
export async function make(made) {
  try {
    await run(made, flagsOf(made.name));
  } catch (cause) {
    if (!(cause instanceof Refusal || isDepthwiseError(cause))) throw cause;
    console.error(cause.message);
    process.exitCode = 1;
  }
}

function flagsOf(name) {
  const usage = new Refusal(`Usage: npm run make:${name} [-- --seed 1] [--threads 2] [--measure] [--quick]`);
  const values = parsed(usage);
  const [seed, threads] = [Number(values.seed), Number(values.threads)];
  const isCount = (value) => Number.isInteger(value) && value > 0;
  if (!isCount(seed) || !isCount(threads)) throw usage;
  return { ...values, seed, threads };
}

function parsed(usage) {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string", default: "1" },
        threads: { type: "string", default: "2" },
        quick: { type: "boolean", default: false },
        measure: { type: "boolean", default: false },
      },
    });
    return values;
  } catch {
    throw usage;
  }
}

async function run(made, flags) {
  if (!(await stat(made.data).catch(() => undefined))) {
    throw new Refusal(`${made.data} is not there: npm run ${made.data.replace("/", ":")} makes it.`);
  }
  const opened = await made.open(train, made.data);
  const sets = { ...opened, train: await withNothing(opened.train) };
  if (flags.quick) return void (await stored(made, sets.train, flags));
  const { model, bytes, sha256, history, recipe, network } = await stored(made, sets.train, flags);
  // The test set is looked at here, once, and by nothing before.
  const asFloat = await measure(model, sets.test, { simd: SIMD });
  const file = await loadModel(bytes);
  const asStored = await measure(file, sets.test, { simd: SIMD });
  const share = ({ right, examples }) => `${((100 * right) / examples).toFixed(2)} %`;
  console.log(
    `right of ${counted(asStored.examples)}: ${share(asFloat)} as float32, ${share(asStored)} as stored; ${minutesOf(history)} minutes`,
  );
  if (flags.measure) return;
  const quick = await stored(made, sets.train, { ...flags, quick: true });
  const figures = {
    name: made.name,
    bytes: bytes.length,
    sha256,
    quickSha256: quick.sha256,
    network,
    recipe: JSON.parse(JSON.stringify(recipe)),
    examples: {
      train: opened.train.size,
      nothing: sets.train.size - opened.train.size,
      test: asStored.examples,
    },
    minutes: minutesOf(history),
    threads: flags.threads,
    right: { float32: asFloat.right, stored: asStored.right },
    confusion: asStored.confusion,
    nothing: await sureOfNothing(file),
    history: history.map(({ epoch, loss, accuracy }) => ({ epoch, loss: rounded(loss), accuracy: rounded(accuracy) })),
  };
  await write(`src/pretrained/${made.name}-file.ts`, moduleOf(made.name, bytes));
  await write(`docs/models/${made.name}.json`, `${JSON.stringify(figures, null, 1)}\n`);
  await writeCard(figures);
}

/** Trains, and stores: batch norm folded in, kernels as 8-bit integers. */
async function stored(made, data, { seed, threads, quick }) {
  const recipe = { ...made.recipe(train), ...(quick ? { epochs: made.quick.epochs } : {}), seed, simd: SIMD };
  const network = { ...made.network, seed };
  const examples = quick ? data.take(Math.min(made.quick.examples, data.size)) : data;
  const place = quick ? undefined : join("data", "make", `${made.name}-${seed}`);
  const { model, history } = await learnt(network, examples, { ...recipe, threads }, place);
  const bytes = encodeModel(foldBatchNorm(model), { dtype: "I8" });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  console.log(`${quick ? "shortened run: " : ""}${counted(bytes.length)} bytes, sha256 ${sha256}`);
  return { model, bytes, sha256, history, recipe, network };
}

/** Trains; a run that was stopped goes on from where it was, to the same bytes. */
async function learnt(network, data, options, place) {
  const stopping = new AbortController();
  const onward = place === undefined ? "Nothing was written" : `The same command goes on from ${place}`;
  const stop = () => stopping.abort(new Refusal(`Stopped. ${onward}.`));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const checkpoint = place === undefined ? {} : { checkpoint: place, resume: true };
  const run = train.fit(mobileNetV1(network), data, { ...options, ...checkpoint, signal: stopping.signal });
  for await (const event of run) {
    if (event.type !== "epoch") continue;
    const { epoch, epochs, loss, accuracy, imagesPerSecond } = event;
    const right = `right ${(100 * accuracy).toFixed(2)} %`;
    console.log(
      `epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}, ${right}, ${imagesPerSecond.toFixed(0)} images/s`,
    );
  }
  process.off("SIGINT", stop).off("SIGTERM", stop);
  return run.done;
}

function minutesOf(history) {
  return Number((history.reduce((sum, { time }) => sum + time.seconds, 0) / 60).toFixed(1));
}

/** A module of one string: it goes through every bundler, with no file to host. */
function moduleOf(name, bytes) {
  return `/** Written by \`npm run make:${name}\`: the network as \`saveModel\` stores it, in base64. */
export const ${name.toUpperCase()}_FILE =
  "${Buffer.from(bytes).toString("base64")}";
`;
}

function counted(value) {
  return value.toLocaleString("en-US");
}

function rounded(value) {
  return Number(value.toPrecision(5));
}

async function write(path, text) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
