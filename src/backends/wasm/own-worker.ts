/** Workers, of Node and of browsers. */

/** Sends a message, with buffers that are the other end's from then on. */
export interface PostMessage {
  (message: unknown): void;
  (message: unknown, transfer: ArrayBuffer[]): void;
}

/** What is used of a worker, in Node and in browsers. */
export interface AnyWorker {
  readonly postMessage: PostMessage;
  terminate(): unknown;
  ref?(): void;
  unref?(): void;
  on?(event: string, listener: (value: unknown) => void): void;
  addEventListener?(
    event: string,
    listener: (event: { readonly data?: unknown; readonly message?: string }) => void,
  ): void;
}

/**
 * Makes a worker that runs `depthwise/worker`, or with `inWorker` `depthwise/session-worker`: a new one at each call. For
 * bundlers and pages that place the script elsewhere.
 */
export type WorkerFactory = () => unknown;

/** Of the library's own it is known where their script lies, and so whether it has come. */
export type OwnFactory = WorkerFactory & {
  /** Counts the times that a page has fetched the script from now on. */
  readonly arrivals?: () => () => number;
};

/** Ends a worker. One of the caller's own making may fail at it, which is of no interest to anybody. */
export async function stop(worker: AnyWorker): Promise<void> {
  try {
    await worker.terminate();
  } catch {
    // It is given up in any case.
  }
}

/** Does what a worker of the caller's own making may fail at, and nobody waits for. */
export function quietly(work: () => unknown): void {
  try {
    work();
  } catch {
    // As with its end.
  }
}

export function isWorker(value: unknown): value is AnyWorker {
  const has = (name: string): boolean => typeof Reflect.get(value as object, name) === "function";
  if (typeof value !== "object" || value === null) return false;
  return has("postMessage") && has("terminate") && (has("on") || has("addEventListener"));
}

/** A browser does not say which. */
export const UNLOADED = "its script could not be loaded: it is not there, of another origin, or refused by a policy";

interface NodeThreads {
  /** The other end, in a worker. */
  readonly parentPort: {
    readonly postMessage: PostMessage;
    on(event: "message", listener: (data: unknown) => void): unknown;
  } | null;
  readonly Worker: new (url: URL | string, options: { execArgv: string[] }) => AnyWorker;
}

/** Node's, where it has them; Bun and Deno have them too. */
export function nodeThreads(): NodeThreads | undefined {
  return typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:worker_threads");
}

/** The address of a file that lies beside `here`. Not as `new URL(…)`, which bundlers take for a file to copy. */
export function beside(here: string | undefined, file: string): string {
  return String(here)
    .replace(/[?#].*$/s, "")
    .replace(/[^/]*$/, file);
}

/** Counts the times that a page fetches a script that lies beside `here`. */
export function arrivalsOf(here: string | undefined, script: string): () => number {
  // Bundlers that move the script write another address, and the performance of jsdom knows of none.
  const address = beside(here, script);
  const count = () => performance.getEntriesByName?.(address, "resource").length ?? 0;
  const before = count();
  return () => count() - before;
}

/** @param here the address of the file that asks */
export function checkPlace(node: NodeThreads | undefined, here: string | undefined): void {
  if (!here) throw new Error("this bundle does not know its own address, and so not that of the script");
  if (node === undefined && typeof Worker === "undefined") throw new Error("there are no workers here");
}

/** In Firefox 153 `new Worker` in a worker of the page's own did not return in 9 of 150 pages, and nothing can end that. */
export function checkReturns(): void {
  if (typeof document !== "undefined" || !/Firefox\//.test(globalThis.navigator?.userAgent ?? "")) return;
  throw new Error("Firefox may hang as it makes one in a worker: to have them, compile on the page itself");
}
