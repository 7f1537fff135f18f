/** Checkpoints in IndexedDB, in a browser: on a page, and in a worker. A file is a record, written in one transaction. */

import { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";

const FILES = "files";

/** How long another run is waited for, in ms: of a worker that was ended Chromium keeps the locks up to two seconds. */
const PATIENCE_MS = 3000;

/** What runs in the same engine without Web Locks hold. */
const held = /* @__PURE__ */ new Set<string>();

/**
 * A store for the checkpoints of one run, in a database of its own, `depthwise:NAME`. The browser may throw it away when
 * the disk is full, unless `navigator.storage.persist()` was granted. A second run on the same name is refused, in any tab.
 *
 * @param name of the run
 * @throws {DepthwiseError} `OPTION_INVALID`; `FILE_UNREADABLE` where there is no IndexedDB. Its methods reject with
 *         `FILE_UNREADABLE`: no room (`QuotaExceededError`), or the browser allows none; `lock` with `CHECKPOINT_IN_USE`
 */
export function indexedDbStore(name: string): CheckpointStore {
  if (typeof name !== "string" || name === "") throw optionError("indexedDbStore", "name", "the name of a run", name);
  if (typeof indexedDB === "undefined") {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: "indexedDbStore: there is no IndexedDB here",
      advice: "In Node pass the path of a directory to fit.",
    });
  }
  const database = `depthwise:${name}`;
  const within = <Value>(mode: IDBTransactionMode, work: (files: IDBObjectStore) => IDBRequest<Value>) =>
    transaction(database, mode, work);
  return {
    name: `IndexedDB, ${database}`,
    read: async (file) => {
      const found: unknown = await within("readonly", (files) => files.get(file));
      return found === undefined ? undefined : new Uint8Array(found as ArrayBuffer);
    },
    // A buffer of its own: a view would be stored with all that it is a part of.
    write: async (file, bytes) => {
      await within("readwrite", (files) => files.put(new Uint8Array(bytes).buffer, file));
    },
    remove: async (file) => {
      await within("readwrite", (files) => files.delete(file));
    },
    list: async () => (await within("readonly", (files) => files.getAllKeys())).map(String),
    lock: () => lockName(database),
  };
}

/** Does one thing; it is done when the transaction is, not when the request is. */
async function transaction<Value>(
  name: string,
  mode: IDBTransactionMode,
  work: (files: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value> {
  try {
    const database = await opened(name);
    try {
      return await new Promise<Value>((resolve, reject) => {
        const changes = database.transaction(FILES, mode, { durability: "strict" });
        const request = work(changes.objectStore(FILES));
        changes.oncomplete = () => resolve(request.result);
        changes.onabort = () => reject(changes.error ?? new Error("the transaction was aborted"));
        changes.onerror = () => reject(changes.error ?? request.error);
      });
    } finally {
      database.close();
    }
  } catch (cause) {
    const isFull = cause instanceof Error && cause.name === "QuotaExceededError";
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `IndexedDB, ${name}: it cannot be ${mode === "readonly" ? "read" : "written"}`,
      advice: isFull
        ? "Make room for it. What was there before is untouched."
        : "The cause says why. Private windows of some browsers allow none.",
      fields: { database: name },
      cause,
    });
  }
}

function opened(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(FILES);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("it cannot be opened"));
    request.onblocked = () => reject(new Error("another tab holds an older version of it open"));
  });
}

/** Web Locks end with the tab that holds them; without them, which needs a secure page, only this engine is looked at. */
async function lockName(name: string): Promise<() => Promise<void>> {
  if (typeof navigator !== "object" || !("locks" in navigator)) {
    if (held.has(name)) throw inUse(name);
    held.add(name);
    return async () => {
      held.delete(name);
    };
  }
  const { locks } = navigator;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  return new Promise((resolve, reject) => {
    const request: Promise<void> = locks.request(name, { signal: patience }, () => {
      return new Promise<void>((release) => {
        resolve(async () => {
          release();
          await request;
        });
      });
    });
    // A page in a sandbox has neither locks nor databases: the database says so, in words of its own.
    request.catch(() => (patience.aborted ? reject(inUse(name)) : resolve(async () => {})));
  });
}

function inUse(name: string): DepthwiseError {
  return new DepthwiseError("CHECKPOINT_IN_USE", {
    what: `fit: checkpoint: ${name} in IndexedDB is in use by another run`,
    advice: "Wait for that run to end, close its tab, or pass another name.",
    fields: { database: name },
  });
}
