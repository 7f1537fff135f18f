/** A queue: one thing after the other. A failure is its caller's alone. */

interface Listening {
  readonly all: Set<() => void>;
  readonly listener: () => void;
}

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;
  readonly #listeners = new Map<AbortSignal, Listening>();

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
      const forget = this.#listen(signal, () => {
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

  /** One listener a signal, however many wait on it: Node warns of a leak from the eleventh on. */
  #listen(signal: AbortSignal, onAbort: () => void): () => void {
    const { all, listener } = this.#listeners.get(signal) ?? this.#firstListener(signal);
    all.add(onAbort);
    return () => {
      all.delete(onAbort);
      if (all.size > 0) return;
      signal.removeEventListener("abort", listener);
      this.#listeners.delete(signal);
    };
  }

  #firstListener(signal: AbortSignal): Listening {
    const all = new Set<() => void>();
    const listener = () => {
      for (const onAbort of all) onAbort();
    };
    signal.addEventListener("abort", listener);
    const listening = { all, listener };
    this.#listeners.set(signal, listening);
    return listening;
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
