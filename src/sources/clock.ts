/** Waiting, apart from the rest, so that tests need not wait. */

import { systemTimers, type Timers } from "../core/stall-watch.ts";
import { untilAborted } from "../core/until-aborted.ts";

export interface Clock extends Timers {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
}

export const systemClock: Clock = { ...systemTimers, now: () => Date.now(), random: () => Math.random() };

/** @throws `signal.reason` as soon as it is aborted */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((done) => {
    cancel = clock.after(ms, done);
  });
  await untilAborted(over, signal).finally(cancel);
}

/** Longest pause, also where a server asks for more. */
const LONGEST_PAUSE_MS = 60_000;
const FIRST_PAUSE_MS = 500;

/**
 * Milliseconds before a request is repeated: twice as long each time, a random half of it less so that many clients
 * do not come back together; or what the server asks for.
 *
 * @param attempt 0 for the first repetition
 * @param retryAfter the header `Retry-After`: seconds or a date
 */
export function pause(clock: Clock, attempt: number, retryAfter: string | null): number {
  if (retryAfter !== null) {
    const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - clock.now();
    if (!Number.isNaN(asked)) return Math.min(Math.max(asked, 0), LONGEST_PAUSE_MS);
  }
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
  return longest * (1 - clock.random() / 2);
}
