/** Models that the caller already holds: bytes, Blobs, streams, lists of Files. */

import { bytesOf } from "../core/buffers.ts";
import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { isBlob } from "../core/realms.ts";
import { chooseHead, listed } from "./head-file.ts";
import type { OpenFile } from "./open-file.ts";
import type { HeadCheck, Opening } from "./opening.ts";
import { HeldBytes } from "./own-bytes.ts";
import { HEAD_BYTES } from "./recognise.ts";
import { noPlace, relativeParts } from "./relative-path.ts";
import { type ByteStream, isByteStream, readStream } from "./stream.ts";

/** Bytes as they are at the call. */
export function openBytes(source: ArrayBufferLike | ArrayBufferView | HeldBytes, opening: Opening): OpenFile {
  const bytes = source instanceof HeldBytes ? source.bytes : bytesOf("source", source);
  opening.budget.take("bytes", bytes.length);
  if (source instanceof HeldBytes) return alone("bytes", bytes);
  // Looked at before it is copied.
  if (bytes.length > HEAD_BYTES) opening.checkHead?.("bytes", bytes.subarray(0, HEAD_BYTES));
  return alone("bytes", new Uint8Array(bytes));
}

export async function openStream(source: ByteStream, opening: Opening): Promise<OpenFile> {
  const { budget, settings } = opening;
  const onPart = (received: number) =>
    settings.onProgress?.({ file: "stream", received, total: undefined, fromCache: false });
  const bytes = await readStream("stream", source, budget, settings.signal, onPart, opening.checkHead);
  return alone("stream", bytes);
}

export async function openBlob(blob: Blob, opening: Opening): Promise<OpenFile> {
  const name = "name" in blob && typeof blob.name === "string" && blob.name !== "" ? blob.name : "Blob";
  return alone(name, await readBlob(name, blob, opening, opening.checkHead));
}

/** Files picked or dropped together; those beside the head are found by name. */
export async function openFiles(list: ArrayLike<unknown>, opening: Opening): Promise<OpenFile> {
  const files = Array.from(list, (file) => {
    if (isBlob(file) && "name" in file) return file as File;
    throw optionError("source", "list", "a list of File objects", file);
  });
  const place = "list of files";
  const names = files.map(({ name }) => name);
  const head = files[chooseHead(place, names)] as File;
  return {
    name: head.name,
    bytes: await readBlob(head.name, head, opening, opening.checkHead),
    async sibling(path) {
      const file = fileNamed(relativeParts(head.name, path), files);
      if (file === undefined) {
        throw new DepthwiseError("FILE_NOT_FOUND", {
          what: `${head.name}: the file ${JSON.stringify(path)} that belongs to it`,
          expected: "exactly one of this name in the list",
          found: listed(names),
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
  checkHead?: HeadCheck,
): Promise<Uint8Array> {
  const { signal, onProgress } = settings;
  // By its stream, not `arrayBuffer`: only that can be given up.
  const onPart = (received: number) => onProgress?.({ file: name, received, total: blob.size, fromCache: false });
  return readStream(name, streamOf(name, blob), budget, signal, onPart, checkHead);
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
