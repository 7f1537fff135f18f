/** Bytes from wherever a user has them: a path, a URL, a Blob, an array. Nothing larger than asked for is held. */

import { DepthwiseError } from "./errors.ts";
import { bytesIn } from "./tensor.ts";

export type ByteSource = string | URL | Blob | ArrayBuffer | ArrayBufferView;

export interface ReadBytesOptions {
  /** Largest file that is read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
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

/** How a source is called in messages. */
export function sourceName(source: ByteSource): string {
  if (typeof source === "string") return source;
  if (source instanceof URL) return source.protocol === "file:" ? filePath(source) : source.href;
  if (source instanceof Blob) return "name" in source && typeof source.name === "string" ? source.name : "Blob";
  return "bytes";
}

/**
 * Reads a source whole. Strings are paths in Node, unless they begin with `http://`, `https://` or `file://`; in
 * a browser they are URLs.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_TOO_LARGE` before anything is read,
 *         `FILE_TRUNCATED` if a server sends less than it announced
 */
export async function readBytes(source: ByteSource, options: ReadBytesOptions): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return bytesIn("source", source);
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    checkSize(sourceName(source), source.size, options.maxBytes);
    return new Uint8Array(await source.arrayBuffer());
  }
  const url = asUrl(source);
  if (url !== undefined && url.protocol !== "file:") return fetchBytes(url, options);
  const path = url === undefined ? String(source) : filePath(url);
  return readFileBytes(path, options);
}

function asUrl(source: unknown): URL | undefined {
  if (source instanceof URL) return source;
  if (typeof source !== "string" || source === "") {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "source",
      expected: "a path, a URL, a Blob or bytes",
      found: source === "" ? "an empty string" : Object.prototype.toString.call(source).slice(8, -1),
    });
  }
  if (/^(https?|file):\/\//i.test(source)) return new URL(source);
  if (nodeFiles() !== undefined) return undefined;
  return new URL(source, typeof location === "undefined" ? undefined : location.href);
}

async function readFileBytes(path: string, { maxBytes, signal }: ReadBytesOptions): Promise<Uint8Array> {
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
    return await readPieces(files, path, stats.size, signal);
  } catch (cause) {
    if (cause instanceof DepthwiseError || signal?.aborted)
      throw cause instanceof DepthwiseError ? cause : signal?.reason;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
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

async function readPieces(
  files: NodeFiles,
  path: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const file = await called<number>((done) => files.open(path, "r", done));
  try {
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

async function fetchBytes(url: URL, { maxBytes, signal }: ReadBytesOptions): Promise<Uint8Array> {
  const unreadable = (reason: string, cause?: unknown) =>
    new DepthwiseError("FILE_UNREADABLE", {
      what: `${url.href}: ${reason}`,
      advice: "Check the address and the network, or download the file and pass its path.",
      fields: { url: url.href },
      cause,
    });
  let response: Response;
  try {
    response = await fetch(url, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable("the server cannot be reached", cause);
  }
  if (!response.ok) throw unreadable(`the server answered ${response.status} ${response.statusText}`.trim());
  const announced = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  if (announced !== null) checkSize(url.href, Number(announced), maxBytes);
  const parts: Uint8Array[] = [];
  let received = 0;
  try {
    for await (const part of response.body ?? []) {
      received += part.length;
      checkSize(url.href, received, maxBytes);
      parts.push(part);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof DepthwiseError) throw cause;
    throw unreadable(`the connection ended after ${received} bytes`, cause);
  }
  if (announced !== null && received !== Number(announced)) {
    throw new DepthwiseError("FILE_TRUNCATED", {
      what: url.href,
      expected: `${announced} bytes`,
      found: `${received}`,
      advice: "Fetch it again.",
    });
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function checkSize(name: string, found: number, maxBytes: number): void {
  if (found <= maxBytes) return;
  throw new DepthwiseError("FILE_TOO_LARGE", {
    what: name,
    expected: `at most ${maxBytes.toLocaleString("en-US")} bytes`,
    found: found.toLocaleString("en-US"),
    advice: "Pass a larger maxBytes if this is the file you mean. Nothing was loaded.",
    fields: { bytes: found, maxBytes },
  });
}

function filePath(url: URL): string {
  const node = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:url");
  return node === undefined ? url.pathname : node.fileURLToPath(url);
}
