/** Many pictures in shards that any scheduler can run, repeat and forget. In Node alone. */

export { type BatchOptions, FORMATS, TASKS } from "./batch-options.ts";
export { isFinal } from "./final.ts";
export { mergeParts } from "./merge.ts";
export { checkModelOfRun } from "./model-hash.ts";
export { type Neighbour, nearest } from "./nearest.ts";
export { type BatchRun, openBatch, type ShardOptions, type ShardProgress, type ShardResult } from "./open-batch.ts";
export {
  type OutputFile,
  type PartFormat,
  type PartStats,
  partName,
  type RunDescription,
  type RunSettings,
  shardRows,
  type Task,
} from "./part.ts";
export { type RunShardOptions, runShard } from "./run-shard.ts";
export { type BatchStatus, batchStatus } from "./status.ts";
export { shardOfEnvironment, type WhichShard } from "./which-shard.ts";
