/**
 * Pieces of a file, one behind the other, of which one stretch is held: where pieces lie close together many are read
 * at once, where they lie far apart each by itself.
 */

/** Of pieces further apart than this what lies between them is not read. */
const CLOSE = 1 << 16;
/** A page: the system reads no less. */
const ALONE = 4096;

/** What is used of Node's `FileHandle`. */
interface Readable {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

export class FileWindow {
  readonly #file: Readable;
  #held: Buffer = Buffer.alloc(0);
  #heldAt = 0;

  constructor(file: Readable) {
    this.#file = file;
  }

  /**
   * So many bytes, or fewer where the file ends before; they stay as they are.
   *
   * @param length is allocated: the caller bounds it
   */
  async read(at: number, length: number): Promise<Buffer> {
    const from = at - this.#heldAt;
    const isHeld = from >= 0 && from + length <= this.#held.length;
    if (!isHeld) {
      const isClose = from >= 0 && from - this.#held.length < CLOSE;
      this.#held = await this.#stretch(at, Math.max(length, isClose ? CLOSE : ALONE));
      this.#heldAt = at;
    }
    return this.#held.subarray(at - this.#heldAt, at - this.#heldAt + length);
  }

  async #stretch(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    let count = 0;
    while (count < length) {
      const { bytesRead } = await this.#file.read(bytes, count, length - count, at + count);
      if (bytesRead === 0) break;
      count += bytesRead;
    }
    return bytes.subarray(0, count);
  }
}
