/** Where checkpoints lie: files by name, each written whole or not at all. */

import { optionError } from "../../core/options.ts";
import { untilAborted } from "../../core/until-aborted.ts";

/**
 * A place for the files of a checkpoint, by name. The signal ends the wait for `read` and `lock` at once. What writes has
 * a minute from then on, so that a checkpoint is whole; after that the run rejects with `FILE_UNREADABLE`, and the lock is
 * held until what is under way has ended after all.
 */
export interface CheckpointStore {
  /** What messages call it. Default `the store`. */
  readonly name?: string;
  /**
   * The bytes of a file; undefined if there is none.
   *
   * @param atMost how many it should have: of a longer one it is enough to give one byte more
   */
  read(name: string, atMost?: number): Promise<Uint8Array | undefined>;
  /** Writes a file: when it is done the bytes last; whatever happens before, the file is as it was. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file, if it is there. */
  remove(name: string): Promise<void>;
  /** The names of all files. */
  list?(): Promise<readonly string[]>;
  /**
   * Keeps others out until what it gives is called. Default: nobody is kept out.
   *
   * @throws if another run has it
   */
  lock?(): Promise<() => Promise<void>>;
}

export function isCheckpointStore(value: unknown): value is CheckpointStore {
  if (typeof value !== "object" || value === null) return false;
  const { read, write, remove } = value as Partial<CheckpointStore>;
  return [read, write, remove].every((each) => typeof each === "function");
}

/**
 * Keeps others out of a store that can do so. A lock that comes after the signal has ended the wait is given free.
 *
 * @returns ends it
 * @throws {DepthwiseError} `OPTION_INVALID` for a lock that cannot be ended; what the store throws; `signal.reason`
 */
export async function lockStore(
  store: CheckpointStore,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | undefined> {
  if (store.lock === undefined) return undefined;
  if (typeof store.lock !== "function") {
    throw optionError("fit", "checkpoint", "a store whose lock is a function, or none", store.lock);
  }
  const locking: Promise<unknown> = Promise.resolve(store.lock());
  let unlock: unknown;
  try {
    unlock = await untilAborted(locking, signal);
  } catch (error) {
    if (signal.aborted) locking.then((late) => (isUnlock(late) ? late() : undefined)).catch(() => undefined);
    throw error;
  }
  if (isUnlock(unlock)) return unlock;
  throw optionError("fit", "checkpoint", "a store whose lock gives a function that ends it", unlock);
}

function isUnlock(value: unknown): value is () => Promise<void> {
  return typeof value === "function";
}
