/** The workers of a session: started together, lost together. */

import { DepthwiseError } from "../core/errors.ts";
import { optionError, show } from "../core/options.ts";
import { onAbort } from "../core/until-aborted.ts";
import type { Program } from "./program.ts";

/** What a worker is told. */
export interface WorkerTask {
  readonly program: Program;
  readonly modules: Readonly<Record<string, WebAssembly.Module>>;
  readonly memory: WebAssembly.Memory;
}

/** What is used of a worker, in Node and in browsers. */
interface AnyWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref?(): void;
  on?(event: string, listener: (value: unknown) => void): void;
  addEventListener?(
    event: string,
    listener: (event: { readonly data?: unknown; readonly message?: string }) => void,
  ): void;
}

/** Makes a worker that runs `depthwise/worker`; for bundlers and pages that place the script elsewhere. */
export type WorkerFactory = () => unknown;

export interface Threads {
  /** Resolves when all are ready; rejects if one cannot be started. */
  readonly ready: Promise<void>;
  /** Why the workers can no longer be used. */
  readonly lost: DepthwiseError | undefined;
  /** Gives them up. */
  lose(cause: unknown): void;
  /** Resolves when all have ended, where the platform says so (Node does). */
  terminate(): Promise<unknown>;
}

/** How long a worker may take to load its script and say that it is ready, in ms. */
const START_MS = 30_000;
/**
 * How long a script that is there may take for its first word, in seconds: ours says it before anything else, another
 * that happens to bear the name never does. A network may be as slow as before.
 */
const FIRST_WORD_S = 5;

/**
 * @param signal    ends the start
 * @param ranBefore whether these come in place of lost ones: their script is where it is looked for
 */
export function startThreads(
  task: WorkerTask,
  factory: WorkerFactory = defaultWorker,
  signal?: AbortSignal,
  ranBefore = false,
): Threads {
  signal?.throwIfAborted();
  const workers: AnyWorker[] = [];
  let lost: DepthwiseError | undefined;
  let isClosed = false;
  let waiting = task.program.threads - 1;
  let resolve = (): void => undefined;
  let reject = (_error: unknown): void => undefined;
  const ready = new Promise<void>((onReady, onFailure) => {
    resolve = onReady;
    reject = onFailure;
  });
  const deadline = setTimeout(() => fail(`it was not ready within ${START_MS / 1000} seconds`), START_MS);
  /** Workers whose script is there, where the platform says so, and workers that have said something. */
  let [online, heard] = [0, 0];
  const arrived = factory === defaultWorker ? arrivals() : () => 0;
  // Counted, not measured: a thread that was busy heard nothing either.
  let seconds = 0;
  const listening = setInterval(() => {
    seconds = online + arrived() > heard ? seconds + 1 : 0;
    if (seconds > FIRST_WORD_S) fail(`its script says nothing for ${FIRST_WORD_S} seconds: ${FOREIGN}`);
  }, 1000);
  let forget = (): void => undefined;
  const settle = () => {
    clearInterval(listening);
    clearTimeout(deadline);
    forget();
  };
  const end = (reason: unknown): void => {
    isClosed = true;
    settle();
    for (const worker of workers) void stop(worker);
    // Of no effect once they are ready.
    reject(reason);
  };
  const fail = (cause: unknown) => {
    if (isClosed) return;
    lost = lostError(cause, ranBefore || waiting === 0);
    end(lost);
  };
  if (signal !== undefined) forget = onAbort(signal, () => end(signal.reason));
  const oneIsReady = () => {
    // Idle workers do not keep the process alive.
    if (--waiting === 0) {
      settle();
      for (const worker of workers) worker.unref?.();
      resolve();
    }
  };
  try {
    for (let thread = 1; thread < task.program.threads; thread++) {
      const worker = factory();
      if (!isWorker(worker)) {
        // Nobody's loss: the caller's function is wrong, and one thread in place of two would hide it.
        const advice = "Pass worker: () => new Worker(…).";
        lost = optionError("compile", "worker", "a function that returns a Worker of depthwise/worker", worker, advice);
        end(lost);
        break;
      }
      workers.push(worker);
      // The caller's function may have aborted.
      if (isClosed) {
        void stop(worker);
        break;
      }
      let [isHeard, isReady] = [false, false];
      const receive = (message: unknown) => {
        if (!isHeard) heard++;
        isHeard = true;
        if (message === "loaded") return;
        if (message !== "ready") fail(message);
        else if (!isReady) oneIsReady();
        isReady = true;
      };
      if (worker.on !== undefined) {
        worker.on("online", () => online++);
        worker.on("message", receive);
        worker.on("error", fail);
        worker.on("exit", () => fail("it was ended"));
      } else {
        worker.addEventListener?.("message", ({ data }) => receive(data));
        worker.addEventListener?.("error", ({ message }) => fail(message || UNLOADED));
      }
      worker.postMessage({ ...task, thread });
    }
  } catch (error) {
    fail(error);
  }
  return {
    ready,
    get lost() {
      return lost;
    },
    lose: fail,
    terminate: () => {
      end(lostError("it was ended", false));
      return Promise.all(workers.map(stop));
    },
  };
}

/** Ends a worker. One of the caller's own making may fail at it, which is of no interest to anybody. */
async function stop(worker: AnyWorker): Promise<void> {
  try {
    await worker.terminate();
  } catch {
    // It is given up in any case.
  }
}

function isWorker(value: unknown): value is AnyWorker {
  const has = (name: string): boolean => typeof Reflect.get(value as object, name) === "function";
  if (typeof value !== "object" || value === null) return false;
  return has("postMessage") && has("terminate") && (has("on") || has("addEventListener"));
}

function lostError(cause: unknown, ranBefore: boolean): DepthwiseError {
  const reason = cause instanceof Error ? cause.message : typeof cause === "string" ? cause : show(cause);
  return new DepthwiseError("WORKER_LOST", {
    what: ranBefore ? `session: a worker is lost: ${reason}` : `a worker cannot be started: ${reason}`,
    advice: ranBefore
      ? "The run has no result; the next one starts new workers. Pass threads: 1 to do without."
      : "If a bundler left depthwise/worker out, make it an entry of its own and pass " +
        'worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }).',
    fields: { reason },
    cause,
  });
}

const FOREIGN = "it may be another one, of the same name";

/** A browser does not say which. */
const UNLOADED = "its script could not be loaded: it is not there, of another origin, or refused by a policy";

interface NodeThreads {
  readonly Worker: new (url: URL, options: { execArgv: string[] }) => AnyWorker;
}

/** Counts the times that a page has fetched the script of its workers from now on. */
function arrivals(): () => number {
  // Not as `new URL(…)`: bundlers would take it for a file to copy. Those that move the script write another address.
  const address = String(import.meta.url)
    .replace(/[?#].*$/s, "")
    .replace(/[^/]*$/, "worker.js");
  const count = () => performance.getEntriesByName(address, "resource").length;
  const before = count();
  return () => count() - before;
}

function defaultWorker(): AnyWorker {
  const node: NodeThreads | undefined =
    typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:worker_threads");
  const here: string | undefined = import.meta.url;
  if (!here) throw new Error("this bundle does not know its own address, and so not that of the script");
  // Without the flags of this process: `node --input-type=module -e` would refuse the worker's script.
  if (node !== undefined) return new node.Worker(new URL("./worker.js", import.meta.url), { execArgv: [] });
  if (typeof Worker === "undefined") throw new Error("there are no workers here");
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) as object as AnyWorker;
}
