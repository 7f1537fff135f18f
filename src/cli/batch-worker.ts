/** A process that runs the shards that `depthwise batch` gives it, one after the other, by a network compiled once. */

import { type BatchRun, openBatch } from "../batch/index.ts";
import { isDepthwiseError } from "../core/errors.ts";
import type { FromWorker, ToWorker } from "./batch-messages.ts";
import { loadFrom } from "./load.ts";

/** How often it says how far it is. */
const TELL_MS = 250;

const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => ending.abort(new Error(`ended by ${signal}`)));
}
// Whoever gave the work is gone, and with it those who would read of it.
process.once("disconnect", () => ending.abort(new Error("the process that gave the work is gone")));

let batch: BatchRun | undefined;
let turn: Promise<void> = Promise.resolve();

process.on("message", (message: ToWorker) => {
  turn = turn.then(() => answer(message)).catch(fail);
});

async function answer(message: ToWorker): Promise<void> {
  const { signal } = ending;
  if (message.type === "open") {
    const { weights, options, flags } = message;
    const model = await loadFrom([weights], { ...flags, signal });
    batch = await openBatch({ ...options, model, signal });
    tell({ type: "ready" });
    return;
  }
  if (batch === undefined) throw new Error("no run is open");
  const { shard } = message;
  let told = 0;
  const onProgress = ({ done, errors }: { readonly done: number; readonly errors: number }) => {
    const now = performance.now();
    if (now - told < TELL_MS) return;
    told = now;
    tell({ type: "progress", shard, done, errors });
  };
  const { isNew: _isNew, ...stats } = await batch.runShard(shard, { signal, onProgress });
  tell({ type: "done", shard, stats });
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const last: FromWorker = {
    type: "failed",
    error: isDepthwiseError(error)
      ? { code: error.code, message, fields: { errors: error.fields["errors"] } }
      : { code: undefined, message, fields: {} },
  };
  // It ends when it was heard: nothing more is done here.
  if (!process.connected) process.exit(1);
  process.send?.(last, () => process.exit(1));
}
