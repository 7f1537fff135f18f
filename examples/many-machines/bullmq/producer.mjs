/**
 * Puts a job a shard into the queue, waits until none is left, and says how it ended:
 *
 *     PHOTOS=photos LABELS=labels SHARDS=20 node producer.mjs
 *
 * It may be ended and started again: a shard that is in the queue is not put there twice, and a part that is there is not
 * made again. The exit code is 0 if all parts are there.
 */

import { Queue } from "bullmq";
import { batchStatus } from "depthwise/batch";
import { connection, QUEUE, run } from "./run.mjs";

const EVERY_MS = 500;
const TRIES = { attempts: 3, backoff: { type: "exponential", delay: 1000 } };

const queue = new Queue(QUEUE, { connection });
// It connects again by itself.
queue.on("error", ({ code, message }) => console.error(`queue: ${code ?? message}`));

const jobs = Array.from({ length: run.shards }, (_, shard) => ({
  name: "shard",
  data: { shard },
  opts: { ...TRIES, jobId: `shard-${shard}`, removeOnComplete: true },
}));
// What failed for good in an earlier run may be better now.
for (const job of await queue.getFailed()) await job.remove();
await queue.addBulk(jobs);

for (;;) {
  const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
  if (Object.values(counts).every((count) => count === 0)) break;
  await new Promise((done) => setTimeout(done, EVERY_MS));
}

const failed = await queue.getFailed();
for (const { data, attemptsStarted, failedReason } of failed) {
  console.error(`shard ${data.shard}, ${attemptsStarted} tries: ${failedReason}`);
}
const { parts = [], missing = [], damaged = [] } = await batchStatus(run.out).catch(() => ({}));
console.log(`${parts.length} parts, ${failed.length} failed`);
const isWhole = parts.length > 0 && failed.length + missing.length + damaged.length === 0;
process.exitCode = isWhole ? 0 : 1;
await queue.close();
