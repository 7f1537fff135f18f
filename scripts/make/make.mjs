/**
 * Makes a network that lies in the package: trains it, stores it as 8-bit integers, measures what was stored, and writes
 * the file, its figures and its card. Everything is done with plain SIMD, whose bits are the same on each machine and
 * each version of Node: so is the file.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadModel, mobileNetV1 } from "../../dist/esm/index.js";
import * as train from "../../dist/esm/train.js";
import { encodeModel, foldBatchNorm } from "../../dist/esm/weights.js";
import { percent } from "../shared/percent.mjs";
import { Refusal } from "../shared/refusal.mjs";
import { stopping } from "../shared/stopping.mjs";
import { isBuiltAnew, isTold } from "../shared/told.mjs";
import { writeTogether } from "../shared/write-whole.mjs";
import { card } from "./card.mjs";
import { curve } from "./curve.mjs";
import { measure, sureOfNothing } from "./measure.mjs";
import { withNothing } from "./nothing.mjs";

const SIMD = "plain";

/** Whose network is the package's; others are measured and thrown away. */
const FIRST_SEED = 1;

/**
 * @typedef {object} Made what is made
 * @property {string} name as it is imported: `depthwise/models/NAME`
 * @property {string} data the folder that `npm run data:…` makes
 * @property {(train: typeof train, folder: string) => Promise<{ train: train.Dataset, test: train.Dataset }>} open
 * @property {object} network options of `mobileNetV1`, but for the seed
 * @property {(train: typeof train) => object} recipe options of `fit`
 * @property {{ examples: number, epochs: number }} quick what a shortened run takes
 */

/** @param {Made} made */
export async function make(made) {
  try {
    await run(made, flagsOf(made.name));
  } catch (cause) {
    const words = isBuiltAnew(cause)
      ? "The library was built anew meanwhile. The same command goes on."
      : cause.message;
    if (!isBuiltAnew(cause) && !(await isTold(cause))) throw cause;
    console.error(words);
    process.exitCode = cause instanceof Stopped ? cause.exitCode : 1;
  }
}

/** As shells have it: 128 and the number of the signal. */
const EXIT = { SIGINT: 130, SIGTERM: 143 };

/** Somebody ended it. */
class Stopped extends Refusal {
  constructor(name, message) {
    super(message);
    this.exitCode = EXIT[name];
  }
}

function flagsOf(name) {
  const usage = `Usage: npm run make:${name} [-- --threads 2] [--seed N] [--quick]. A seed other than ${FIRST_SEED} is measured, and nothing is written.`;
  const values = parsed(usage);
  const [seed, threads] = [Number(values.seed), Number(values.threads)];
  const isCount = (value) => Number.isInteger(value) && value > 0;
  if (!isCount(seed) || !isCount(threads)) throw new Refusal(usage);
  return { seed, threads, isQuick: values.quick };
}

function parsed(usage) {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string", default: String(FIRST_SEED) },
        threads: { type: "string", default: "2" },
        quick: { type: "boolean", default: false },
      },
    });
    return values;
  } catch {
    throw new Refusal(usage);
  }
}

async function run(made, flags) {
  if (!(await stat(made.data).catch(() => undefined))) {
    throw new Refusal(`${made.data} is not there: npm run ${made.data.replace("/", ":")} makes it.`);
  }
  const sets = await made.open(train, made.data);
  await checkPictures(made, sets);
  if (flags.isQuick) return void (await shortened(made, sets.train, flags));
  const isKept = flags.seed === FIRST_SEED;
  const data = await withNothing(sets.train);
  if (isKept) checkData(made, data.sha256);
  // First: what does not work fails in half a minute, not after an hour.
  const quickSha256 = isKept ? (await shortened(made, sets.train, flags)).sha256 : undefined;
  const { model, bytes, sha256, history, recipe, network, place } = await stored(made, data, flags);
  // The test set is looked at here, once, and by nothing before.
  const asFloat = await measure(model, sets.test, SIMD);
  const file = await loadModel(bytes);
  const asStored = await measure(file, sets.test, SIMD);
  const share = ({ right, examples }) => percent(right / examples);
  const minutes = Number((history.reduce((sum, { time }) => sum + time.seconds, 0) / 60).toFixed(1));
  const accuracies = `${share(asFloat)} as float32, ${share(asStored)} as stored`;
  console.log(`right of ${counted(asStored.examples)}: ${accuracies}; ${minutes} minutes`);
  if (isKept) {
    const figures = {
      name: made.name,
      bytes: bytes.length,
      sha256,
      quickSha256,
      dataSha256: data.sha256,
      network,
      recipe: JSON.parse(JSON.stringify(recipe)),
      examples: { train: sets.train.size, nothing: data.nothing, test: asStored.examples },
      minutes,
      threads: flags.threads,
      right: { float32: asFloat.right, stored: asStored.right },
      confusion: asStored.confusion,
      surest: asStored.surest,
      nothing: await sureOfNothing(file),
      history: history.map(({ epoch, loss }) => ({ epoch, loss: Number(loss.toPrecision(5)) })),
    };
    const texts = {
      [`src/pretrained/${made.name}-file.ts`]: moduleOf(made.name, bytes),
      [cardPath(made.name, "json")]: `${JSON.stringify(figures, null, 1)}\n`,
      [cardPath(made.name, "svg")]: curve(made.name, figures.history),
      [cardPath(made.name, "md")]: card(figures),
    };
    writeTogether(new Map(Object.entries(texts)));
  }
  // What is there was made of what stands here; the next time it is made anew.
  await rm(place, { recursive: true, force: true });
}

/** What would be found out after the training. @throws {Refusal} */
async function checkPictures({ data, network }, sets) {
  const { resolution, inputChannels = 3, labels } = network;
  for (const [part, set] of Object.entries(sets)) {
    const { image } = await set.at(0);
    const channels = image.data.length / (image.width * image.height);
    const [found, wanted] = [
      [image.width, image.height, channels, set.classes.length],
      [resolution, resolution, inputChannels, labels.length],
    ].map(([width, height, depth, classes]) => `${width} × ${height} × ${depth} of ${classes} classes`);
    if (found === wanted) continue;
    throw new Refusal(`${data}, ${part}: expected pictures of ${wanted}, found ${found}.`);
  }
}

/** The card names the data: of others it is another network, whatever the folder is called. @throws {Refusal} */
function checkData({ name, data }, sha256) {
  const path = cardPath(name, "json");
  const known = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).dataSha256 : sha256;
  if (known === sha256) return;
  throw new Refusal(
    `${data} holds other pictures than ${path} was made of (sha256 ${sha256.slice(0, 8)}, not ${known.slice(0, 8)}). Nothing was made: remove ${path} to make the network of these.`,
  );
}

/** As many pictures and epochs as take half a minute: the bytes tell whether all would come out as they did. */
function shortened(made, data, flags) {
  const { examples, epochs } = made.quick;
  const part = () => withNothing(data.take(Math.min(examples, data.size)));
  return part().then((few) => stored(made, few, { ...flags, epochs }));
}

/** Trains, and stores: batch norm folded in, kernels as 8-bit integers. */
async function stored(made, { dataset, sha256: dataSha256 }, { seed, threads, epochs }) {
  const recipe = { ...made.recipe(train), ...(epochs === undefined ? {} : { epochs }), seed, simd: SIMD };
  const network = { ...made.network, seed };
  // Of other data it is another run, and so is one of another network or recipe, which `fit` sees.
  const place =
    epochs === undefined ? join("data", "make", `${made.name}-${seed}-${dataSha256.slice(0, 8)}`) : undefined;
  const { model, history } = await learnt(network, dataset, { ...recipe, threads }, place);
  const bytes = encodeModel(foldBatchNorm(model), { dtype: "I8" });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const what = place === undefined ? "shortened run: " : "";
  console.log(`${what}${counted(bytes.length)} bytes, sha256 ${sha256}`);
  return { model, bytes, sha256, history, recipe, network, place };
}

/** Of checkpoints that it cannot go on from. */
const UNUSABLE = ["FILE_CORRUPT", "CHECKPOINT_MISMATCH"];

/** Trains; a run that was stopped goes on from where it was, to the same bytes. */
async function learnt(network, data, options, place) {
  const onward = place === undefined ? "Nothing was written" : `The same command goes on from ${place}`;
  const stop = stopping((name) => new Stopped(name, `Stopped. ${onward}.`));
  const checkpoint = place === undefined ? {} : { checkpoint: place, resume: true };
  const run = train.fit(mobileNetV1(network), data, { ...options, ...checkpoint, signal: stop.signal });
  try {
    for await (const event of run) {
      if (event.type === "started" && (event.backend !== "wasm" || event.simd !== SIMD)) {
        stop.abort(new Refusal(`It would run on ${event.backend} and round otherwise: ${event.reasons.join("; ")}.`));
      }
      if (event.type === "resumed") console.log(`goes on in epoch ${event.epoch}, at picture ${event.example}`);
      if (event.type !== "epoch") continue;
      const { epoch, epochs, loss, imagesPerSecond } = event;
      console.log(`epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(0)} images/s`);
    }
    return await run.done;
  } catch (cause) {
    if (!UNUSABLE.includes(cause?.code)) throw cause;
    throw new Refusal(`${cause.message} To begin anew remove ${place}.`);
  } finally {
    stop.forget();
  }
}

/** A module of one string: it goes through every bundler, with no file to host. */
function moduleOf(name, bytes) {
  return `/** Written by \`npm run make:${name}\`: the network as \`saveModel\` stores it, in base64. */
export const ${name.toUpperCase()}_FILE: string =
  "${Buffer.from(bytes).toString("base64")}";
`;
}

function cardPath(name, ending) {
  return `docs/models/${name}.${ending}`;
}

function counted(value) {
  return value.toLocaleString("en-US");
}
