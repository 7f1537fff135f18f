/** Where checkpoints lie: files by name, each written whole or not at all. */

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
