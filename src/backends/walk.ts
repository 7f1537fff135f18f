/** The walk through the stages of a plan on this thread, with breath between them; shared by backends that compute here. */

import type { BoundRunOptions } from "./backend.ts";

export interface Walk {
  readonly stages: number;
  /** Computes a stage; what it gives must be awaited. */
  run(stage: number, batch: number, times?: Float64Array): Promise<void> | undefined;
  /** The stages that are left are passed through without work, so that no thread waits for another. */
  cancel?(): void;
  /** @throws {DepthwiseError} `SESSION_CLOSED` once it was closed */
  checkOpen(): void;
}

/** Runs all stages. Up to the first breath it does so within the call. */
export async function walk(
  { stages, run, cancel, checkOpen }: Walk,
  batch: number,
  { signal, times, breath }: BoundRunOptions,
): Promise<void> {
  let stopped: { readonly reason: unknown } | undefined;
  for (let stage = 0; stage < stages; stage++) {
    const pending = run(stage, batch, times);
    if (pending !== undefined) await pending;
    // Of threads as well: what is awaited may come without the event loop's turn.
    if (breath.isDue) await breath.take();
    else if (pending === undefined) continue;
    checkOpen();
    if (signal?.aborted !== true || stopped !== undefined) continue;
    stopped = { reason: signal.reason };
    if (cancel === undefined) break;
    cancel();
  }
  if (stopped !== undefined) throw stopped.reason;
}
