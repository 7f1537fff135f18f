/** The store of a run: kept from others, and not waited for without end. */

import { DepthwiseError } from "../../core/errors.ts";
import { onAbort } from "../../core/until-aborted.ts";
import { type CheckpointStore, lockStore } from "./checkpoint-store.ts";
import { storeName } from "./stored.ts";

/** How long a call of the store is waited for after the signal, in ms: a checkpoint that is under way is to last. */
const PATIENCE_MS = 60_000;

export interface HeldStore {
  /** The same files. After the signal `write` and `remove` reject where nothing comes. */
  readonly store: CheckpointStore;
  /** Lets others in: at once, or, where something was given up, when it has ended after all. */
  readonly release: () => Promise<void>;
}

/** @throws what `lockStore` throws */
export async function holdStore(given: CheckpointStore, signal: AbortSignal): Promise<HeldStore> {
  const unlock = await lockStore(given, signal);
  const underWay = new Set<Promise<unknown>>();
  let isGivenUp = false;
  const patiently = async <Value>(begin: () => Promise<Value>): Promise<Value> => {
    const work = Promise.resolve(begin());
    underWay.add(work);
    const over = () => underWay.delete(work);
    work.then(over, over);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let forget = () => {};
    const late = new Promise<never>((_, reject) => {
      const giveUp = () => {
        isGivenUp = true;
        reject(givenUp(given));
      };
      forget = onAbort(signal, () => {
        timer = setTimeout(giveUp, PATIENCE_MS);
      });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      forget();
      clearTimeout(timer);
    }
  };
  const unlessGivenUp = async (begin: () => Promise<void>): Promise<void> => {
    if (isGivenUp) throw givenUp(given);
    await patiently(begin);
  };
  return {
    store: {
      name: storeName(given),
      read: (name, atMost) => given.read(name, atMost),
      write: (name, bytes) => unlessGivenUp(() => given.write(name, bytes)),
      remove: (name) => unlessGivenUp(() => given.remove(name)),
    },
    release: async () => {
      if (unlock === undefined) return;
      if (underWay.size > 0) {
        // What it still writes must not meet another run.
        void Promise.allSettled(underWay)
          .then(unlock)
          .catch(() => undefined);
        return;
      }
      await patiently(unlock).catch((error: unknown) => {
        // What the run has come to counts.
        if (!isGivenUp) throw error;
      });
    },
  };
}

function givenUp(store: CheckpointStore): DepthwiseError {
  const where = storeName(store);
  return new DepthwiseError("FILE_UNREADABLE", {
    what: `fit: checkpoint: ${where}: nothing has come of a call for ${PATIENCE_MS / 1000} s after the signal`,
    advice: "The checkpoint before counts. See why the store is stuck.",
    fields: { where },
  });
}
