/** What a line of a list says: a picture, and what it is called. */

import { DepthwiseError } from "../core/errors.ts";
import { LONGEST_LINE } from "./lines.ts";

/** A picture of a shard; `error` where its line names none. */
export type Item = ItemName & ({ readonly image: string | URL | Stored; readonly error?: undefined } | RefusedLine);

interface ItemName {
  readonly id: string;
  /** As it stands in the input. */
  readonly line: Uint8Array;
}

interface RefusedLine {
  readonly image?: undefined;
  readonly error: DepthwiseError;
}

/** A picture within an archive. */
export interface Stored {
  /** Its path. */
  readonly archive: string;
  /** Within it. */
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

const ADDRESS = /^https?:\/\//i;

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true });
const lenient = /* @__PURE__ */ new TextDecoder();

/**
 * A line of a list: a path or an address, or a JSON object `{ "id", "path" }` or `{ "id", "url" }`. Without an `id` the
 * picture is called what the line names. What is neither is a picture that cannot be read, not an end.
 */
export function itemOf(line: Uint8Array): Item {
  let text: string;
  try {
    text = decoder.decode(line);
  } catch {
    return refused(line, "it is no UTF-8");
  }
  if (line.length > LONGEST_LINE) return refused(line, `it has more than ${LONGEST_LINE} bytes`);
  if (!text.startsWith("{")) return { id: text, line, image: imageOf(text) };
  const fields = parsed(text);
  if (fields === undefined) return refused(line, "it begins like JSON, and is none");
  const { id, path, url } = fields;
  const place = path ?? url;
  if (typeof place !== "string" || place === "") return refused(line, 'it has neither "path" nor "url"', id);
  if (path !== undefined && url !== undefined) return refused(line, 'it has both "path" and "url"', id);
  if (id !== undefined && typeof id !== "string" && typeof id !== "number") return refused(line, "its id is no text");
  // 2^53 and the number behind it are one to JavaScript: two pictures would have one name.
  if (typeof id === "number" && !Number.isSafeInteger(id)) {
    return refused(line, "its id is a number that is not read exactly; write it as text");
  }
  return { id: id === undefined ? place : String(id), line, image: url === undefined ? place : imageOf(place) };
}

function imageOf(text: string): string | URL {
  return ADDRESS.test(text) && URL.canParse(text) ? new URL(text) : text;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A line of the listing of an archive. A picture that is stored without its holes cannot be read.
 *
 * @param archive its path
 */
export function storedItem(line: Uint8Array, archive: string): Item {
  const { path, offset, size, sparse } = parsed(lenient.decode(line)) ?? {};
  if (typeof path !== "string") return refused(line, "it is none of a listing");
  if (sparse === true) {
    const error = new DepthwiseError("IMAGE_UNREADABLE", {
      what: `${archive}: ${path}`,
      expected: "a file that is stored whole",
      found: "a sparse one, without its holes",
      advice: "Pack it without --sparse.",
      fields: { file: path },
    });
    return { id: path, line, error };
  }
  const [from, bytes] = [placeIn(offset), placeIn(size)];
  if (from === undefined || bytes === undefined) return refused(line, "it does not say where the picture lies", path);
  return { id: path, line, image: { archive, path, offset: from, size: bytes } };
}

function placeIn(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Letters of a line that name it where nothing else does. */
const SHOWN = 200;

function refused(line: Uint8Array, reason: string, id?: unknown): Item {
  const shown = lenient.decode(line.subarray(0, SHOWN));
  const error = new DepthwiseError("LINE_INVALID", {
    what: `a line of the list: ${reason}`,
    advice: 'Write a path, an address or a JSON object such as {"id": "7", "path": "photos/7.jpg"} on each line.',
  });
  return { id: typeof id === "string" || typeof id === "number" ? String(id) : shown, line, error };
}
