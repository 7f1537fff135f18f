/** Worker processes of `depthwise batch`: each takes a shard when it is free; of one that dies another takes its shard. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PartStats } from "../batch/index.ts";
import { onAbort } from "../core/until-aborted.ts";
import type { FromWorker, ToldError, ToWorker } from "./batch-messages.ts";

/** So often a shard is begun, and a worker that takes none is started, before the run is given up. */
const TRIES = 3;

/** How long a worker that was told to end may take. */
const FAREWELL_MS = 4000;

export interface Working {
  readonly workers: number;
  readonly shards: readonly number[];
  readonly open: ToWorker & { readonly type: "open" };
  readonly signal: AbortSignal;
  onProgress(shard: number, done: number, errors: number): void;
  onDone(stats: PartStats): void;
}

/** What ended a worker for good; its words are those of the worker. */
export class WorkerFault extends Error {
  override readonly name = "WorkerFault";
  readonly code: string | undefined;
  readonly fields: ToldError["fields"];

  constructor({ code, message, fields }: ToldError) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}

/**
 * Runs all shards.
 *
 * @throws {WorkerFault} what a worker told, or that workers die of a shard again and again; `signal.reason`
 */
export async function runByWorkers(working: Working): Promise<void> {
  const { shards, signal } = working;
  const waiting = [...shards];
  const tries = new Map<number, number>();
  const alive = new Set<ChildProcess>();
  let fault: unknown;
  const endAll = () => {
    for (const child of alive) child.kill("SIGTERM");
    const timer = setTimeout(() => {
      for (const child of alive) child.kill("SIGKILL");
    }, FAREWELL_MS);
    timer.unref();
  };
  const forget = onAbort(signal, () => {
    fault ??= signal.reason;
    endAll();
  });
  const isOver = () => fault !== undefined || waiting.length === 0;
  const giveUp = (reason: WorkerFault) => {
    fault ??= reason;
    endAll();
  };
  const work = async (): Promise<void> => {
    let idle = 0;
    while (!isOver()) {
      const end = await oneWorker(working, waiting, alive);
      if (end === "done" || fault !== undefined) continue;
      if (end instanceof WorkerFault) giveUp(end);
      else if (end.shard === undefined) {
        if (++idle === TRIES) giveUp(lost(`${idle} workers died one after the other before they took a shard`));
      } else {
        idle = 0;
        const count = (tries.get(end.shard) ?? 0) + 1;
        tries.set(end.shard, count);
        waiting.unshift(end.shard);
        if (count === TRIES) giveUp(lost(`shard ${end.shard}: ${count} workers died of it`));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: working.workers }, work));
  } finally {
    forget();
  }
  if (fault !== undefined) throw fault;
}

function lost(message: string): WorkerFault {
  return new WorkerFault({ code: "WORKER_LOST", message, fields: {} });
}

/** How a worker ended: let go when there was no shard left, by what it told, or dead, of a shard or before it took one. */
type WorkerEnd = "done" | WorkerFault | { readonly shard: number | undefined };

/**
 * As many processes as cores already: a decoder with threads of its own for each of them only makes threads wait for each
 * other. Two read files, so that one may wait for a disk.
 */
const WORKER_THREADS = { UV_THREADPOOL_SIZE: "2", VIPS_CONCURRENCY: "1" };

/** One process, from its start to its end. */
function oneWorker(
  { open, onDone, onProgress }: Working,
  waiting: number[],
  alive: Set<ChildProcess>,
): Promise<WorkerEnd> {
  const program = fileURLToPath(new URL("./batch-worker.js", import.meta.url));
  const child = fork(program, [], { execArgv: process.execArgv, env: { ...WORKER_THREADS, ...process.env } });
  alive.add(child);
  let current: number | undefined;
  let isLetGo = false;
  let told: WorkerFault | undefined;
  const send = (message: ToWorker) => child.send(message, () => undefined);
  const next = () => {
    current = waiting.shift();
    if (current !== undefined) return send({ type: "run", shard: current });
    isLetGo = true;
    return child.disconnect();
  };
  return new Promise((resolve) => {
    child.on("message", (message: FromWorker) => {
      if (message.type === "progress") onProgress(message.shard, message.done, message.errors);
      else if (message.type === "failed") told = new WorkerFault(message.error);
      else {
        if (message.type === "done") {
          current = undefined;
          onDone(message.stats);
        }
        next();
      }
    });
    child.once("error", (error) => {
      told ??= lost(`a worker process cannot be started: ${error.message}`);
      if (child.pid === undefined) ended();
    });
    // What it told last may come after its end. Of one that was let go there is no "close".
    child.once("exit", () => (child.connected ? child.once("disconnect", ended) : ended()));
    function ended(): void {
      alive.delete(child);
      resolve(told ?? (isLetGo ? "done" : { shard: current }));
    }
    send(open);
  });
}
