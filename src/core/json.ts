/** JSON out of files. What is nested deeply is refused: whoever walks it afterwards would run out of stack. */

import { shorten } from "./errors.ts";
import { quoted } from "./file-error.ts";
import { type Spend, scanJsonKeys } from "./json-keys.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A network nests some twenty levels. */
const MAX_DEPTH = 100;

/** The longest reason that is quoted; an engine may repeat the text itself. */
const REASON_LENGTH = 120;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number of at least 0, as counts and sides are; -0 is none. */
export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/**
 * The value of JSON text.
 *
 * @param failed makes the error for text that is not JSON, is nested too deep, or says one thing twice
 * @param spend  told what the value will cost in memory, before it is made
 */
export function parseJson(
  text: string,
  failed: (expected: string, found: string, cause?: unknown) => Error,
  spend: Spend,
): unknown {
  const { twice, isTooDeep } = scanJsonKeys(text, MAX_DEPTH, spend);
  if (isTooDeep) throw failed(`at most ${MAX_DEPTH} levels`, "deeper nesting");
  if (twice !== undefined) throw failed("each key once in an object", `${quoted(twice.key)} twice`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? shorten(cause.message, REASON_LENGTH) : String(cause);
    throw failed("JSON", `text that is not (${reason})`, cause);
  }
}

/** The object that text is, if it is one: for text of our own that another version or a crash may have spoiled. */
export function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
