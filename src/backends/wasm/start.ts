/**
 * The start of workers. A script of ours says its name before anything else; another that bears the name of the file
 * never does, and one that says something else is not the one that was asked for.
 */

import { type AnyWorker, type OwnFactory, UNLOADED } from "./own-worker.ts";

/** First words of our scripts. */
export const THREAD_SCRIPT = "depthwise/worker";
export const SESSION_SCRIPT = "depthwise/session-worker";

/** How long a worker may take to load its script and be ready, in seconds: a network may be slow. */
const START_S = 30;
/** How long a script that is known to be there may take for its first word, in seconds. */
const FIRST_WORD_S = 5;

const UNREADABLE = "it sent what cannot be read here";

/** Listens to workers: until `stop` for their start, and for their messages and their end as long as they live. */
export class Start {
  readonly #scripts: readonly string[];
  readonly #onFail: (cause: unknown) => void;
  readonly #ticking: ReturnType<typeof setInterval>;
  /** Workers whose script is there, where the platform says so, and workers that have said something. */
  #online = 0;
  #heard = 0;

  /**
   * @param scripts what may be a worker's first word
   * @param onFail  hears why a worker cannot be started, or has ended; more than once, it may be
   */
  constructor({ arrivals = () => () => 0 }: OwnFactory, scripts: readonly string[], onFail: (cause: unknown) => void) {
    this.#scripts = scripts;
    this.#onFail = onFail;
    const arrived = arrivals();
    let [seconds, silent] = [0, 0];
    // Counted, not measured: a thread that was busy heard nothing either.
    this.#ticking = setInterval(() => {
      silent = this.#online + arrived() > this.#heard ? silent + 1 : 0;
      if (silent > FIRST_WORD_S) {
        onFail(`its script says nothing for ${FIRST_WORD_S} seconds: it may be another one, of the same name`);
      } else if (++seconds >= START_S) onFail(`it was not ready within ${START_S} seconds`);
    }, 1000);
  }

  /** Gives what a worker says after its first word, and tells when that has come. */
  listen(worker: AnyWorker, onMessage: (data: unknown) => void, onFirstWord = () => {}): void {
    let isHeard = false;
    const receive = (data: unknown) => {
      if (!isHeard) this.#heard++;
      isHeard = true;
      if (data !== THREAD_SCRIPT && data !== SESSION_SCRIPT) onMessage(data);
      else if (this.#scripts.includes(data)) onFirstWord();
      else this.#onFail(`its script is ${data}, and not ${this.#scripts[0]}`);
    };
    if (worker.on !== undefined) {
      worker.on("online", () => this.#online++);
      worker.on("message", receive);
      worker.on("messageerror", () => this.#onFail(UNREADABLE));
      worker.on("error", this.#onFail);
      worker.on("exit", () => this.#onFail("it was ended"));
    } else {
      worker.addEventListener?.("message", ({ data }) => receive(data));
      worker.addEventListener?.("messageerror", () => this.#onFail(UNREADABLE));
      worker.addEventListener?.("error", ({ message }) => this.#onFail(message || UNLOADED));
    }
  }

  stop(): void {
    clearInterval(this.#ticking);
  }
}
