/**
 * Where lines of a list begin: so a shard of a list of a thousand million lines reads only its own. Of every so manieth
 * line the place is known; of a longer list of fewer.
 */

import { LineCutter, linesFault } from "./lines.ts";

export interface LineIndex {
  /** Lines in all. */
  readonly count: number;
  /** Of all bytes of the list. */
  readonly sha256: string;
  /** Every so manieth line has a place. */
  readonly stride: number;
  /** Where lines 0, stride, 2 · stride, … begin. */
  readonly offsets: readonly number[];
}

/** At most so many places are kept: less than a megabyte, however long the list is. */
const MOST_OFFSETS = 32_768;
const CHUNK = 1 << 20;

/**
 * Reads a list once.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `signal.reason`
 */
export async function indexLines(path: string, signal?: AbortSignal): Promise<LineIndex> {
  const files = process.getBuiltinModule("node:fs/promises");
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const places = new LinePlaces();
  const cutter = new LineCutter(0, (_, offset) => places.add(offset));
  const unreadable = (cause: unknown) => Promise.reject(linesFault(path, cause));
  const file = await files.open(path, "r").catch(unreadable);
  try {
    const buffer = new Uint8Array(CHUNK);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, CHUNK).catch(unreadable);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      cutter.push(chunk);
    }
  } finally {
    await file.close();
  }
  cutter.end();
  return { ...places.all, sha256: hash.digest("hex") };
}

/** Where lines begin; every other of these places is forgotten when there are too many. */
class LinePlaces {
  #offsets: number[] = [];
  #stride = 1;
  #count = 0;

  add(offset: number): void {
    if (this.#count % this.#stride === 0) this.#offsets.push(offset);
    this.#count++;
    if (this.#offsets.length <= MOST_OFFSETS) return;
    this.#offsets = this.#offsets.filter((_, place) => place % 2 === 0);
    this.#stride *= 2;
  }

  get all() {
    return { count: this.#count, stride: this.#stride, offsets: this.#offsets };
  }
}

/** The nearest place before a line that is known, and the line that begins there. */
export function placeBefore({ stride, offsets }: LineIndex, line: number): { offset: number; line: number } {
  const place = Math.min(Math.floor(line / stride), Math.max(0, offsets.length - 1));
  return { offset: offsets[place] ?? 0, line: place * stride };
}
