/** A run of `fit` as its caller holds it: events to iterate over, and a promise of the end. Either starts it. */

import type { FitEvent, FitResult } from "./events.ts";

/**
 * A run of training: iterate over its events, or await `done`, or both; whichever comes first starts it. A loop that is
 * left early ends the run, as a signal would, unless `done` was asked for. A loop over a run that has ended ends at once.
 */
export interface FitRun extends AsyncIterable<FitEvent> {
  /**
   * The end of the run. Rejects with what went wrong, or with `signal.reason`. A loop over the events rejects with the
   * same, but after the event `stopped`, which has said so, it just ends.
   */
  readonly done: Promise<FitResult>;
}

/** Does the work. It ends, after what is under way, when the signal says so. */
export type FitWork = (emit: (event: FitEvent) => void, leaving: AbortSignal) => Promise<FitResult>;

export function fitRun(work: FitWork): FitRun {
  const leaving = new AbortController();
  const listeners = new Set<Listener>();
  let running: Promise<FitResult> | undefined;
  let isAskedFor = false;
  let outcome: RunEnd | undefined;
  const end = (failure: Failure | undefined): void => {
    outcome = { failure };
    for (const listener of listeners) settle(listener, listener.hasStopped ? { failure: undefined } : outcome);
    listeners.clear();
  };
  const start = (): Promise<FitResult> => {
    if (running !== undefined) return running;
    // In a turn of its own: whoever asks first has asked for both by then.
    running = Promise.resolve().then(() => work((event) => tell(listeners, event), leaving.signal));
    running.then(
      () => end(undefined),
      (error: unknown) => end({ error }),
    );
    return running;
  };
  return {
    get done() {
      isAskedFor = true;
      return start();
    },
    [Symbol.asyncIterator](): AsyncIterator<FitEvent, void> {
      const listener: Listener = { events: [], waiting: [], hasStopped: false, ended: outcome };
      // What has ended tells nobody any more.
      if (outcome === undefined) listeners.add(listener);
      return {
        next: () => {
          const result = next(listener);
          void start();
          return result;
        },
        return: async () => {
          listeners.delete(listener);
          listener.events = [];
          settle(listener, { failure: undefined });
          if (!isAskedFor && listeners.size === 0 && running !== undefined) {
            leaving.abort(new DOMException("The loop over its events was left.", "AbortError"));
            await running.catch(() => undefined);
          }
          return { done: true, value: undefined };
        },
      };
    },
  };
}

interface Failure {
  readonly error: unknown;
}

interface RunEnd {
  readonly failure: Failure | undefined;
}

interface Listener {
  /** What was not asked for yet. */
  events: FitEvent[];
  waiting: { resolve(result: IteratorResult<FitEvent, void>): void; reject(error: unknown): void }[];
  /** It was told why the run ends: that is not told again as an error. */
  hasStopped: boolean;
  ended: RunEnd | undefined;
}

function tell(listeners: ReadonlySet<Listener>, event: FitEvent): void {
  for (const listener of listeners) {
    listener.hasStopped ||= event.type === "stopped";
    const waiting = listener.waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: event });
      continue;
    }
    // Of progress that nobody has looked at the newest counts.
    if (event.type === "progress" && listener.events.at(-1)?.type === "progress") listener.events.pop();
    listener.events.push(event);
  }
}

/** From now on there are no more events for it, and nobody waits for one. */
function settle(listener: Listener, ended: RunEnd): void {
  listener.ended = ended;
  for (const { resolve, reject } of listener.waiting.splice(0)) next(listener).then(resolve, reject);
}

async function next(listener: Listener): Promise<IteratorResult<FitEvent, void>> {
  const event = listener.events.shift();
  if (event !== undefined) return { done: false, value: event };
  if (listener.ended === undefined) {
    return new Promise((resolve, reject) => {
      listener.waiting.push({ resolve, reject });
    });
  }
  const { failure } = listener.ended;
  listener.ended = { failure: undefined };
  if (failure !== undefined) throw failure.error;
  return { done: true, value: undefined };
}
