/** The event loop's turn: timers, signals and other people's work, in the middle of ours. */

/** Longest stretch of work, in ms, before the event loop gets its turn. */
const BREATH_MS = 40;

/**
 * Lets the event loop have its turn, without the delay of a timer. A page's is the second one: in Chromium
 * timers that are due wait behind the first, and would have their turn every other time.
 */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") return setImmediate(resolve);
    // Workers of an old compatibility date and jsdom in Jest have neither.
    if (typeof MessageChannel === "undefined") return setTimeout(resolve, 0);
    const { port1, port2 } = new MessageChannel();
    let turns = 0;
    port1.onmessage = () => {
      if (++turns < 2) return port2.postMessage(0);
      port1.close();
      return resolve();
    };
    port2.postMessage(0);
    return undefined;
  });
}

/** When the event loop last had its turn, whoever gave it: several sessions that run in turn hold it up together. */
let lastTurn = 0;
/** The turn that is awaited: one for all, for each of several would be followed by 40 ms of work. */
let turn: Promise<void> | undefined;

/** Who works long, and when the event loop last had its turn. Nothing but a turn counts. */
export class Breath {
  readonly #start: number;

  /** @param start when the work began, by `performance.now()` */
  constructor(start: number) {
    this.#start = start;
  }

  get isDue(): boolean {
    return performance.now() - Math.max(this.#start, lastTurn) >= BREATH_MS;
  }

  take(): Promise<void> {
    turn ??= breathe().then(() => {
      turn = undefined;
      lastTurn = performance.now();
    });
    return turn;
  }
}
