/** The event loop's turn: timers, signals and other people's work, in the middle of ours. */

/** Longest stretch of work, in ms, before the event loop gets its turn. */
const BREATH_MS = 40;

/** Lets the event loop have its turn, without the delay of a timer. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") return setImmediate(resolve);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
    return undefined;
  });
}

/** Who works long, and when the event loop last had its turn from him. Nothing but a turn counts. */
export class Breath {
  #last: number;

  /** @param last by `performance.now()` */
  constructor(last: number) {
    this.#last = last;
  }

  get isDue(): boolean {
    return performance.now() - this.#last >= BREATH_MS;
  }

  async take(): Promise<void> {
    await breathe();
    this.#last = performance.now();
  }
}
