/** A body on its way, in parts: of any size, as many as there are, in memory that is bounded by their bytes. */

import { untilAborted } from "./until-aborted.ts";

/** Longest that the event loop waits. */
const TURN_MS = 50;
/** Parts without bytes in a row: some streams send one now and then. */
export const MOST_EMPTY = 100_000;
const SMALL_BYTES = 2 ** 16;

export class Parts {
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  #turn = performance.now();
  #empty = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Parts without a byte that came last, if they are too many to wait for one that has any. */
  get empty(): number | undefined {
    return this.#empty > MOST_EMPTY ? this.#empty : undefined;
  }

  /** @param part is kept */
  add(part: Uint8Array): void {
    this.#empty = part.length === 0 ? this.#empty + 1 : 0;
    if (part.length === 0) return;
    this.#length += part.length;
    this.#parts.push(part);
    // As a counter carries: single bytes would take a hundred and fifty each.
    for (let [a, b] = this.#parts.slice(-2); a && b && a.length <= b.length; [a, b] = this.#parts.slice(-2)) {
      const length = a.length + b.length;
      if (length > SMALL_BYTES) return;
      this.#parts.splice(-2, 2, concatenate([a, b], length));
    }
  }

  /** What answers at once, always, lets no timer run in which an abort could come: so there is a turn now and then. */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    if (performance.now() - this.#turn <= TURN_MS) return;
    await untilAborted(new Promise<void>((resolve) => setTimeout(resolve, 0)), signal);
    signal?.throwIfAborted();
    this.#turn = performance.now();
  }

  /** One array of all. */
  joined(): Uint8Array<ArrayBuffer> {
    return concatenate(this.#parts, this.#length);
  }
}

/** One array of several, `length` bytes in all. */
export function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
