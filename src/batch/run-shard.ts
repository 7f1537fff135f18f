/** One shard, from nothing: what a worker of a queue calls. */

import { signalOption } from "../core/options.ts";
import { anyOf } from "../core/until-aborted.ts";
import type { BatchOptions } from "./batch-options.ts";
import { openBatch, type ShardOptions, type ShardResult } from "./open-batch.ts";

/** What `openBatch` takes, and which shard. */
export interface RunShardOptions extends BatchOptions {
  /** From 0. */
  readonly shard: number;
}

/**
 * Opens a run, runs one shard of it, unless its part is there, and closes. Of several shards in one process `openBatch`
 * compiles the network once. Either signal ends it.
 *
 *     await runShard({ source: "photos", model, out: "labels", shard: 3, shards: 20 }, { signal, onProgress });
 *
 * @throws {DepthwiseError} what `openBatch` and its `runShard` throw
 */
export async function runShard(
  { shard, ...options }: RunShardOptions,
  { signal, onProgress }: ShardOptions = {},
): Promise<ShardResult> {
  const both = anyOf([signalOption("batch", options.signal), signalOption("batch", signal)]);
  try {
    const batch = await openBatch({ ...options, signal: both.signal });
    try {
      return await batch.runShard(shard, { onProgress });
    } finally {
      batch.close();
    }
  } finally {
    both.forget();
  }
}
