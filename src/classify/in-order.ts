/**
 * A conveyor: some items are prepared while others run, and all come out in order.
 *
 *     source ─pull─► prepare (≤ concurrency at once) ─► run (batch) ─► outcomes ─► consumer
 *
 * An item is in flight from the pull until the consumer asks for the one after it; never more than
 * `concurrency + batch` are. Between pulls and between runs the event loop has its turn. What goes wrong takes its place
 * in the order; an abort comes at once.
 */

import { Breath } from "../core/breath.ts";
import { onAbort } from "../core/until-aborted.ts";

export interface Work<Item, Prepared, Result> {
  /** Most items that are prepared at once. */
  readonly concurrency: number;
  /** Items in one run. The last run may have fewer, and so has one with an item that could not be prepared. */
  readonly batch: number;
  prepare(item: Item, signal: AbortSignal): Promise<Prepared>;
  /** Gives one result for each. */
  run(prepared: readonly Prepared[], signal: AbortSignal): Promise<readonly Result[]>;
  /** Whether an error of `prepare` is handed over in place of a result; else it is thrown in its turn. */
  isKept(error: unknown): boolean;
}

export type Outcome<Item, Result> =
  | { readonly index: number; readonly item: Item; readonly result: Result }
  | { readonly index: number; readonly item: Item; readonly error: unknown };

/**
 * Pulls when the first outcome is asked for, and works ahead from then on. A consumer that leaves early leaves nothing
 * running but what cannot be interrupted; the source's `return()` is called.
 *
 * @param signal ends it with `signal.reason`, whatever is under way
 */
export async function* inOrder<Item, Prepared, Result>(
  source: Iterable<Item> | AsyncIterable<Item>,
  work: Work<Item, Prepared, Result>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Outcome<Item, Result>, void, undefined> {
  signal?.throwIfAborted();
  const conveyor = new Conveyor(source, work);
  const forget = signal === undefined ? undefined : onAbort(signal, () => conveyor.stop(signal.reason));
  let hasFailed = false;
  try {
    for (;;) {
      const outcome = await conveyor.next();
      if (outcome === undefined) return;
      yield outcome;
      conveyor.release();
    }
  } catch (error) {
    hasFailed = true;
    throw error;
  } finally {
    forget?.();
    await conveyor.close(hasFailed);
  }
}

/** An item on its way. What it became is known when it was prepared, or could not be. */
interface OnItsWay<Item, Prepared> {
  readonly index: number;
  readonly item: Item;
  became?: { readonly prepared: Prepared } | { readonly error: unknown } | Thrown;
}

/** What is thrown when its turn comes. */
interface Thrown {
  readonly failure: unknown;
}

class Conveyor<Item, Prepared, Result> {
  readonly #work: Work<Item, Prepared, Result>;
  readonly #iterator: Iterator<Item> | AsyncIterator<Item>;
  readonly #isAsync: boolean;
  /** Ends what is under way. */
  readonly #stopping = new AbortController();
  /** Pulled and not run, in order. */
  readonly #waiting: OnItsWay<Item, Prepared>[] = [];
  /** Not handed over, in order. */
  readonly #outcomes: (Outcome<Item, Result> | Thrown)[] = [];
  #pulled = 0;
  #preparing = 0;
  #inFlight = 0;
  /** Whether an async source owes an item. */
  #isPulling = false;
  /** Whether the source has ended, or thrown: it wants no `return()`. */
  #isExhausted = false;
  /** Whether nothing more is pulled. */
  #isEnded = false;
  #running: Promise<void> | undefined;
  /** Pixels are prepared within the pull, and runs follow each other without a pause where nothing is read. */
  readonly #breath = new Breath(performance.now());
  /** Whether pulls wait for the event loop's turn. */
  #isBreathing = false;
  #wake = (): void => undefined;

  constructor(source: Iterable<Item> | AsyncIterable<Item>, work: Work<Item, Prepared, Result>) {
    this.#work = work;
    this.#isAsync = Symbol.asyncIterator in source;
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** The next outcome, or `undefined` after the last. */
  async next(): Promise<Outcome<Item, Result> | undefined> {
    const { signal } = this.#stopping;
    this.#advance();
    while (!signal.aborted && this.#outcomes.length === 0 && !this.#isDone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    signal.throwIfAborted();
    const outcome = this.#outcomes.shift();
    if (outcome !== undefined && "failure" in outcome) throw outcome.failure;
    return outcome;
  }

  /** The consumer is through with an outcome. */
  release(): void {
    this.#inFlight--;
  }

  stop(reason: unknown): void {
    this.#stopping.abort(reason);
    this.#wake();
  }

  /** Waits for a run to end, which it soon does, and for the source's farewell, unless the source hangs in a pull. */
  async close(hasFailed: boolean): Promise<void> {
    this.#isEnded = true;
    this.stop(undefined);
    await this.#running;
    if (this.#isExhausted) return;
    const farewell = (async () => this.#iterator.return?.())();
    // The caller hears of the failure, not of one that follows from it.
    const quiet = farewell.catch(() => undefined);
    if (!this.#isPulling) await (hasFailed ? quiet : farewell);
  }

  get #isDone(): boolean {
    return this.#isEnded && this.#waiting.length === 0 && this.#running === undefined;
  }

  /** Whatever can go on, goes on. Called after every change. */
  #advance(): void {
    if (this.#stopping.signal.aborted) return;
    while (this.#mayPull) {
      if (this.#breath.isDue) this.#pullLater();
      else this.#pull();
    }
    const size = this.#running === undefined ? this.#groupSize() : 0;
    if (size > 0) {
      this.#running = this.#runGroup(this.#waiting.splice(0, size)).then(() => {
        this.#running = undefined;
        this.#advance();
      });
    }
    this.#wake();
  }

  get #mayPull(): boolean {
    const { concurrency, batch } = this.#work;
    if (this.#isEnded || this.#isPulling || this.#isBreathing) return false;
    return this.#preparing < concurrency && this.#inFlight < concurrency + batch;
  }

  #pullLater(): void {
    this.#isBreathing = true;
    void this.#breath.take().then(() => {
      this.#isBreathing = false;
      this.#advance();
    });
  }

  #pull(): void {
    this.#isPulling = true;
    try {
      const next = this.#iterator.next();
      if (this.#isAsync) void this.#takeLater(next);
      else this.#take(next as IteratorResult<Item>);
    } catch (failure) {
      this.#breakOff(failure);
    }
  }

  async #takeLater(next: IteratorResult<Item> | Promise<IteratorResult<Item>>): Promise<void> {
    try {
      this.#take(await next);
    } catch (failure) {
      this.#breakOff(failure);
    }
    this.#advance();
  }

  #take({ done, value }: IteratorResult<Item>): void {
    this.#isPulling = false;
    if (done === true) this.#isEnded = this.#isExhausted = true;
    else if (!this.#isEnded) void this.#prepare(value);
  }

  /** The source threw: that comes after the items before. */
  #breakOff(failure: unknown): void {
    this.#isPulling = false;
    this.#isExhausted = true;
    if (!this.#isEnded) this.#waiting.push({ index: this.#pulled, item: undefined as Item, became: { failure } });
    this.#isEnded = true;
  }

  async #prepare(item: Item): Promise<void> {
    const slot: OnItsWay<Item, Prepared> = { index: this.#pulled++, item };
    this.#waiting.push(slot);
    this.#inFlight++;
    this.#preparing++;
    try {
      slot.became = { prepared: await this.#work.prepare(item, this.#stopping.signal) };
    } catch (error) {
      slot.became = this.#work.isKept(error) ? { error } : { failure: error };
      // What comes behind a failure is never handed over.
      if ("failure" in slot.became) this.#isEnded = true;
    }
    this.#preparing--;
    this.#advance();
  }

  /** How many of those that wait can run now: a batch, or what is left before the end or a failure. */
  #groupSize(): number {
    for (const [place, { became }] of this.#waiting.entries()) {
      if (became === undefined) return 0;
      if ("failure" in became || place + 1 === this.#work.batch) return place + 1;
    }
    return this.#isEnded ? this.#waiting.length : 0;
  }

  async #runGroup(group: readonly OnItsWay<Item, Prepared>[]): Promise<void> {
    const prepared = group.flatMap(({ became }) =>
      became !== undefined && "prepared" in became ? became.prepared : [],
    );
    try {
      if (this.#breath.isDue) await this.#breath.take();
      const results = prepared.length === 0 ? [] : await this.#work.run(prepared, this.#stopping.signal);
      let at = 0;
      for (const { index, item, became } of group) {
        if (became === undefined || "failure" in became) this.#fail(became?.failure);
        else if ("error" in became) this.#outcomes.push({ index, item, error: became.error });
        else this.#outcomes.push({ index, item, result: results[at++] as Result });
      }
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #fail(failure: unknown): void {
    this.#isEnded = true;
    this.#waiting.length = 0;
    this.#outcomes.push({ failure });
  }
}
