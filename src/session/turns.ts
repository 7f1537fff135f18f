/** A queue: one thing after the other. A failure is its caller's alone. */

import { onAbort } from "../core/until-aborted.ts";

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;

  /** Whether nothing is under way and nothing waits. */
  get isIdle(): boolean {
    return this.#count === 0;
  }

  /**
   * Does `work` when its turn comes.
   *
   * @param signal rejects what waits at once, with its reason; it then never starts, and what it holds is let go.
   *               Work that has begun looks at its signal itself
   */
  take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    // No function is made here: all functions of a scope keep alive whatever one of them names.
    return signal === undefined || this.isIdle ? this.#next(work) : this.#queue({ work }, signal);
  }

  #queue<T>(waiting: { work: (() => Promise<T>) | undefined }, signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const forget = onAbort(signal, () => {
        waiting.work = undefined;
        reject(signal.reason);
      });
      const turn = this.#next(async () => {
        forget();
        // Of no effect where it was rejected.
        return waiting.work?.() as Promise<T>;
      });
      turn.then(resolve, reject);
    });
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    this.#count++;
    const turn = this.#last.then(work).finally(() => {
      this.#count--;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
