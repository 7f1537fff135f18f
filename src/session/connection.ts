/** The line to the worker of a session: what it was asked, and what becomes of that. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError, show } from "../core/options.ts";
import { onAbort } from "../core/until-aborted.ts";
import { closedError } from "./closed.ts";
import { FirstWord, LOADED } from "./first-word.ts";
import { type AnyWorker, isWorker, type OwnFactory, stop, UNLOADED } from "./own-worker.ts";
import { type Answer, type Question, receivedError } from "./remote-messages.ts";

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** The session that asked: it must live so long, since its end is the worker's. */
  readonly owner: object | undefined;
}

/** How long a worker may take to load its script and say that it is there, in ms. */
const START_MS = 30_000;

/** The worker of a session, and what it was asked and has not answered. */
export class Connection {
  readonly #network: string;
  readonly #worker: AnyWorker;
  readonly #pending = new Map<number, Pending>();
  readonly #deadline: ReturnType<typeof setTimeout>;
  readonly #firstWord: FirstWord;
  #count = 0;
  #isHere = false;
  #end: DepthwiseError | undefined;

  constructor(network: string, factory: OwnFactory) {
    this.#network = network;
    let worker: unknown;
    try {
      worker = factory();
    } catch (cause) {
      throw this.#lostError(cause);
    }
    if (!isWorker(worker)) {
      const expected = "a function that returns a Worker of depthwise/session-worker";
      throw optionError("compile", "worker", expected, worker, "Pass worker: () => new Worker(…).");
    }
    this.#worker = worker;
    this.#firstWord = new FirstWord(factory, (silence) => this.#lose(silence));
    const hear = this.#firstWord.listenTo(worker);
    this.#deadline = setTimeout(() => this.#lose(`it said nothing within ${START_MS / 1000} seconds`), START_MS);
    if (worker.on !== undefined) {
      worker.on("message", (data) => {
        hear();
        this.#receive(data);
      });
      worker.on("error", (error) => this.#lose(error));
      worker.on("exit", () => this.#lose("it was ended"));
    } else {
      worker.addEventListener?.("message", ({ data }) => {
        hear();
        this.#receive(data);
      });
      worker.addEventListener?.("error", ({ message }) => this.#lose(message || UNLOADED));
    }
  }

  /** @param numbers which are the worker's from now on */
  ask(
    question: Omit<Question, "id">,
    numbers: readonly Float32Array[],
    signal: AbortSignal | undefined,
    owner?: object,
  ): Promise<unknown> {
    const id = this.#count++;
    let forget = () => {};
    return new Promise<unknown>((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end;
      const buffers = numbers.map(({ buffer }) => buffer as ArrayBuffer);
      this.#worker.postMessage({ ...question, id }, buffers);
      // An idle worker does not keep the process alive.
      if (this.#pending.size === 0) this.#worker.ref?.();
      this.#pending.set(id, { resolve, reject, owner });
      if (signal === undefined) return;
      forget = onAbort(signal, () => {
        if (this.#settle(id) === undefined) return;
        // What was asked before is answered before, and what computes is told at its next breath.
        if (this.#end === undefined) this.#worker.postMessage({ id, abort: true });
        reject(signal.reason);
      });
    }).finally(() => forget());
  }

  close(): void {
    this.#finish(closedError(this.#network));
  }

  #receive(data: unknown): void {
    if (this.#end !== undefined) return;
    if (!this.#isHere) {
      if (data === LOADED) {
        this.#isHere = true;
        this.#settleStart();
      } else this.#lose(data);
      return;
    }
    const { id, value, error } = data as Answer;
    const pending = this.#settle(id);
    if (error === undefined) pending?.resolve(value);
    else pending?.reject(receivedError(error));
  }

  /** Of what was aborted nobody waits for the answer. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined && this.#pending.size === 0) this.#worker.unref?.();
    return pending;
  }

  #settleStart(): void {
    clearTimeout(this.#deadline);
    this.#firstWord.stop();
  }

  #lose(cause: unknown): void {
    this.#finish(this.#lostError(cause));
  }

  #finish(end: DepthwiseError): void {
    const isFirst = this.#end === undefined;
    // One that was lost may be closed.
    if (isFirst || end.code === "SESSION_CLOSED") this.#end = end;
    if (!isFirst) return;
    this.#settleStart();
    void stop(this.#worker);
    for (const { reject } of this.#pending.values()) reject(end);
    this.#pending.clear();
  }

  #lostError(cause: unknown): DepthwiseError {
    const reason = cause instanceof Error ? cause.message : typeof cause === "string" ? cause : show(cause);
    return new DepthwiseError("WORKER_LOST", {
      what: this.#isHere
        ? `session of ${this.#network}: its worker is lost: ${reason}`
        : `a worker cannot be started: ${reason}`,
      advice: this.#isHere
        ? "Compile the network again to run it."
        : "If a bundler left depthwise/session-worker out, make it an entry of its own and pass " +
          'worker: () => new Worker(new URL("./session-worker.js", import.meta.url), { type: "module" }).',
      fields: { reason },
      cause,
    });
  }
}
