/** The workers of a session: started together, lost together. */

import type { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import { onAbort } from "../../core/until-aborted.ts";
import { lostError } from "../lost.ts";
import { type AnyWorker, isWorker, quietly, stop, type WorkerFactory } from "./own-worker.ts";
import type { Program } from "./program.ts";
import { SESSION_SCRIPT, Start, THREAD_SCRIPT } from "./start.ts";

/** What a worker is told. */
export interface WorkerTask {
  readonly program: Program;
  readonly modules: Readonly<Record<string, WebAssembly.Module>>;
  readonly memory: WebAssembly.Memory;
}

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

/**
 * @param signal    ends the start
 * @param ranBefore whether these come in place of lost ones: their script is where it is looked for
 */
export function startThreads(
  task: WorkerTask,
  factory: WorkerFactory,
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
  const starting = new Start(factory, [THREAD_SCRIPT, SESSION_SCRIPT], (cause) => fail(cause));
  let forget = (): void => undefined;
  const settle = () => {
    starting.stop();
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
    lost = threadLost(cause, ranBefore || waiting === 0);
    end(lost);
  };
  if (signal !== undefined) forget = onAbort(signal, () => end(signal.reason));
  const oneIsReady = () => {
    // Idle workers do not keep the process alive.
    if (--waiting === 0) {
      settle();
      for (const worker of workers) quietly(() => worker.unref?.());
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
      let isReady = false;
      starting.listen(worker, (message) => {
        if (message !== "ready") fail(message);
        else if (!isReady) oneIsReady();
        isReady = true;
      });
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
      end(threadLost("it was ended", false));
      return Promise.all(workers.map(stop));
    },
  };
}

function threadLost(cause: unknown, ran: boolean): DepthwiseError {
  return lostError(cause, {
    ...(ran ? {} : { script: THREAD_SCRIPT }),
    owner: "session: a worker",
    advice: "The run has no result; the next one starts new workers. Pass threads: 1 to do without.",
  });
}
