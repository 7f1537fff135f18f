/** What parts of a run are there. */

import { DepthwiseError } from "../core/errors.ts";
import { systemCode } from "../core/realms.ts";
import { type PartStats, partName, type RunDescription } from "./part.ts";
import { readStats } from "./publish.ts";
import { readRunFile } from "./run-file.ts";

export interface BatchStatus {
  readonly run: RunDescription;
  /** Parts that are there, in order. */
  readonly parts: readonly PartStats[];
  /** Shards without a part. */
  readonly missing: readonly number[];
  /** Shards whose part has statistics, but not the files that those name: remove the statistics to have it made again. */
  readonly damaged: readonly number[];
}

/**
 * Looks at the parts in a directory; of their files at the sizes alone.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND` if no run has written there; `FILE_CORRUPT`
 */
export async function batchStatus(out: string): Promise<BatchStatus> {
  const { join } = process.getBuiltinModule("node:path");
  const { stat } = process.getBuiltinModule("node:fs/promises");
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
  for (let shard = 0; shard < run.shards; shard++) {
    const stats = await readStats(out, partName(shard, run.shards));
    if (stats === undefined) {
      missing.push(shard);
      continue;
    }
    const sizes = await Promise.all(stats.output.map(({ file }) => stat(join(out, file)).then(sizeOf, absent)));
    if (stats.output.some(({ bytes }, place) => sizes[place] !== bytes)) damaged.push(shard);
    parts.push(stats);
  }
  return { run, parts, missing, damaged };
}

function sizeOf({ size }: { readonly size: number }): number {
  return size;
}

function absent(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
  return undefined;
}
