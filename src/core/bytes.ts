/** Bytes from wherever a user has them: a path, a URL, a Blob, an array. Nothing larger than asked for is held. */

import { filePath, locate, requestOf, shownAddress } from "./address.ts";
import { bytesOf } from "./buffers.ts";
import { DepthwiseError } from "./errors.ts";
import { follow } from "./follow.ts";
import { Parts } from "./parts.ts";
import type { BlobShape } from "./platform-types.ts";
import { isArrayBuffer, isBlob, isURL, systemCode } from "./realms.ts";
import { type Pace, paceOf, startWatch } from "./stall-watch.ts";
import { untilAborted } from "./until-aborted.ts";

/** A file: its path, its address, or its bytes. A string is a path in Node and an address in a page. */
export type ByteSource = string | URL | Blob | BlobShape | ArrayBuffer | ArrayBufferView;

/** A server that is slower than `Pace` says is left. */
export interface ReadBytesOptions extends Partial<Pace> {
  /** Largest file that is read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees the first bytes of a file on disk, and may throw before the rest is read. */
  readonly checkStart?: (start: Uint8Array) => void;
}

type Done<Result> = (error: Error | null, result: Result) => void;

export interface NodeStats {
  readonly size: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** What is used of Node's `fs`; spelled out, so that declarations need no types of Node. */
export interface NodeFiles {
  stat(path: string, done: Done<NodeStats>): void;
  open(path: string, flags: string, done: Done<number>): void;
  read(file: number, buffer: Uint8Array, offset: number, length: number, position: number, done: Done<number>): void;
  close(file: number, done: (error: Error | null) => void): void;
}

/** Node's file functions without an import that a bundler for browsers would have to resolve. */
export function nodeFiles(): NodeFiles | undefined {
  return typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:fs");
}

/** A call of Node's with its callback as a promise: `fs/promises` would take 2 ms of a cold start to load. */
function called<Result>(call: (done: Done<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error === null || error === undefined ? resolve(result) : reject(error)));
  });
}

/** What there is at a path; undefined if it cannot be told, or not here. */
export async function statsOf(path: string): Promise<NodeStats | undefined> {
  const files = nodeFiles();
  return files && called<NodeStats>((done) => files.stat(path, done)).catch(() => undefined);
}

/**
 * How a source is called in messages: an address without its secrets.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a `file:` URL that names no path
 */
export function sourceName(source: ByteSource): string {
  if (typeof source === "string") return shownAddress(source);
  if (isURL(source)) return source.protocol === "file:" ? filePath(source) : shownAddress(source.href);
  if (isBlob(source)) return "name" in source && typeof source.name === "string" ? source.name : "Blob";
  return "bytes";
}

/**
 * Reads a source whole. Strings are paths in Node, unless they begin with `http://`, `https://`, `file:`, `blob:` or
 * `data:`; in a browser they are URLs. A user and password in one are sent to its origin, and stand in no message.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for what is no source; `FILE_NOT_FOUND`, `FILE_UNREADABLE`,
 *         `FILE_TOO_LARGE` before anything is read, `FILE_TRUNCATED` if a server sends less than it announced;
 *         `signal.reason`, as soon as it is aborted
 */
export async function readBytes(source: ByteSource, options: ReadBytesOptions): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  return untilAborted(readAny(source, options), options.signal);
}

const EXPECTED = "a path, a URL, a Blob or bytes";

async function readAny(source: ByteSource, options: ReadBytesOptions): Promise<Uint8Array> {
  if (isArrayBuffer(source) || ArrayBuffer.isView(source)) {
    const bytes = bytesOf("source", source);
    checkSize("bytes", bytes.length, options.maxBytes);
    return bytes;
  }
  if (isBlob(source)) {
    checkSize(sourceName(source), source.size, options.maxBytes);
    return readBlob(source);
  }
  if (typeof source !== "string" && !isURL(source)) {
    const found = Object.prototype.toString.call(source).slice(8, -1);
    throw new DepthwiseError("OPTION_INVALID", { what: "source", expected: EXPECTED, found });
  }
  const place = locate(source, EXPECTED, nodeFiles() !== undefined);
  if (typeof place === "string") return readFileBytes(place, options);
  return place.protocol === "file:" ? readFileBytes(filePath(place), options) : fetchBytes(place.href, options);
}

/** Its file may be gone since it was picked, and a subclass gives anything. */
async function readBlob(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${sourceName(blob)}: it cannot be read`,
      advice: "The cause is what it failed with. Pick the file again.",
      cause,
    });
  }
}

/** `readBytes` of a path alone: apart, so that whoever reads no address does not carry what fetches one. */
export function readFile(path: string, options: ReadBytesOptions): Promise<Uint8Array> {
  return untilAborted(readFileBytes(path, options), options.signal);
}

async function readFileBytes(path: string, { maxBytes, signal, checkStart }: ReadBytesOptions): Promise<Uint8Array> {
  const files = nodeFiles();
  if (files === undefined) {
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${path}: files cannot be read here`,
      advice: "Pass a Blob or bytes.",
    });
  }
  try {
    const stats = await called<NodeStats>((done) => files.stat(path, done));
    if (!stats.isFile()) {
      const found = stats.isDirectory() ? "a directory" : "something else";
      throw new DepthwiseError("FILE_UNREADABLE", {
        what: path,
        expected: "a file",
        found,
        advice: "Pass the path of a file.",
      });
    }
    checkSize(path, stats.size, maxBytes);
    return await readPieces(files, path, stats.size, signal, checkStart);
  } catch (cause) {
    if (cause instanceof DepthwiseError || signal?.aborted)
      throw cause instanceof DepthwiseError ? cause : signal?.reason;
    const code = systemCode(cause) ?? "unknown";
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new DepthwiseError("FILE_NOT_FOUND", {
        what: `${path}: there is no such file`,
        advice: "Check the path.",
        fields: { path },
        cause,
      });
    }
    throw new DepthwiseError("FILE_UNREADABLE", {
      what: `${path}: the file cannot be read (${code})`,
      advice: "Check that it is a file and that you may read it.",
      fields: { path },
      cause,
    });
  }
}

/** Larger than `readFile` takes: its pieces of 512 KiB make 17 MB wait 33 times for the event loop. */
const PIECE_BYTES = 8 * 2 ** 20;

const START_BYTES = 4096;

async function readPieces(
  files: NodeFiles,
  path: string,
  size: number,
  signal: AbortSignal | undefined,
  checkStart: ReadBytesOptions["checkStart"],
): Promise<Uint8Array> {
  const file = await called<number>((done) => files.open(path, "r", done));
  try {
    if (checkStart !== undefined) {
      const start = new Uint8Array(Math.min(size, START_BYTES));
      const read = await called<number>((done) => files.read(file, start, 0, start.length, 0, done));
      checkStart(start.subarray(0, read));
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      signal?.throwIfAborted();
      const length = Math.min(PIECE_BYTES, size - at);
      const read = await called<number>((done) => files.read(file, bytes, at, length, at, done));
      if (read === 0) break;
      at += read;
    }
    return bytes.subarray(0, at);
  } finally {
    await called<void>((done) => files.close(file, (error) => done(error, undefined)));
  }
}

async function fetchBytes(address: string, { maxBytes, signal, ...rest }: ReadBytesOptions): Promise<Uint8Array> {
  const shown = shownAddress(address);
  const unreadable = (reason: string, cause?: unknown) =>
    new DepthwiseError("FILE_UNREADABLE", {
      what: `${shown}: ${reason}`,
      advice: "Check the address and the network, or download the file and pass its path.",
      fields: { url: shown },
      cause,
    });
  const { url, authorization } = requestOf(address);
  const watch = startWatch(paceOf("source", rest), signal);
  const parts = new Parts();
  let announced: number | undefined;
  let isAnswered = false;
  try {
    const given: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await follow(url, { given, signal: watch.signal });
    if (typeof response === "string") throw unreadable(response);
    isAnswered = true;
    watch.hear(0);
    if (!response.ok) throw unreadable(`the server answered ${response.status} ${response.statusText}`.trim());
    announced = lengthOf(response);
    if (announced !== undefined) checkSize(shown, announced, maxBytes);
    const reader = response.body?.getReader();
    for (;;) {
      const part = reader && (await untilAborted(reader.read(), watch.signal));
      if (part?.value === undefined) break;
      watch.hear(part.value.length);
      parts.add(part.value);
      checkSize(shown, parts.length, maxBytes);
      if (parts.empty !== undefined) throw unreadable(`it sent ${parts.empty} parts without a byte`);
      await parts.turn(watch.signal);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof DepthwiseError) throw cause;
    if (!isAnswered) throw unreadable(watch.stall ?? "the server cannot be reached", cause);
    throw unreadable(`${watch.stall ?? "the connection ended"} after ${parts.length} bytes`, cause);
  } finally {
    // Also ends what was not read to its end.
    watch.stop();
  }
  if (announced !== undefined && parts.length !== announced) {
    throw new DepthwiseError("FILE_TRUNCATED", {
      what: shown,
      expected: `${announced} bytes`,
      found: `${parts.length}`,
      advice: "Fetch it again.",
    });
  }
  return parts.joined();
}

/** @throws {DepthwiseError} `FILE_TOO_LARGE` */
export function checkSize(name: string, found: number, maxBytes: number): void {
  if (found <= maxBytes) return;
  throw new DepthwiseError("FILE_TOO_LARGE", {
    what: name,
    expected: `at most ${maxBytes.toLocaleString("en-US")} bytes`,
    found: found.toLocaleString("en-US"),
    advice: "Pass a larger maxBytes if this is the file you mean. Nothing was loaded.",
    fields: { bytes: found, maxBytes },
  });
}

/** What is read of the head of an answer, of whoever made it. */
interface AnswerHead {
  readonly type: string;
  readonly headers: { get(name: string): string | null };
}

/** Of the file itself; undefined if the server does not say, or a page may not know whether it was packed. */
export function lengthOf({ headers, type }: AnswerHead): number | undefined {
  const length = headers.get("content-length");
  const isPacked = (headers.get("content-encoding") ?? "identity") !== "identity" || type === "cors";
  return isPacked || length === null || !/^\d+$/.test(length) ? undefined : Number(length);
}
