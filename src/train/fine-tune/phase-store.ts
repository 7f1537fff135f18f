/** Where the first phase of a run keeps its checkpoints: beside those of the second, which lie where the caller said. */

import { isURL } from "../../core/realms.ts";
import type { CheckpointStore } from "../fit/checkpoint-store.ts";

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
