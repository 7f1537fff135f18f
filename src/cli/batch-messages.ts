/** What a run of shards and its worker processes say to each other. All of it is plain data. */

import type { PartStats } from "../batch/index.ts";
import type { BatchFlags, PlainBatchOptions } from "./batch-flags.ts";

export type ToWorker =
  | {
      readonly type: "open";
      readonly weights: string;
      readonly options: PlainBatchOptions;
      readonly flags: Omit<BatchFlags, "signal">;
    }
  | { readonly type: "run"; readonly shard: number };

/** An error that crossed a process: its code, if it is one of the library's. */
export interface ToldError {
  readonly code: string | undefined;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly shard: number; readonly done: number; readonly errors: number }
  | { readonly type: "done"; readonly shard: number; readonly stats: PartStats }
  | { readonly type: "failed"; readonly error: ToldError };
