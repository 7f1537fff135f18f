/** Lines of files of any length, of which one piece is held at a time. */

import type { DepthwiseError } from "../core/errors.ts";
import { sourceFault } from "./source-fault.ts";

/** A longer line is no path. */
export const LONGEST_LINE = 65_536;

const [LINE_FEED, CARRIAGE_RETURN, SPACE, TAB] = [10, 13, 32, 9];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Cuts what is pushed into lines; those without a character but spaces are none. Line ends, of either kind, and the mark
 * that some editors write first are no part of them. Of a line that is too long its beginning is handed over, a byte more
 * than it may have.
 */
export class LineCutter {
  readonly #onLine: (line: Uint8Array, offset: number) => void;
  readonly #most: number;
  /** Where in the file the next byte that is pushed stands. */
  #at: number;
  /** The beginning of a line whose end has not come. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #lineAt: number;

  /**
   * @param offset where the first byte stands in its file; only at 0 a byte-order mark is looked for
   * @param most   bytes that a line may have
   */
  constructor(offset: number, onLine: (line: Uint8Array, offset: number) => void, most = LONGEST_LINE) {
    this.#most = most;
    this.#at = offset;
    this.#lineAt = offset;
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end < 0) break;
      this.#end(chunk.subarray(start, end));
      start = end + 1;
      this.#lineAt = this.#at + start;
    }
    this.#keep(chunk.subarray(start));
    this.#at += chunk.length;
  }

  /** What stands behind the last line's end is a line too. */
  end(): void {
    this.#end(new Uint8Array());
  }

  #keep(piece: Uint8Array): void {
    // What is no part of the line, a mark and half of its end, may be among it.
    const room = this.#most + 1 + BYTE_ORDER_MARK.length + 1 - this.#keptBytes;
    if (piece.length === 0 || room <= 0) return;
    // A copy: whoever reads fills one buffer again and again.
    const kept = piece.slice(0, room);
    this.#kept.push(kept);
    this.#keptBytes += kept.length;
  }

  #end(piece: Uint8Array): void {
    let line = piece;
    if (this.#kept.length > 0) {
      this.#keep(piece);
      line = joined(this.#kept, this.#keptBytes);
      this.#kept = [];
      this.#keptBytes = 0;
    }
    if (this.#lineAt === 0 && BYTE_ORDER_MARK.every((byte, place) => line[place] === byte)) line = line.subarray(3);
    if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1);
    line = line.subarray(0, this.#most + 1);
    if (line.some((byte) => byte !== SPACE && byte !== TAB)) this.#onLine(line, this.#lineAt);
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Bytes that are read at once. */
const CHUNK = 1 << 18;

/** Of a list, or of lines of our own. */
export function linesFault(path: string, cause: unknown): DepthwiseError {
  return sourceFault(path, "the file", "Put it back as it was, or give yourself the right to read it.", cause);
}

/**
 * Lines of a file from one on, as they are asked for; each is the caller's until the next is.
 *
 * @param offset where a line begins
 * @param most   bytes that a line may have; of a longer one its beginning is given
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `signal.reason`
 */
export async function* linesFrom(
  path: string,
  offset: number,
  signal?: AbortSignal,
  most = LONGEST_LINE,
): AsyncGenerator<Uint8Array, void, undefined> {
  const files = process.getBuiltinModule("node:fs/promises");
  const unreadable = (cause: unknown) => Promise.reject(linesFault(path, cause));
  const file = await files.open(path, "r").catch(unreadable);
  try {
    let found: Uint8Array[] = [];
    const cutter = new LineCutter(offset, (line) => found.push(line), most);
    for (let at = offset; ; ) {
      signal?.throwIfAborted();
      // A buffer of its own each time: the lines that are handed over look into it.
      const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK), 0, CHUNK, at).catch(unreadable);
      if (bytesRead === 0) cutter.end();
      else cutter.push(buffer.subarray(0, bytesRead));
      at += bytesRead;
      yield* found;
      found = [];
      if (bytesRead === 0) return;
    }
  } finally {
    await file.close();
  }
}
