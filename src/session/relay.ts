/**
 * Threads of a session that lies in a worker: made by who made that worker, who passes on what they and the session say
 * to each other. Not by the worker itself: in Firefox 153 one `new Worker` in a worker in fifty never came back.
 */

import { type AnyWorker, isWorker, quietly, stop, UNLOADED, type WorkerFactory } from "../backends/wasm/own-worker.ts";

/** From the session to who made its worker. */
export type ThreadOrder = { readonly thread: number } & (
  | { readonly type: "make" | "end" | "rest" }
  | { readonly type: "post"; readonly message: unknown }
);

/** From there to the session. */
export interface ThreadNews {
  readonly type: "thread";
  readonly thread: number;
  readonly event: "message" | "error" | "exit" | "online" | "ended";
  readonly value?: unknown;
}

export function isThreadOrder(data: unknown): data is ThreadOrder {
  return typeof data === "object" && data !== null && "thread" in data && typeof data.thread === "number";
}

/** More than a session asks for. */
const MOST_THREADS = 64;

/** The side that makes them. */
export class ThreadMaker {
  readonly #factory: WorkerFactory;
  readonly #tell: (news: ThreadNews) => void;
  readonly #threads = new Map<number, AnyWorker>();

  /** @param tell passes on to the session */
  constructor(factory: WorkerFactory, tell: (news: ThreadNews) => void) {
    this.#factory = factory;
    this.#tell = tell;
  }

  follow(order: ThreadOrder): void {
    const { thread } = order;
    const worker = this.#threads.get(thread);
    if (order.type === "make") this.#make(thread);
    else if (order.type === "post") worker?.postMessage(order.message);
    else if (order.type === "rest") quietly(() => worker?.unref?.());
    else void this.#end(thread);
  }

  async #end(thread: number): Promise<void> {
    const worker = this.#threads.get(thread);
    this.#threads.delete(thread);
    if (worker !== undefined) await stop(worker);
    this.#tell({ type: "thread", thread, event: "ended" });
  }

  end(): void {
    for (const worker of this.#threads.values()) void stop(worker);
    this.#threads.clear();
  }

  #make(thread: number): void {
    const say = (event: ThreadNews["event"], value?: unknown) => {
      this.#tell({ type: "thread", thread, event, ...(value === undefined ? {} : { value }) });
    };
    try {
      if (this.#threads.size >= MOST_THREADS) throw new Error(`there are ${MOST_THREADS} threads already`);
      const worker = this.#factory();
      if (!isWorker(worker)) throw new Error("the function that makes workers gives none");
      this.#threads.set(thread, worker);
      if (worker.on !== undefined) {
        worker.on("online", () => say("online"));
        worker.on("message", (data) => say("message", data));
        worker.on("error", (error) => say("error", error instanceof Error ? error.message : String(error)));
        worker.on("exit", () => say("exit"));
      } else {
        worker.addEventListener?.("message", ({ data }) => say("message", data));
        worker.addEventListener?.("error", ({ message }) => say("error", message || UNLOADED));
      }
    } catch (error) {
      say("error", error instanceof Error ? error.message : String(error));
    }
  }
}

/** The session's side: threads that look like workers of its own. */
export class FarThreads {
  readonly #order: (order: ThreadOrder) => void;
  readonly #listeners = new Map<number, Map<string, (value: unknown) => void>>();
  #count = 0;

  constructor(order: (order: ThreadOrder) => void) {
    this.#order = order;
  }

  make(): AnyWorker {
    const thread = this.#count++;
    const listeners = new Map<string, (value: unknown) => void>();
    this.#listeners.set(thread, listeners);
    this.#order({ type: "make", thread });
    let ended: Promise<unknown> | undefined;
    return {
      postMessage: (message) => this.#order({ type: "post", thread, message }),
      on: (event, listener) => listeners.set(event, listener),
      unref: () => this.#order({ type: "rest", thread }),
      // Told by who really ends it, as the platform does; once, so that whoever asks again waits for the same.
      terminate: () => {
        ended ??= new Promise<unknown>((resolve) => {
          listeners.set("ended", resolve);
          this.#order({ type: "end", thread });
        });
        return ended;
      },
    };
  }

  hear({ thread, event, value }: ThreadNews): void {
    this.#listeners.get(thread)?.get(event)?.(value);
    if (event === "ended") this.#listeners.delete(thread);
  }
}
