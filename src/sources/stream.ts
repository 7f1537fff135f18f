/** Streams read whole: those of the web, Node's, and anything else that yields bytes. */

import { bytesOf } from "../core/buffers.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { grouped } from "../core/file-error.ts";
import { optionError } from "../core/options.ts";
import { Parts as Arrived } from "../core/parts.ts";
import { isReadableStream, isUint8Array } from "../core/realms.ts";
import { untilAborted } from "../core/until-aborted.ts";
import type { Budget } from "./budget.ts";
import type { HeadCheck } from "./opening.ts";
import { HEAD_BYTES } from "./recognise.ts";

export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export function isByteStream(source: object): source is ByteStream {
  return isReadableStream(source) || Symbol.asyncIterator in source;
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
  const parts = new Arrived();
  const failed = (how: string, cause?: unknown) =>
    new DepthwiseError("FILE_UNREADABLE", {
      what: `${name}: ${how} after ${grouped(parts.length)} bytes`,
      advice: cause === undefined ? "Nothing was loaded." : "The cause is what it failed with. Nothing was loaded.",
      cause,
    });
  const orFailed = (cause: unknown) => {
    signal?.throwIfAborted();
    throw isDepthwiseError(cause) ? cause : failed("it failed", cause);
  };
  let source: Parts;
  try {
    source = partsOf(stream);
  } catch (cause) {
    return orFailed(cause);
  }
  try {
    for (;;) {
      const { done, value } = await untilAborted(source.next(), signal).catch(orFailed);
      if (done) return parts.joined();
      await parts.turn(signal);
      if (!isUint8Array(value)) throw optionError("source", "parts of the stream", "Uint8Array", value);
      const received = parts.length;
      budget.take(name, value.length);
      // A copy: whoever fills the same array again and again is not wrong.
      parts.add(new Uint8Array(bytesOf("source", value)));
      if (parts.empty !== undefined) throw failed(`it sent ${grouped(parts.empty)} parts without a byte`);
      if (parts.length === received) continue;
      // Once: with the part that brings the last of the head.
      if (received < HEAD_BYTES && parts.length >= HEAD_BYTES) checkHead?.(name, parts.joined());
      onPart(parts.length);
    }
  } catch (cause) {
    source.cancel(cause);
    budget.giveBack(parts.length);
    throw cause;
  }
}

interface Parts {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Does not wait: a stream that hangs may never answer. */
  cancel(reason: unknown): void;
}

function partsOf(stream: ByteStream): Parts {
  if (isReadableStream(stream)) {
    // Not `for await`: Safari's streams have no iterator.
    if (stream.locked) throw optionError("source", "stream", "one that nobody reads yet", "a locked stream");
    const reader = stream.getReader();
    return {
      next: async () => reader.read(),
      cancel: (reason) => void quietly(() => reader.cancel(reason)),
    };
  }
  // Anybody may have written it: nothing is sure but its name.
  const open: unknown = stream[Symbol.asyncIterator];
  const iterator: unknown = typeof open === "function" ? Reflect.apply(open, stream, []) : open;
  const next: unknown = isObject(iterator) && "next" in iterator ? iterator.next : undefined;
  if (!isObject(iterator) || typeof next !== "function") {
    throw optionError("source", "stream", "an asynchronous iterator with next", iterator);
  }
  return {
    async next() {
      const result: unknown = await Reflect.apply(next, iterator, []);
      if (!isObject(result)) throw optionError("source", "next() of the stream", "an object", result);
      return { done: "done" in result && Boolean(result.done), value: "value" in result ? result.value : undefined };
    },
    cancel() {
      // An iterator of Node's does not return while it waits, but the stream can be destroyed.
      void quietly(() => "destroy" in stream && typeof stream.destroy === "function" && stream.destroy());
      void quietly(() => "return" in iterator && typeof iterator.return === "function" && iterator.return());
    },
  };
}

async function quietly(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch {
    // It is not needed any more.
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
