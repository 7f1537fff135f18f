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
    if (signal === undefined || this.isIdle) {
      return this.#next(() => {
        signal?.throwIfAborted();
        return work();
      });
    }
    return new Promise<T>((resolve, reject) => {
      let waiting: (() => Promise<T>) | undefined = work;
      const forget = onAbort(signal, () => {
        waiting = undefined;
        reject(signal.reason);
      });
      const turn = this.#next(async () => {
        forget();
        // Of no effect where it was rejected.
        return waiting?.() as Promise<T>;
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
