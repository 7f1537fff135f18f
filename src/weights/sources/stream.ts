/** Streams read whole: those of the web, Node's, and anything else that yields bytes. */

import { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import { untilAborted } from "../../core/until-aborted.ts";
import { grouped } from "../file-error.ts";
import { HEAD_BYTES } from "../recognise.ts";
import type { Budget } from "./budget.ts";
import type { HeadCheck } from "./opening.ts";
import { concatenate } from "./own-bytes.ts";

export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export function isByteStream(source: object): source is ByteStream {
  return isWebStream(source) || Symbol.asyncIterator in source;
}

/**
 * Reads a stream to its end.
 *
 * @param onPart called with the bytes so far
 * @param checkHead sees the first bytes as soon as they are there, and may throw
 * @throws {DepthwiseError} `FILE_TOO_LARGE`, `FILE_UNREADABLE` if the stream fails, `OPTION_INVALID` for one that is
 *         in use or yields something else than bytes; `signal.reason`. The stream is cancelled then
 */
export async function readStream(
  name: string,
  stream: ByteStream,
  budget: Budget,
  signal: AbortSignal | undefined,
  onPart: (received: number) => void,
  checkHead?: HeadCheck,
): Promise<Uint8Array> {
  const source = partsOf(stream);
  const parts: Uint8Array[] = [];
  let received = 0;
  const next = () =>
    untilAborted(source.next(), signal).catch((cause) => {
      signal?.throwIfAborted();
      throw new DepthwiseError("FILE_UNREADABLE", {
        what: `${name}: it failed after ${grouped(received)} bytes`,
        advice: "The cause is what it failed with. Nothing was loaded.",
        cause,
      });
    });
  try {
    for (;;) {
      const { done, value } = await next();
      if (done) return concatenate(parts, received);
      if (!(value instanceof Uint8Array)) throw optionError("source", "parts of the stream", "Uint8Array", value);
      budget.take(name, value.length);
      // A copy: whoever fills the same array again and again is not wrong.
      parts.push(new Uint8Array(value));
      joinSmall(parts);
      // Once: with the part that brings the last of the head.
      if (received < HEAD_BYTES && received + value.length >= HEAD_BYTES) {
        checkHead?.(name, concatenate(parts, received + value.length));
      }
      received += value.length;
      onPart(received);
    }
  } catch (cause) {
    source.cancel(cause);
    budget.giveBack(parts.reduce((sum, { length }) => sum + length, 0));
    throw cause;
  }
}

const SMALL_BYTES = 2 ** 16;

/** Joins small parts as a counter carries: single bytes would take a hundred and fifty each. */
function joinSmall(parts: Uint8Array[]): void {
  for (let [a, b] = parts.slice(-2); a !== undefined && b !== undefined; [a, b] = parts.slice(-2)) {
    const length = a.length + b.length;
    if (a.length > b.length || length > SMALL_BYTES) return;
    parts.splice(-2, 2, concatenate([a, b], length));
  }
}

interface Parts {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Does not wait: a stream that hangs may never answer. */
  cancel(reason: unknown): void;
}

function isWebStream(source: object): source is ReadableStream<Uint8Array> {
  return typeof ReadableStream !== "undefined" && source instanceof ReadableStream;
}

function partsOf(stream: ByteStream): Parts {
  if (isWebStream(stream)) {
    // Not `for await`: Safari's streams have no iterator.
    if (stream.locked) throw optionError("source", "stream", "one that nobody reads yet", "a locked stream");
    const reader = stream.getReader();
    return { next: () => reader.read(), cancel: (reason) => void reader.cancel(reason).catch(() => {}) };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    cancel() {
      // An iterator of Node's does not return while it waits, but the stream can be destroyed.
      if ("destroy" in stream && typeof stream.destroy === "function") stream.destroy();
      void (async () => iterator.return?.())().catch(() => {});
    },
  };
}
