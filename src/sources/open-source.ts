/** `openSource`: whatever a user has becomes bytes with a name and a place. */

import { locate } from "../core/address.ts";
import { type ByteSource, type NodeStats, nodeFiles, readFile, statsOf } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { show } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import type { FileShape } from "../core/platform-types.ts";
import { className, isBlob, isFileList, isURL } from "../core/realms.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { checkTextDecoder } from "./decoded-budget.ts";
import { HeldBytes, isByteStream, isBytes, openBlob, openBytes, openFiles, openStream } from "./in-memory.ts";
import { relativeParts, verify } from "./model-files.ts";
import { type OpenFile, type Opening, type StartCheck, startOpening, systemTools, type Tools } from "./open-file.ts";
import { checkSourceOptions, type SourceOptions } from "./options.ts";
import { START_BYTES } from "./recognise.ts";

/**
 * - a string: in Node a path of a file or directory, in a browser an address relative to the page; or one that begins
 *   with `https://`, `http://`, `file://`, `blob:` or `data:`; `hf:owner/name`, also `hf:owner/name@revision/file`;
 *   `keras:mobilenet_1_0_224_tf`
 * - a `URL`, a `Blob` or `File`, bytes (copied at the call), a stream of bytes of the web or of Node
 * - several Files, such as model.json with its shards
 */
export type ModelSource =
  | ByteSource
  | SharedArrayBuffer
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | readonly (File | FileShape)[]
  | FileList;

/**
 * Reads a model's file whole, and those beside it when asked.
 *
 * Downloads are repeated when they fail, go on where they ended, are checked, and are kept in the cache, from where
 * they come the next time.
 *
 * @param checkStart throws if the first bytes of the file show that the rest is not worth reading
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` (naming each address and what it answered),
 *         `FILE_TRUNCATED`, `FILE_CORRUPT` (not the size or sha256 given), `FILE_TOO_LARGE`, `NAME_UNKNOWN`,
 *         `OPTION_INVALID`; `signal.reason` if aborted
 */
export async function openSource(
  source: ModelSource | HeldBytes,
  options: SourceOptions = {},
  checkStart?: StartCheck,
): Promise<OpenFile> {
  return openSourceWith(source, options, systemTools, checkStart);
}

/** `openSource` with another clock or cache, for tests. */
export async function openSourceWith(
  source: ModelSource | HeldBytes,
  options: SourceOptions,
  tools: Tools,
  checkStart?: StartCheck,
): Promise<OpenFile> {
  const settings = checkSourceOptions(options);
  settings.signal?.throwIfAborted();
  checkTextDecoder();
  const opening = startOpening(settings, tools, checkStart);
  if (typeof source === "string" || isURL(source)) return openText(source, opening);
  const file = await openHeld(source, opening);
  await untilAborted(verify(file.name, file.bytes, settings.expected), settings.signal);
  settings.signal?.throwIfAborted();
  return file;
}

async function openHeld(source: unknown, opening: Opening): Promise<OpenFile> {
  if (source instanceof HeldBytes || isBytes(source)) return openBytes(source, opening);
  if (typeof source !== "object" || source === null) throw notASource(source);
  if (isBlob(source)) return openBlob(source, opening);
  if (isByteStream(source)) return openStream(source, opening);
  if (isList(source)) return openFiles(source, opening);
  throw notASource(source);
}

function isList(source: object): source is ArrayLike<unknown> {
  return Array.isArray(source) || isFileList(source);
}

async function openText(source: string | URL, opening: Opening): Promise<OpenFile> {
  const { settings } = opening;
  const located = locateModel(source);
  if (located.type === "path") return untilAborted(openVerified(located.path, opening), settings.signal);
  // Apart, so that a page that reads Files alone does not load it.
  const loading = ownPart("downloads", () => import("./remote.ts"));
  const { openRemoteFile } = await untilAborted(loading, settings.signal);
  return openRemoteFile(located.type, located.text, opening);
}

async function openVerified(path: string, opening: Opening): Promise<OpenFile> {
  const file = await openPath(path, opening);
  await verify(file.name, file.bytes, opening.settings.expected);
  return file;
}

type Located =
  | { readonly type: "path"; readonly path: string }
  | { readonly type: "hub" | "keras" | "web"; readonly text: string };

const SOURCES =
  "a path, an address (https://, file://), hf:owner/name, keras:name, a Blob, bytes, a stream or a list of Files";

function locateModel(source: string | URL): Located {
  const text = String(source);
  if (/^hf:/.test(text)) return { type: "hub", text };
  if (/^keras:/.test(text)) return { type: "keras", text };
  const place = locate(source, SOURCES, nodeFiles() !== undefined);
  return typeof place === "string" ? { type: "path", path: place } : { type: "web", text: place.href };
}

function notASource(source: unknown): DepthwiseError {
  const isAnswer = typeof source === "object" && source !== null && className(source) === "Response";
  return new DepthwiseError("OPTION_INVALID", {
    what: "source",
    expected: SOURCES,
    found: isAnswer ? "a Response" : show(source),
    advice: isAnswer ? "Pass its body, or await response.blob()." : undefined,
    fields: { owner: "source", option: "source", found: source },
  });
}

/**
 * @param path of a file, or of a directory with one model in it
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_TOO_LARGE`
 */
async function openPath(path: string, opening: Opening): Promise<OpenFile> {
  const stats = await statsOf(path);
  const isDirectory = stats?.isDirectory() === true;
  const main = isDirectory
    ? await (await ownPart("what looks into a directory", () => import("./directory.ts"))).mainIn(path)
    : path;
  const bytes = await readPath(main, isDirectory ? await statsOf(main) : stats, opening, opening.checkStart);
  return {
    name: main,
    bytes,
    async sibling(name) {
      const parts = relativeParts(main, name);
      const { dirname, join } = process.getBuiltinModule("node:path");
      const beside = join(dirname(main), ...parts);
      return readPath(beside, await untilAborted(statsOf(beside), opening.settings.signal), opening);
    },
  };
}

async function readPath(
  path: string,
  stats: NodeStats | undefined,
  { budget, settings }: Opening,
  checkStart?: StartCheck,
): Promise<Uint8Array> {
  // What is no file, `readFile` explains.
  const size = stats?.isFile() ? stats.size : 0;
  budget.take(path, size);
  try {
    const bytes = await readFile(path, {
      maxBytes: Math.max(size, 1),
      signal: settings.signal,
      ...(size > START_BYTES && checkStart && { checkStart: (start: Uint8Array) => checkStart(path, start) }),
    });
    settings.onProgress?.({ file: path, received: bytes.length, total: size, fromCache: false });
    return bytes;
  } catch (cause) {
    budget.giveBack(size);
    throw cause;
  }
}
