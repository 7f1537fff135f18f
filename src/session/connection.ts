/** The line to the worker of a session: what it was asked, and what becomes of that. */

import { closedError, lostError } from "../backends/lost.ts";
import { type AnyWorker, isWorker, type OwnFactory, quietly, stop } from "../backends/wasm/own-worker.ts";
import { SESSION_SCRIPT, Start } from "../backends/wasm/start.ts";
import { type DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { onAbort } from "../core/until-aborted.ts";
import { isThreadOrder, ThreadMaker } from "./relay.ts";
import { isAnswer, PONG, type Question, receivedError } from "./remote-messages.ts";

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** The session that asked: it must live so long, since its end is the worker's. */
  readonly owner: object | undefined;
}

/**
 * How long a worker that owes an answer may say nothing, in seconds: a browser does not tell when one was ended. It
 * answers between two steps, and a step of the slowest backend takes some.
 */
const PATIENCE_S = 60;

/** The worker of a session, and what it was asked and has not answered. */
export class Connection {
  readonly #network: string;
  readonly #worker: AnyWorker;
  readonly #pending = new Map<number, Pending>();
  readonly #starting: Start;
  readonly #threads: ThreadMaker;
  /** What was given up, and is answered yet. */
  readonly #aborted = new Set<number>();
  #watching: ReturnType<typeof setInterval> | undefined;
  #silent = 0;
  #count = 0;
  /** Whether its script is there: whatever ends it then is no fault of its start. */
  #isHere = false;
  #end: DepthwiseError | undefined;

  /** @throws {DepthwiseError} `OPTION_INVALID` if that is no worker; `WORKER_LOST` if none can be made */
  constructor(network: string, factory: OwnFactory) {
    this.#network = network;
    this.#starting = new Start(factory, [SESSION_SCRIPT], (cause) => this.#lose(cause));
    this.#threads = new ThreadMaker(factory, (news) => this.#post(news));
    let made: unknown;
    try {
      made = factory();
      if (!isWorker(made)) {
        const expected = `a function that returns a Worker of ${SESSION_SCRIPT}`;
        throw optionError("compile", "worker", expected, made, "Pass worker: () => new Worker(…).");
      }
      this.#worker = made;
      const receive = (data: unknown) => this.#receive(data);
      this.#starting.listen(made, receive, () => {
        this.#isHere = true;
        this.#starting.stop();
      });
    } catch (cause) {
      this.#starting.stop();
      if (made !== undefined) void stop(made as AnyWorker);
      throw isDepthwiseError(cause) ? cause : this.#lostError(cause);
    }
  }

  /** @param numbers which are the worker's from now on */
  ask(
    question: Asked,
    numbers: readonly Float32Array[],
    signal: AbortSignal | undefined,
    owner?: object,
  ): Promise<unknown> {
    const id = this.#count++;
    let forget = () => {};
    return new Promise<unknown>((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end;
      const buffers = numbers.map(({ buffer }) => buffer as ArrayBuffer);
      if (!this.#post({ ...question, id }, buffers)) throw this.#end;
      if (this.#pending.size === 0) this.#expect();
      this.#pending.set(id, { resolve, reject, owner });
      if (signal === undefined) return;
      forget = onAbort(signal, () => {
        if (this.#settle(id) === undefined) return;
        // What was asked before is answered before, and what computes is told at its next breath.
        if (this.#end === undefined) {
          this.#aborted.add(id);
          this.#post({ type: "abort", id });
        }
        reject(signal.reason);
      });
    }).finally(() => forget());
  }

  /** Gives it up for an answer that is none. */
  refuse(cause: unknown): DepthwiseError {
    this.#lose(cause);
    return this.#end as DepthwiseError;
  }

  close(): void {
    this.#finish(closedError(this.#network));
  }

  /** An idle worker does not keep the process alive, and one that owes an answer is looked after. */
  #expect(): void {
    quietly(() => this.#worker.ref?.());
    // Node says when one has ended.
    if (this.#worker.on !== undefined) return;
    this.#silent = 0;
    this.#watching = setInterval(() => {
      if (++this.#silent > PATIENCE_S) this.#lose(`it has said nothing for ${PATIENCE_S} seconds`);
      else this.#post({ type: "ping", id: -1 });
    }, 1000);
  }

  #receive(data: unknown): void {
    if (this.#end !== undefined) return;
    this.#silent = 0;
    try {
      if (!this.#isHere || !this.#understand(data)) this.#lose(data);
    } catch (cause) {
      this.#lose(cause);
    }
  }

  /** @returns false for what answers nothing that was asked: then that is not our script */
  #understand(data: unknown): boolean {
    if (data === PONG) return true;
    if (isThreadOrder(data)) {
      this.#threads.follow(data);
      return true;
    }
    if (!isAnswer(data)) return false;
    const { id, value, error } = data;
    if (this.#aborted.delete(id)) return true;
    const failure = error === undefined ? undefined : receivedError(error);
    const pending = this.#settle(id);
    if (failure === undefined) pending?.resolve(value);
    else pending?.reject(failure);
    return pending !== undefined;
  }

  /** @returns whether it could be sent; otherwise the worker is given up */
  #post(message: unknown, buffers: ArrayBuffer[] = []): boolean {
    try {
      this.#worker.postMessage(message, buffers);
      return true;
    } catch (cause) {
      this.#lose(cause);
      return false;
    }
  }

  /** Of what was aborted nobody waits for the answer. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined && this.#pending.size === 0) this.#rest();
    return pending;
  }

  #rest(): void {
    quietly(() => this.#worker.unref?.());
    clearInterval(this.#watching);
  }

  #lose(cause: unknown): void {
    this.#finish(this.#lostError(cause));
  }

  #finish(end: DepthwiseError): void {
    const isFirst = this.#end === undefined;
    // One that was lost may be closed.
    if (isFirst || end.code === "SESSION_CLOSED") this.#end = end;
    if (!isFirst) return;
    this.#starting.stop();
    this.#rest();
    this.#threads.end();
    void stop(this.#worker);
    for (const { reject } of this.#pending.values()) reject(end);
    this.#pending.clear();
  }

  #lostError(cause: unknown): DepthwiseError {
    return lostError(cause, {
      ...(this.#isHere ? {} : { script: SESSION_SCRIPT }),
      owner: `session of ${this.#network}: its worker`,
      advice: "Compile the network again to run it.",
    });
  }
}

type Asked = Question extends infer Each ? (Each extends Question ? Omit<Each, "id"> : never) : never;
