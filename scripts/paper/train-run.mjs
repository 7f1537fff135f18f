/** One run: trained, or gone on with, to its last epoch; then the test pictures are looked at, once. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { completePreprocessing } from "../../dist/esm/images.js";
import { compile, isDepthwiseError, mobileNetV1 } from "../../dist/esm/index.js";
import { batches, fit } from "../../dist/esm/train.js";
import { toText } from "./bitset.mjs";
import { lockRun } from "./lock.mjs";
import { readResult, writeResult } from "./results.mjs";

/**
 * Trains a run and writes its result.
 *
 * @param {ReturnType<import("./runs.mjs").runOf>} run
 * @param {object} how `places`, `data` of `{ train, test }`, `simd`, `threads`, `signal`, and `say` for a line
 * @returns {Promise<"done" | "elsewhere">} `elsewhere` where another process has it
 * @throws what `fit` and the system throw; `signal.reason`, with a checkpoint written
 */
export async function trainRun(run, how) {
  const folder = join(how.places.checkpoints, run.cell.name, `seed-${run.seed}`);
  const unlock = lockRun(`${folder}.lock`);
  if (unlock === undefined) return "elsewhere";
  try {
    // Another process may have ended it since we looked.
    if (readResult(how.places.results, run) !== undefined) return "done";
    const { model, history, runtime } = await fitted(run, folder, how);
    const right = await rightOf(model, how.data.test, how);
    const correct = right.filter(Boolean).length;
    const minutes = history.reduce((sum, { time }) => sum + time.seconds, 0) / 60;
    const result = {
      ...run.expected,
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
    writeResult(how.places.results, run, result);
    how.say(`${run.name}: ${percent(correct / right.length)} of the test pictures, ${minutes.toFixed(1)} minutes`);
    return "done";
  } catch (error) {
    if (isDepthwiseError(error) && error.code === "CHECKPOINT_IN_USE") return "elsewhere";
    throw error;
  } finally {
    unlock();
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
      runtime = { node: process.versions.node, simd: event.simd, threads: event.threads };
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
  return { ...(await run.done), runtime };
}

/** For each test picture, in their order, whether the network says it rightly. */
async function rightOf(model, test, { simd, threads, signal }) {
  const session = await compile(model, { batch: 100, simd, signal, ...(threads === undefined ? {} : { threads }) });
  try {
    const input = completePreprocessing(model.inputShape, model.info.preprocessing);
    const right = [];
    for await (const { x, labels, count, release } of batches(test, { input, batch: 100, shuffle: false, signal })) {
      const { logits } = await session.run(x);
      const classes = logits.data.length / count;
      for (let n = 0; n < count; n++) {
        const row = logits.data.subarray(n * classes, (n + 1) * classes);
        right.push(row.indexOf(Math.max(...row)) === labels[n]);
      }
      release();
    }
    return right;
  } finally {
    session.close();
  }
}

/** Of names and numbers, in the order of the names. */
function hashOfParameters({ parameters }) {
  const hash = createHash("sha256");
  for (const [name, { data }] of [...parameters].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
