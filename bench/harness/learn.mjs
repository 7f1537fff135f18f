/** One run that is kept: trained, or gone on with, to its last epoch; then judged. */

import { rmSync } from "node:fs";
import { loadavg } from "node:os";
import { isDepthwiseError, mobileNetV1 } from "../../dist/esm/index.js";
import { fit } from "../../dist/esm/train.js";
import { evaluate } from "../../scripts/shared/evaluate.mjs";
import { aboutRun } from "./about.mjs";
import { keepRun, readRun } from "./kept-runs.mjs";

/**
 * Trains a task and keeps what came out. `fit` locks the checkpoint, so one process has a run; the checkpoint goes when the
 * run was written and read back.
 *
 * @param {import("./kept-runs.mjs").Task} task
 * @param {object} how
 * @param {string} how.runs a folder @param {string} how.checkpoint a folder of this task alone
 * @param {import("../../dist/types/train/index.js").Dataset} how.train
 * @param {import("../../dist/types/train/index.js").Dataset} how.judges looked at once, after the last epoch
 * @param {number} [how.threads] default 1; the bits are the same for any number
 * @param {(line: string) => void} [how.say] the epochs
 * @returns {Promise<"made" | "there" | "elsewhere">} `there` if it was made before; `elsewhere` where another process has it
 * @throws what `fit`, `keepRun` and the system throw
 */
export async function learn(task, { runs, checkpoint, train, judges, threads = 1, say }) {
  if (readRun(runs, task) !== undefined) return "there";
  const loadBefore = loadavg();
  let learnt;
  try {
    learnt = await trained(task, { runs, checkpoint, train, threads, say });
  } catch (error) {
    if (isDepthwiseError(error) && error.code === "CHECKPOINT_IN_USE") return "elsewhere";
    // The process that made it has removed the checkpoint under this one.
    if (readRun(runs, task) !== undefined) return "there";
    throw error;
  }
  if (learnt !== undefined) keepRun(runs, await judged(task, learnt, judges, loadBefore));
  rmSync(checkpoint, { recursive: true, force: true });
  return learnt === undefined ? "there" : "made";
}

/** Undefined if another process made the run before this one had the lock. */
async function trained(task, { runs, checkpoint, train, threads, say }) {
  const { network, options, simd } = task;
  const run = fit(mobileNetV1(network), train, { ...options, simd, threads, checkpoint, resume: true });
  let runtime;
  let hasGoneOn = false;
  for await (const event of run) {
    if (event.type === "started") {
      if (readRun(runs, task) !== undefined) return undefined;
      runtime = { simd: event.simd, threads: event.threads };
    }
    if (event.type === "resumed" && event.error === undefined) hasGoneOn = true;
    if (event.type === "skipped") throw new Error("A picture cannot be read.", { cause: event.error });
    if (event.type !== "epoch") continue;
    const { epoch, epochs, loss, imagesPerSecond } = event;
    say?.(`epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(0)} images/s`);
  }
  return { ...(await run.done), runtime, hasGoneOn };
}

async function judged(task, { model, history, runtime, hasGoneOn }, judges, loadBefore) {
  const { loss, accuracy } = history.at(-1);
  const seconds = history.reduce((sum, { time }) => sum + time.seconds, 0);
  // With the arithmetic that it was trained with: plain SIMD rounds otherwise.
  const answers = await evaluate(model, judges, { simd: task.simd, threads: runtime.threads });
  return {
    about: { ...aboutRun(loadBefore), ...(hasGoneOn ? { hasGoneOn } : {}) },
    task,
    right: answers.filter(({ label, said }) => label === said).length / answers.length,
    training: { loss, accuracy },
    minutes: Number((seconds / 60).toFixed(2)),
    runtime,
  };
}
