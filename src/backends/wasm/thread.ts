/** What a worker of a session's threads does: walks the stages of a program, as often as it is told, until it is ended. */

import type { Kernel, ModuleExports } from "../../kernels/wasm/index.ts";
import { nodeThreads, type PostMessage } from "./own-worker.ts";
import { bindThread, instantiate } from "./program.ts";
import type { WorkerTask } from "./threads.ts";

/** The other end, in a worker. */
export interface Port {
  /** Not there where the script was imported in Node, and no worker was made of it. */
  readonly postMessage?: PostMessage;
  addEventListener?(event: "message", listener: (event: { readonly data: unknown }) => void): void;
}

export type ThreadTask = WorkerTask & { readonly thread: number };

/**
 * Tells the other end which script is there, and gives `receive` what comes from it. Does nothing in a page that imports
 * the script, and makes no worker of it.
 */
export function openPort(script: string, receive: (data: unknown, port: Port) => void): void {
  if (typeof document !== "undefined") return;
  const ofNode = nodeThreads()?.parentPort;
  const scope: object = globalThis;
  const port: Port = ofNode ?? scope;
  port.postMessage?.(script);
  // Once more at the first message: whoever made the worker may listen to it only then.
  let isFirst = true;
  const hear = (data: unknown) => {
    if (isFirst) port.postMessage?.(script);
    isFirst = false;
    receive(data, port);
  };
  // Of a page's worker only what is known to be its own is used: in a classic one every name of ours is a global too.
  if (ofNode) ofNode.on("message", hear);
  else port.addEventListener?.("message", ({ data }) => hear(data));
}

export function isThreadTask(message: unknown): message is ThreadTask {
  return typeof message === "object" && message !== null && "program" in message;
}

/** Never ends by itself. A failure is told to who started it. */
export function runThread(task: ThreadTask, port: Port): void {
  walk(task, port).catch((error: unknown) => port.postMessage?.(String(error)));
}

async function walk({ program, modules, memory, thread }: ThreadTask, port: Port): Promise<void> {
  const instances = await instantiate(modules, memory);
  // The session has looked that all exports are there, before it started any worker.
  const run = bindThread(program, (module, entry) => instances[module]?.[entry] as Kernel, thread);
  const gate = instances["gate"] as ModuleExports["gate"];
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
