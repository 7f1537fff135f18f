/** What lies in the place of a checkpoint. */

import { DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import { isUint8Array } from "../../core/realms.ts";
import { INDEX, LONGEST_INDEX } from "./checkpoint-file.ts";
import { type CheckpointStore, isCheckpointStore } from "./checkpoint-store.ts";
import { directoryStore } from "./directory-store.ts";

/** @throws what `directoryStore` throws */
export function openStore(checkpoint: string | URL | CheckpointStore): CheckpointStore {
  return isCheckpointStore(checkpoint) ? checkpoint : directoryStore(checkpoint);
}

/** What messages call it. */
export function storeName({ name }: CheckpointStore): string {
  return name ?? "the store";
}

/** @throws {DepthwiseError} `OPTION_INVALID` for what is no bytes; what the store throws, as it is or as `FILE_UNREADABLE` */
export async function readStored(
  owner: string,
  store: CheckpointStore,
  name: string,
  atMost: number,
): Promise<Uint8Array | undefined> {
  let bytes: unknown;
  try {
    bytes = await store.read(name, atMost);
  } catch (cause) {
    throw storeFailed(owner, store, `${name} cannot be read`, cause);
  }
  if (bytes === undefined || isUint8Array(bytes)) return bytes;
  throw optionError(owner, "checkpoint", "a store whose read gives a Uint8Array, or undefined", bytes);
}

/** @param more a sentence, with a space before it */
export function storeFailed(owner: string, store: CheckpointStore, what: string, cause: unknown, more = ""): unknown {
  if (isDepthwiseError(cause)) return cause;
  const where = storeName(store);
  return new DepthwiseError("FILE_UNREADABLE", {
    what: `${owner}: checkpoint: ${where}: ${what}`,
    advice: `The cause says why.${more}`,
    fields: { where },
    cause,
  });
}

/** @throws {DepthwiseError} `OPTION_INVALID` if there is a checkpoint: it would be lost; what `readStored` throws */
export async function refuseKept(owner: string, store: CheckpointStore): Promise<undefined> {
  const bytes = await readStored(owner, store, INDEX, LONGEST_INDEX);
  if (bytes === undefined) return undefined;
  const where = storeName(store);
  throw new DepthwiseError("OPTION_INVALID", {
    what: `${owner}: checkpoint: ${where}`,
    expected: "a place without a checkpoint",
    found: "the checkpoint of a run, which would be overwritten",
    advice: "Pass resume: true to go on from it, or another place, or remove it.",
    fields: { owner, option: "checkpoint", where },
  });
}
