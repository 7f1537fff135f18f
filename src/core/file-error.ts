/** Errors about files: one builder, and how names and numbers out of a file stand in a message. */

import { DepthwiseError, type ErrorCode, type ErrorParts, shorten } from "./errors.ts";
import { show } from "./options.ts";

/** What a message says besides its subject. */
export type ErrorFacts = Pick<ErrorParts, "expected" | "found" | "fields" | "cause">;

/**
 * An error about something in a file; nothing was loaded then.
 *
 * @param what   in the file; empty for the file itself
 * @param advice a sentence
 */
export function fileError(
  code: ErrorCode,
  file: string,
  what: string,
  advice: string,
  facts: ErrorFacts = {},
): DepthwiseError {
  return new DepthwiseError(code, {
    ...facts,
    what: what === "" ? file : `${file}: ${what}`,
    advice: `${advice} Nothing was loaded.`,
    fields: { file, ...facts.fields },
  });
}

/** What stands in a damaged file besides its name; `code` is `FILE_CORRUPT` unless it is said. */
export interface Damage extends ErrorFacts {
  readonly code?: ErrorCode | undefined;
  readonly advice?: string;
}

/** The error for a file that cannot be what its writer wrote: parts are missing, or do not fit each other. */
export function damaged(
  file: string,
  what: string,
  { code = "FILE_CORRUPT", advice = "The file is damaged or incomplete; fetch it again.", ...facts }: Damage = {},
): DepthwiseError {
  return fileError(code, file, what, advice, facts);
}

/** The error for more bytes than may be held. */
export function tooLarge(file: string, what: string, bytes: number, maxBytes: number): DepthwiseError {
  return fileError("FILE_TOO_LARGE", file, what, "Pass a larger maxBytes if this is the file you mean.", {
    expected: `at most ${grouped(maxBytes)} bytes`,
    found: grouped(bytes),
    fields: { bytes, maxBytes },
  });
}

/** A name or value out of a file, fit for a message: escaped, and not longer than a line. */
export function quoted(value: unknown): string {
  return show(typeof value === "string" ? shorten(value, 100) : value);
}

/** 1,234,567. */
export function grouped(value: number | bigint): string {
  return value.toLocaleString("en-US");
}
