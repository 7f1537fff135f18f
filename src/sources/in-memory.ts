/** Models that the caller already holds: bytes, Blobs, streams of the web and of Node, lists of Files. */

import { bytesOf } from "../core/buffers.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { grouped, quoted } from "../core/file-error.ts";
import { isObject } from "../core/json.ts";
import { optionError } from "../core/options.ts";
import { Parts } from "../core/parts.ts";
import { isArrayBuffer, isBlob, isReadableStream, isSharedBuffer, isUint8Array, isURL } from "../core/realms.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { chooseMain, fileList, noPlace, relativeParts } from "./model-files.ts";
import type { ByteBudget, OpenFile, Opening, StartCheck } from "./open-file.ts";
import { START_BYTES } from "./recognise.ts";

/** Bytes that were copied when they were passed: a model keeps views of them, and their caller may go on. */
export class HeldBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes);
  }
}

/**
 * A source as it is now, for whoever opens it later.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a buffer that was transferred
 */
export function held<Source>(source: Source): Source | HeldBytes | URL {
  if (isURL(source)) return new URL(source.href);
  return isBytes(source) ? new HeldBytes(bytesOf("source", source)) : source;
}

export function isBytes(source: unknown): source is ArrayBufferLike | ArrayBufferView {
  return ArrayBuffer.isView(source) || isArrayBuffer(source) || isSharedBuffer(source);
}

/** Bytes as they are at the call. */
export function openBytes(source: ArrayBufferLike | ArrayBufferView | HeldBytes, opening: Opening): OpenFile {
  const bytes = source instanceof HeldBytes ? source.bytes : bytesOf("source", source);
  opening.budget.take("bytes", bytes.length);
  if (source instanceof HeldBytes) return alone("bytes", bytes);
  // Looked at before it is copied.
  if (bytes.length > START_BYTES) opening.checkStart?.("bytes", bytes.subarray(0, START_BYTES));
  return alone("bytes", new Uint8Array(bytes));
}

export async function openStream(source: ByteStream, opening: Opening): Promise<OpenFile> {
  const { budget, settings } = opening;
  const onPart = (received: number) =>
    settings.onProgress?.({ file: "stream", received, total: undefined, fromCache: false });
  const bytes = await readStream("stream", source, budget, settings.signal, onPart, opening.checkStart);
  return alone("stream", bytes);
}

export async function openBlob(blob: Blob, opening: Opening): Promise<OpenFile> {
  const name = "name" in blob && typeof blob.name === "string" && blob.name !== "" ? blob.name : "Blob";
  return alone(name, await readBlob(name, blob, opening, opening.checkStart));
}

/** Files picked or dropped together; those beside the main one are found by name. */
export async function openFiles(list: ArrayLike<unknown>, opening: Opening): Promise<OpenFile> {
  const files = Array.from(list, (file) => {
    if (isBlob(file) && "name" in file) return file as File;
    throw optionError("source", "list", "a list of File objects", file);
  });
  const place = "list of files";
  const names = files.map(({ name }) => name);
  const main = files[chooseMain(place, names)] as File;
  return {
    name: main.name,
    bytes: await readBlob(main.name, main, opening, opening.checkStart),
    async sibling(path) {
      const file = fileNamed(relativeParts(main.name, path), files);
      if (file === undefined) {
        throw new DepthwiseError("FILE_NOT_FOUND", {
          what: `${main.name}: the file ${quoted(path)} that belongs to it`,
          expected: "exactly one of this name in the list",
          found: fileList(names),
          advice: "Pass all files of the model together.",
          fields: { path, names },
        });
      }
      return readBlob(file.name, file, opening);
    },
  };
}

/** The File of that name, of several the one whose directories fit as well. */
function fileNamed(parts: readonly string[], files: readonly File[]): File | undefined {
  const candidates = files.filter(({ name }) => name === parts.at(-1));
  if (candidates.length <= 1) return candidates[0];
  const end = `/${parts.join("/")}`;
  const fitting = candidates.filter(({ webkitRelativePath }) => `/${webkitRelativePath ?? ""}`.endsWith(end));
  return fitting.length === 1 ? fitting[0] : undefined;
}

async function readBlob(
  name: string,
  blob: Blob,
  { budget, settings }: Opening,
  checkStart?: StartCheck,
): Promise<Uint8Array> {
  const { signal, onProgress } = settings;
  // By its stream, not `arrayBuffer`: only that can be given up.
  const onPart = (received: number) => onProgress?.({ file: name, received, total: blob.size, fromCache: false });
  return readStream(name, streamOf(name, blob), budget, signal, onPart, checkStart);
}

/** jsdom's Blobs have no streams. */
async function* wholeOf(blob: Blob): AsyncIterable<Uint8Array> {
  yield new Uint8Array(await blob.arrayBuffer());
}

/** A subclass may give anything. */
function streamOf(name: string, blob: Blob): ByteStream {
  let stream: unknown;
  let cause: unknown;
  try {
    stream =
      typeof blob.stream !== "function" && typeof blob.arrayBuffer === "function" ? wholeOf(blob) : blob.stream();
  } catch (error) {
    cause = error;
  }
  if (typeof stream === "object" && stream !== null && isByteStream(stream)) return stream;
  throw new DepthwiseError("FILE_UNREADABLE", {
    what: `${name}: it gives no stream of its bytes`,
    advice: "Pass a Blob of the system, or bytes.",
    cause,
  });
}

function alone(name: string, bytes: Uint8Array): OpenFile {
  return {
    name,
    bytes,
    sibling: (path) => Promise.reject(noPlace(name, path)),
  };
}

type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export function isByteStream(source: object): source is ByteStream {
  return isReadableStream(source) || Symbol.asyncIterator in source;
}

/**
 * Reads a stream to its end.
 *
 * @param onPart called with the bytes so far
 * @param checkStart sees the first bytes as soon as they are there, and may throw
 * @throws {DepthwiseError} `FILE_TOO_LARGE`, `FILE_UNREADABLE` if the stream fails, `OPTION_INVALID` for one that is
 *         in use or yields something else than bytes; `signal.reason`. The stream is cancelled then
 */
async function readStream(
  name: string,
  stream: ByteStream,
  budget: ByteBudget,
  signal: AbortSignal | undefined,
  onPart: (received: number) => void,
  checkStart?: StartCheck,
): Promise<Uint8Array> {
  const parts = new Parts();
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
  let source: PartReader;
  try {
    source = readerOf(stream);
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
      // Once: with the part that brings the last of these bytes.
      if (received < START_BYTES && parts.length >= START_BYTES) checkStart?.(name, parts.joined());
      onPart(parts.length);
    }
  } catch (cause) {
    source.cancel(cause);
    budget.giveBack(parts.length);
    throw cause;
  }
}

interface PartReader {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Does not wait: a stream that hangs may never answer. */
  cancel(reason: unknown): void;
}

function readerOf(stream: ByteStream): PartReader {
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
  const next = isObject(iterator) ? iterator["next"] : undefined;
  if (!isObject(iterator) || typeof next !== "function") {
    throw optionError("source", "stream", "an asynchronous iterator with next", iterator);
  }
  return {
    async next() {
      const result: unknown = await Reflect.apply(next, iterator, []);
      if (!isObject(result)) throw optionError("source", "next() of the stream", "an object", result);
      return { done: Boolean(result["done"]), value: result["value"] };
    },
    cancel() {
      // An iterator of Node's does not return while it waits, but the stream can be destroyed.
      void quietly(() => "destroy" in stream && typeof stream.destroy === "function" && stream.destroy());
      void quietly(() => typeof iterator["return"] === "function" && iterator["return"]());
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
