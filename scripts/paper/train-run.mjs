/** One run: trained, or gone on with, to its last epoch; then the test pictures are looked at, once. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDepthwiseError, mobileNetV1 } from "../../dist/esm/index.js";
import { fit } from "../../dist/esm/train.js";
import { evaluate } from "../shared/evaluate.mjs";
import { percent } from "../shared/percent.mjs";
import { Refusal } from "../shared/refusal.mjs";
import { toText } from "./bitset.mjs";
import { readResult, writeResult } from "./results.mjs";

/** Of checkpoints that it cannot go on from. */
const UNUSABLE = ["FILE_CORRUPT", "CHECKPOINT_MISMATCH"];

const LIBRARY = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

/**
 * Trains a run and writes its result. `fit` locks the checkpoint's folder: one process has a run.
 *
 * @param {ReturnType<import("./runs.mjs").runOf>} run
 * @param {object} how `places`, `data` of `readData`, `simd`, `threads`, `signal`, and `say` for a line
 * @returns {Promise<"done" | "elsewhere">} `elsewhere` where another process has it
 * @throws what `fit`, `writeResult` and the system throw; `signal.reason`, with a checkpoint written
 */
export async function trainRun(run, how) {
  // Of other pictures it is another run, which `fit` cannot see.
  const folder = join(how.places.checkpoints, run.cell.name, `seed-${run.seed}-${how.data.sha256.slice(0, 8)}`);
  try {
    const { model, history, runtime } = await fitted(run, folder, how);
    // Another process may have ended it since we looked: then its checkpoint is the end.
    if (readResult(how.places.results, run) !== undefined) return "done";
    const right = await rightOf(model, how.data.test, how);
    const correct = right.filter(Boolean).length;
    const minutes = history.reduce((sum, { time }) => sum + time.seconds, 0) / 60;
    const result = {
      ...run.expected,
      dataSha256: how.data.sha256,
      parametersSha256: hashOfParameters(model),
      test: { examples: right.length, correct, accuracy: correct / right.length, right: toText(right) },
      minutes: Number(minutes.toFixed(2)),
      runtime,
      history: history.map(({ epoch, loss, accuracy, learningRate, gradientNorm }) => ({
        epoch,
        loss,
        accuracy,
        learningRate,
        gradientNorm,
      })),
    };
    writeResult(how.places.results, run, result, folder);
    how.say(`${run.name}: ${percent(correct / right.length)} of the test pictures, ${minutes.toFixed(1)} minutes`);
    return "done";
  } catch (error) {
    if (isDepthwiseError(error) && error.code === "CHECKPOINT_IN_USE") return "elsewhere";
    if (UNUSABLE.includes(error?.code)) throw new Refusal(`${error.message} To begin anew remove ${folder}.`);
    throw error;
  }
}

async function fitted({ expected, seed, name }, checkpoint, { data, simd, threads, signal, say }) {
  const model = mobileNetV1({ ...expected.options, seed });
  const run = fit(model, data.train, {
    ...expected.recipe,
    seed,
    simd,
    checkpoint,
    resume: true,
    signal,
    ...(threads === undefined ? {} : { threads }),
  });
  let runtime;
  for await (const event of run) {
    if (event.type === "started") {
      runtime = { library: LIBRARY, node: process.versions.node, simd: event.simd, threads: event.threads };
      say(`${name}: ${event.simd}, ${event.threads} thread${event.threads === 1 ? "" : "s"}`);
    }
    if (event.type === "resumed") say(`${name}: goes on in epoch ${event.epoch}, at picture ${event.example}`);
    if (event.type === "skipped") throw new Error(`${name}: a picture cannot be read`, { cause: event.error });
    if (event.type === "epoch") {
      const { epoch, epochs, loss, accuracy, imagesPerSecond } = event;
      const learnt = `loss ${loss.toFixed(4)}, ${percent(accuracy)} of the training pictures`;
      say(`${name}: epoch ${epoch} of ${epochs}: ${learnt}, ${imagesPerSecond.toFixed(0)} a second`);
    }
  }
  const done = await run.done;
  return { ...done, runtime: { ...runtime, arithmetic: arithmeticOf(checkpoint) } };
}

/** Which arithmetic the library trained with: results of two are not to be compared to the last digits. */
function arithmeticOf(checkpoint) {
  return JSON.parse(readFileSync(join(checkpoint, "checkpoint.json"), "utf8")).run.arithmetic.version;
}

/** For each test picture, in their order, whether the network says it rightly. */
async function rightOf(model, test, { simd, threads, signal }) {
  const answers = await evaluate(model, test, { simd, signal, ...(threads === undefined ? {} : { threads }) });
  return answers.map(({ label, said }) => label === said);
}

/** Of names and numbers, in the order of the names. */
function hashOfParameters({ parameters }) {
  const hash = createHash("sha256");
  for (const [name, { data }] of [...parameters].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
