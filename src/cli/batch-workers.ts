/** Worker processes of `depthwise batch`: each takes a shard when it is free; of one that dies another takes its shard. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PartStats } from "../batch/index.ts";
import type { FromWorker, ToldError, ToWorker } from "./batch-messages.ts";

/** So often a shard is begun before the run is given up. */
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
  const onAbort = () => {
    fault ??= signal.reason;
    endAll();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const isOver = () => fault !== undefined || waiting.length === 0;
  const work = async (): Promise<void> => {
    while (!isOver()) {
      const left = await oneWorker(working, waiting, alive);
      if (left === undefined || fault !== undefined) continue;
      if (left instanceof WorkerFault) {
        fault ??= left;
        endAll();
        continue;
      }
      const count = (tries.get(left) ?? 0) + 1;
      tries.set(left, count);
      if (count < TRIES) waiting.unshift(left);
      else {
        fault ??= lost(`shard ${left}: ${count} workers died of it`);
        endAll();
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: working.workers }, work));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  if (fault !== undefined) throw fault;
}

function lost(message: string): WorkerFault {
  return new WorkerFault({ code: "WORKER_LOST", message, fields: {} });
}

/**
 * One process, from its start to its end.
 *
 * @returns the shard that it left undone when it died, or what it told before it ended; undefined if it did all there was
 */
function oneWorker(
  { open, onDone, onProgress }: Working,
  waiting: number[],
  alive: Set<ChildProcess>,
): Promise<number | WorkerFault | undefined> {
  const child = fork(fileURLToPath(new URL("./batch-worker.js", import.meta.url)), [], { execArgv: process.execArgv });
  alive.add(child);
  let current: number | undefined;
  let told: WorkerFault | undefined;
  const send = (message: ToWorker) => child.send(message, () => undefined);
  const next = () => {
    current = waiting.shift();
    if (current === undefined) child.disconnect();
    else send({ type: "run", shard: current });
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
      resolve(told ?? current);
    }
    send(open);
  });
}
