/**
 * Takes shards from the queue, one after the other, until it is told to end:
 *
 *     PHOTOS=photos LABELS=labels SHARDS=20 node worker.mjs
 *
 * Start as many as there are cores, on as many machines as see the same photos and labels. SIGTERM gives the shard back to
 * the queue within a moment; of a worker that dies another takes it, LOCK_MS later (default 30,000).
 */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { UnrecoverableError, WaitingError, Worker } from "bullmq";
import { isFinal, openBatch } from "depthwise/batch";
import { cifar10 } from "depthwise/models/cifar10";
import { connection, QUEUE, run } from "./run.mjs";

const TELL_MS = 1000;
const LOCK_MS = Number(process.env.LOCK_MS ?? 30_000);

const ending = new AbortController();
const { signal } = ending;
process.once("SIGTERM", () => ending.abort(new Error("ended by SIGTERM")));

/** How long timers waited beyond their time: a worker that blocks its loop loses the lock of its job. */
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
/** With the first shard, for which the network is read and compiled. */
let gapOfFirst;
function gap() {
  const milliseconds = Math.round(delay.max / 1e6);
  delay.reset();
  return milliseconds;
}

/** Opened with the first job, so that what is wrong with the run is said of a job. */
let opened;
async function batch() {
  try {
    opened ??= cifar10().then((model) => openBatch({ ...run, model, threads: 1, signal }));
    return await opened;
  } catch (error) {
    // It may be better the next time.
    opened = undefined;
    throw error;
  }
}

async function runShard(job, token) {
  const { shard } = job.data;
  let told = performance.now();
  const onProgress = ({ done, total }) => {
    if (performance.now() - told < TELL_MS) return;
    told = performance.now();
    job.updateProgress({ done, total }).catch(() => undefined);
  };
  try {
    const { rows, isNew } = await (await batch()).runShard(shard, { signal, onProgress });
    gapOfFirst ??= gap();
    console.log(`shard ${shard}: ${rows} rows${isNew ? "" : ", there already"}`);
    return { rows };
  } catch (error) {
    if (signal.aborted) {
      // Not a try that failed: it goes back as it was.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    throw isFinal(error) ? new UnrecoverableError(error.message) : error;
  }
}

const worker = new Worker(QUEUE, runShard, {
  connection,
  lockDuration: LOCK_MS,
  stalledInterval: LOCK_MS,
  // Of a shard of which so many workers died, it is the fault.
  maxStalledCount: 3,
});
// It connects again by itself.
worker.on("error", ({ code, message }) => console.error(`worker: ${code ?? message}`));

await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
await worker.close();
(await opened?.catch(() => undefined))?.close();
if (gapOfFirst !== undefined) {
  console.log(`longest gap of the event loop: ${gap()} ms, with the first shard ${gapOfFirst} ms`);
}
