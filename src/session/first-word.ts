/**
 * Whether the script of a worker is ours: it says so before anything else, and another that bears its name never does.
 * Only of a script that is known to be there the silence is counted: a network may be as slow as it is.
 */

import type { AnyWorker, OwnFactory } from "./own-worker.ts";

/** What our scripts say first. */
export const LOADED = "loaded";

/** How long a script that is there may take for its first word, in seconds. */
const FIRST_WORD_S = 5;

export class FirstWord {
  /** Workers whose script is there, where the platform says so, and workers that have said something. */
  #online = 0;
  #heard = 0;
  readonly #listening: ReturnType<typeof setInterval>;

  constructor({ arrivals = () => () => 0 }: OwnFactory, onSilence: (reason: string) => void) {
    const arrived = arrivals();
    // Counted, not measured: a thread that was busy heard nothing either.
    let seconds = 0;
    this.#listening = setInterval(() => {
      seconds = this.#online + arrived() > this.#heard ? seconds + 1 : 0;
      if (seconds <= FIRST_WORD_S) return;
      onSilence(`its script says nothing for ${FIRST_WORD_S} seconds: it may be another one, of the same name`);
    }, 1000);
  }

  /** @returns to be called for each of its messages */
  listenTo(worker: AnyWorker): () => void {
    worker.on?.("online", () => {
      this.#online++;
    });
    let isHeard = false;
    return () => {
      if (!isHeard) this.#heard++;
      isHeard = true;
    };
  }

  stop(): void {
    clearInterval(this.#listening);
  }
}

/** Says it. A page that imports the script, and makes no worker of it, would tell itself. */
export function sayLoaded(port: { postMessage?(message: unknown): void }): void {
  if (typeof document === "undefined") port.postMessage?.(LOADED);
}
