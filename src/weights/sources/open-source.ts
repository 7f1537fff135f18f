/** `openSource`: whatever a user has becomes bytes with a name and a place. */

import { type ByteSource, nodeFiles, sourceName } from "../../core/bytes.ts";
import { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import type { OpenFile } from "../model-file.ts";
import { ownPart } from "../optional-package.ts";
import { verify } from "./digest.ts";
import { openBlob, openBytes, openFiles, openStream } from "./in-memory.ts";
import { openPath } from "./local.ts";
import { type Opening, startOpening, systemTools, type Tools } from "./opening.ts";
import { checkSourceOptions, type SourceOptions } from "./options.ts";
import { HeldBytes, isBytes } from "./own-bytes.ts";
import { isByteStream } from "./stream.ts";

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
  | readonly File[]
  | FileList;

/**
 * Reads a model's file whole, and those beside it when asked.
 *
 * Downloads are repeated when they fail, go on where they ended, are checked, and are kept in the cache, from where
 * they come the next time.
 *
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` (naming each address and what it answered),
 *         `FILE_TRUNCATED`, `FILE_CORRUPT` (not the size or sha256 given), `FILE_TOO_LARGE`, `NAME_UNKNOWN`,
 *         `OPTION_INVALID`; `signal.reason` if aborted
 */
export async function openSource(source: ModelSource | HeldBytes, options: SourceOptions = {}): Promise<OpenFile> {
  return openSourceWith(source, options, systemTools);
}

/** `openSource` with another clock or cache, for tests. */
export async function openSourceWith(
  source: ModelSource | HeldBytes,
  options: SourceOptions,
  tools: Tools,
): Promise<OpenFile> {
  const settings = checkSourceOptions(options);
  settings.signal?.throwIfAborted();
  const opening = startOpening(settings, tools);
  if (typeof source === "string" || source instanceof URL) return openText(source, opening);
  const file = await openHeld(source, opening);
  await verify(file.name, file.bytes, settings.expected);
  settings.signal?.throwIfAborted();
  return file;
}

async function openHeld(source: unknown, opening: Opening): Promise<OpenFile> {
  if (source instanceof HeldBytes || isBytes(source)) return openBytes(source, opening);
  if (typeof source !== "object" || source === null) throw notASource(source);
  if (typeof Blob !== "undefined" && source instanceof Blob) return openBlob(source, opening);
  if (isByteStream(source)) return openStream(source, opening);
  if (isList(source)) return openFiles(source, opening);
  throw notASource(source);
}

function isList(source: object): source is ArrayLike<unknown> {
  return Array.isArray(source) || (typeof FileList !== "undefined" && source instanceof FileList);
}

async function openText(source: string | URL, opening: Opening): Promise<OpenFile> {
  const { settings } = opening;
  const located = locate(source);
  if (located.type === "path") {
    const file = await openPath(located.path, opening);
    await verify(file.name, file.bytes, settings.expected);
    return file;
  }
  // Apart, so that a page that reads Files alone does not load it.
  const { openRemote, placeOf } = await ownPart(() => import("./remote.ts"));
  return openRemote(placeOf(located.type, located.text, settings), opening);
}

type Located =
  | { readonly type: "path"; readonly path: string }
  | { readonly type: "hub" | "keras" | "web"; readonly text: string };

function locate(source: string | URL): Located {
  const text = String(source);
  if (/^hf:/.test(text)) return { type: "hub", text };
  if (/^keras:/.test(text)) return { type: "keras", text };
  if (/^file:/i.test(text)) return { type: "path", path: pathOf(text) };
  if (/^(https?:\/\/|blob:|data:)/i.test(text) && URL.canParse(text)) return { type: "web", text: new URL(text).href };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1];
  if (text === "" || scheme !== undefined || source instanceof URL) throw notASource(text);
  if (nodeFiles() !== undefined) return { type: "path", path: text };
  const base = typeof location === "undefined" ? undefined : location.href;
  if (!URL.canParse(text, base)) throw notASource(text);
  return { type: "web", text: new URL(text, base).href };
}

function pathOf(address: string): string {
  try {
    return sourceName(new URL(address));
  } catch (cause) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: `source: ${address} is no address of a file on this machine`,
      advice: "Pass a path, or an address like file:///folder/model.safetensors.",
      cause,
    });
  }
}

function notASource(source: unknown): DepthwiseError {
  return optionError(
    "source",
    "source",
    "a path, an address (https://, file://), hf:owner/name, keras:name, a Blob, bytes, a stream or a list of Files",
    source,
  );
}
