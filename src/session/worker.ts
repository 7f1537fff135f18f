/** The script of a worker: walks the stages of its session's program, as often as it is told, until it is ended. */

import { bindThread, instantiate } from "./program.ts";
import type { WorkerTask } from "./threads.ts";

interface Port {
  /** Not there where the script was imported, and no worker was made of it. */
  postMessage?(message: unknown): void;
  on?(event: "message", listener: (data: unknown) => void): void;
  addEventListener?(event: "message", listener: (event: { readonly data: unknown }) => void): void;
}

interface Gate {
  pass(gate: number, seen: number, spins: number, maySleep: number): number;
  arrive(barrier: number, threads: number, spins: number, maySleep: number): number;
}

const port = openPort();
// Before anything else: whoever made the worker learns by it that this is the script, and waits. A page that imports it
// would tell itself.
if (typeof document === "undefined") port.postMessage?.("loaded");
const receive = (data: unknown) => {
  walk(data as WorkerTask & { readonly thread: number }).catch((error: unknown) => port.postMessage?.(String(error)));
};
if (port.on !== undefined) port.on("message", receive);
else port.addEventListener?.("message", ({ data }) => receive(data));

async function walk({ program, modules, memory, thread }: WorkerTask & { readonly thread: number }): Promise<void> {
  const instances = await instantiate(modules, memory);
  const run = bindThread(program, instances, thread);
  const gate = instances["gate"] as object as Gate;
  const words = new Int32Array(memory.buffer);
  const { control, stages, threads, spins } = program;
  // Nothing starts before all are ready, so the gate stands as it stood.
  let seen = Atomics.load(words, control.start / 4);
  port.postMessage?.("ready");
  for (;;) {
    gate.pass(control.start, seen, spins, 1);
    seen++;
    const batch = words[control.batch / 4] ?? 1;
    for (let stage = 0; stage < stages.length; stage++) {
      if (Atomics.load(words, control.cancelled / 4) === 0) run(stage, batch);
      gate.arrive(control.barrier, threads, spins, 1);
    }
  }
}

function openPort(): Port {
  const node = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:worker_threads");
  return (node?.parentPort ?? globalThis) as object as Port;
}
