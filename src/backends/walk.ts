/** The walk through the stages of a plan on this thread, with breath between them; shared by backends that compute here. */

import type { BoundRunOptions } from "./backend.ts";
import { closedError } from "./lost.ts";

export interface Walk {
  /** Of what, for an error. */
  readonly network: string;
  readonly stages: number;
  /** Computes a stage; what it gives must be awaited. */
  run(stage: number, batch: number, times?: Float64Array): Promise<void> | undefined;
  /** The stages that are left are passed through without work, so that no thread waits for another. */
  cancel?(): void;
  /** Whether it was closed meanwhile. */
  isClosed(): boolean;
}

/**
 * Runs all stages. Up to the first breath it does so within the call.
 *
 * @throws {DepthwiseError} `SESSION_CLOSED` once it was closed
 */
export async function walk(
  { network, stages, run, cancel, isClosed }: Walk,
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
    if (isClosed()) throw closedError(network);
    if (signal?.aborted !== true || stopped !== undefined) continue;
    stopped = { reason: signal.reason };
    if (cancel === undefined) break;
    cancel();
  }
  if (stopped !== undefined) throw stopped.reason;
}
