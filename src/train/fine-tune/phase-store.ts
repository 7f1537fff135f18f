/** Where the first phase of a run keeps its checkpoints: beside those of the second, which lie where the caller said. */

import { DepthwiseError } from "../../core/errors.ts";
import { isURL } from "../../core/realms.ts";
import { type CheckpointStore, isCheckpointStore } from "../fit/checkpoint-store.ts";
import { directoryStore } from "../fit/directory-store.ts";

const FOLDER = "head";
const PREFIX = `${FOLDER}-`;

/** A folder of the directory; of a store the same one, under names of its own. */
export function headCheckpoint(checkpoint: string | URL | CheckpointStore): string | URL | CheckpointStore {
  if (typeof checkpoint === "string") return `${checkpoint.replace(/[/\\]+$/, "")}/${FOLDER}`;
  if (isURL(checkpoint)) return new URL(FOLDER, checkpoint.href.replace(/\/*$/, "/"));
  const { list, lock, name } = checkpoint;
  return {
    name: `${name ?? "the store"}: ${FOLDER}`,
    read: (file, atMost) => checkpoint.read(PREFIX + file, atMost),
    write: (file, bytes) => checkpoint.write(PREFIX + file, bytes),
    remove: (file) => checkpoint.remove(PREFIX + file),
    ...(list === undefined
      ? {}
      : {
          list: async () =>
            (await list.call(checkpoint))
              .filter((file) => file.startsWith(PREFIX))
              .map((file) => file.slice(PREFIX.length)),
        }),
    ...(lock === undefined ? {} : { lock: () => lock.call(checkpoint) }),
  };
}

/**
 * Refuses a place where there is a checkpoint of the second phase, before the first one is trained: `fit` would, after it.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; what the store throws
 */
export async function refuseKept(checkpoint: string | URL | CheckpointStore): Promise<void> {
  const store = isCheckpointStore(checkpoint) ? checkpoint : directoryStore(checkpoint);
  if ((await store.read("checkpoint.json")) === undefined) return;
  throw new DepthwiseError("OPTION_INVALID", {
    what: `fineTune: checkpoint: ${store.name ?? "the store"}`,
    expected: "a place without a checkpoint",
    found: "the checkpoint of a run, which would be overwritten",
    advice: "Pass resume: true to go on from it, or another place, or remove it.",
    fields: { owner: "fineTune", option: "checkpoint" },
  });
}
