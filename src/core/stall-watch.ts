/** Ends a request that nothing comes from, or next to nothing. */

import { optionError, positiveNumber } from "./options.ts";
import { onAbort } from "./until-aborted.ts";

/** How slow a server may be. */
export interface Pace {
  /** Milliseconds without an answer, or without enough bytes of it, after which a request counts as failed. */
  readonly stallTimeout: number;
  /** Bytes a second that have to come, over `stallTimeout`; of 0 a single byte is enough. */
  readonly minBytesPerSecond: number;
}

/** The options of a `Pace`, checked. A modem's 9,600 bit/s are 1,200 bytes a second, shared by ten images 120. */
export function paceOf(owner: string, { stallTimeout = 30_000, minBytesPerSecond = 100 }: Partial<Pace>): Pace {
  if (typeof minBytesPerSecond !== "number" || !(minBytesPerSecond >= 0 && minBytesPerSecond < Infinity)) {
    throw optionError(owner, "minBytesPerSecond", "a number from 0", minBytesPerSecond);
  }
  return { stallTimeout: positiveNumber(owner, "stallTimeout", stallTimeout), minBytesPerSecond };
}

export interface Timers {
  /**
   * Calls back once after some milliseconds, unless the returned function is called before; not before what arrived by
   * then was heard.
   */
  after(ms: number, callback: () => void): () => void;
}

/** Longer ones would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after(ms, callback) {
    const wait = Math.min(ms, LONGEST_MS);
    const due = performance.now() + wait;
    let timer = setTimeout(() => {
      // A busy program heard nothing else meanwhile either: it gets a turn for that, and the time that it was late by.
      const late = performance.now() - due;
      timer = setTimeout(callback, Math.max(0, Math.min(late, wait)));
    }, wait);
    return () => clearTimeout(timer);
  },
};

export interface Watch {
  /** For the request: aborted by a stall, by the caller's signal, and by `stop`. */
  readonly signal: AbortSignal;
  /** What the server failed to do, if it did: "no answer for 30 s". */
  readonly stall: string | undefined;
  /** So many bytes came, or 0 with the head of the answer. The time begins anew when there are enough of them. */
  hear(bytes: number): void;
  /** Frees the request and the timer; may be called at any time. */
  stop(): void;
}

export function startWatch(
  { stallTimeout, minBytesPerSecond }: Pace,
  outer: AbortSignal | undefined,
  timers: Timers = systemTimers,
): Watch {
  const controller = new AbortController();
  const enough = Math.max(1, (minBytesPerSecond * stallTimeout) / 1000);
  const seconds = `${stallTimeout / 1000} s`;
  let came: number | undefined;
  let stall: string | undefined;
  const begin = () =>
    timers.after(stallTimeout, () => {
      if (came === undefined) stall = `no answer for ${seconds}`;
      else if (came === 0) stall = `nothing came for ${seconds}`;
      else stall = `only ${came} bytes came in ${seconds}, at minBytesPerSecond: ${minBytesPerSecond}`;
      controller.abort();
    });
  let cancel = begin();
  const forget = outer && onAbort(outer, () => controller.abort(outer.reason));
  return {
    signal: controller.signal,
    get stall() {
      return stall;
    },
    hear(bytes) {
      const sum = (came ?? 0) + bytes;
      const isAnew = came === undefined || sum >= enough;
      came = isAnew ? 0 : sum;
      if (!isAnew) return;
      cancel();
      cancel = begin();
    },
    stop() {
      cancel();
      forget?.();
      controller.abort();
    },
  };
}
