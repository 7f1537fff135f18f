/** What parts of a run are there. */

import { DepthwiseError } from "../core/errors.ts";
import { lookAtParts } from "./look-at-part.ts";
import type { PartStats, RunDescription } from "./part.ts";
import { readRunFile } from "./run-file.ts";

export interface BatchStatus {
  readonly run: RunDescription;
  /** Parts that are there, in order. */
  readonly parts: readonly PartStats[];
  /** Shards without a part. */
  readonly missing: readonly number[];
  /** Shards whose part has statistics, but not the files that those name: they are run again. */
  readonly damaged: readonly number[];
}

/**
 * Looks at the parts in a directory; of their files at the sizes alone.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND` if no run has written there; `FILE_CORRUPT` if its description cannot be
 *         understood; `signal.reason`
 */
export async function batchStatus(out: string, signal?: AbortSignal): Promise<BatchStatus> {
  const run = await readRunFile(out);
  if (run === undefined) {
    throw new DepthwiseError("FILE_NOT_FOUND", {
      what: `${out}: no run has written there`,
      advice: "Pass the directory that --out named.",
      fields: { out },
    });
  }
  const parts: PartStats[] = [];
  const missing: number[] = [];
  const damaged: number[] = [];
  for await (const { shard, part } of lookAtParts(out, [0, run.shards - 1], run.shards, signal)) {
    if (part === undefined) missing.push(shard);
    else parts.push(part.stats);
    if (part?.isWhole === false) damaged.push(shard);
  }
  return { run, parts, missing, damaged };
}
