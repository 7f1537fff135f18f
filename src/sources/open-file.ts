/** A file that was fetched: whole, with the files that lie beside it. */
export interface OpenFile {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The bytes of a file named relative to this one, such as a shard; at most `maxBytes` of the load.
   *
   * @throws {DepthwiseError} `FILE_NOT_FOUND` and others; for bytes without a place, saying what to pass instead
   */
  sibling(path: string): Promise<Uint8Array>;
}
