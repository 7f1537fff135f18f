/** A store in memory, which can be told to fail. */

import type { CheckpointStore } from "../../../src/train/fit/checkpoint-store.ts";

export interface MemoryStore extends CheckpointStore {
  readonly files: Map<string, Uint8Array>;
  /** Writes so far. */
  readonly writes: string[];
  /** The write that fails, counted from 1 from now on; 0 for none. */
  failAt(write: number): void;
}

export function memoryStore(): MemoryStore {
  const files = new Map<string, Uint8Array>();
  const writes: string[] = [];
  let left = 0;
  return {
    name: "memory",
    files,
    writes,
    failAt: (write) => {
      left = write;
    },
    read: async (name) => files.get(name)?.slice(),
    write: async (name, bytes) => {
      writes.push(name);
      if (left > 0 && --left === 0) throw new Error("ENOSPC: no space left on device");
      files.set(name, bytes.slice());
    },
    remove: async (name) => {
      files.delete(name);
    },
    list: async () => [...files.keys()],
  };
}
