/** Ends a request that nothing comes from. */

import type { Clock } from "./clock.ts";

export interface Watch {
  /** For the request: aborted by a stall, by the caller's signal, and by `stop`. */
  readonly signal: AbortSignal;
  readonly hasStalled: boolean;
  /** Something came: the time begins anew. */
  touch(): void;
  /** Frees the request and the timer; may be called at any time. */
  stop(): void;
}

export function startWatch(clock: Clock, stallMs: number, outer: AbortSignal | undefined): Watch {
  const controller = new AbortController();
  let hasStalled = false;
  const begin = () =>
    clock.after(stallMs, () => {
      hasStalled = true;
      controller.abort();
    });
  let cancel = begin();
  const forward = () => controller.abort(outer?.reason);
  outer?.addEventListener("abort", forward);
  if (outer?.aborted) forward();
  return {
    signal: controller.signal,
    get hasStalled() {
      return hasStalled;
    },
    touch() {
      cancel();
      cancel = begin();
    },
    stop() {
      cancel();
      outer?.removeEventListener("abort", forward);
      controller.abort();
    },
  };
}
