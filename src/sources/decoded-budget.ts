/**
 * What one load may hold besides the bytes of its files: whatever they unpack to, as numbers, text and objects.
 *
 * One budget for all readers of a load: each charges what it is about to make, before it makes it. It has nothing to do
 * with `maxBytes`, which is about the bytes of the files themselves.
 */

import { DepthwiseError } from "../core/errors.ts";
import { fileError, grouped } from "../core/file-error.ts";

export interface DecodedBudget {
  /** A file of the load was read: without a limit of the caller's, more of it may be decoded. */
  admit(fileBytes: number): void;
  /**
   * Counts bytes of numbers or text before they are allocated.
   *
   * @throws {DepthwiseError} `FILE_TOO_LARGE`
   */
  charge(file: string, bytes: number, what: string): void;
  /** Counts small objects, by what they cost in memory; those of an ordinary network are free. */
  chargeObjects(file: string, bytes: number, what: string): void;
}

/**
 * Where nobody set a limit. int8 becomes four bytes, twice where a graph dequantizes it; small files may deflate well.
 * No file of 10 MB takes more than four times its bytes and 64 MB, its own included.
 */
const limitFor = (fileBytes: number) => Math.max(4 * fileBytes + 48 * 2 ** 20, 8 * fileBytes);

/** A limit says how large a network may be, and a network is numbers: these many bytes of names and nodes come with it. */
const FREE_OBJECT_BYTES = 4 * 2 ** 20;

export interface ReadLimits {
  /** Most bytes that the files together may have. */
  readonly maxBytes: number;
  /** What may be made of them. Default `maxBytes`, for one reader alone. */
  readonly budget?: DecodedBudget;
}

/** What a node takes in memory besides its message: a copy with a map of attributes, a place in lists and maps. */
export const NODE_COST = 800;
/** And each of its inputs: places in those lists, and in maps of what reads what. */
export const INPUT_COST = 120;

/** What a tensor takes besides its text or pickle and its data: an entry, a view, its places in maps. */
export const TENSOR_COST = 600;

/** @param maxDecodedBytes default in proportion to the files that are admitted */
export function decodedBudget(maxDecodedBytes?: number): DecodedBudget {
  let fileBytes = 0;
  let used = 0;
  let objects = 0;
  const charge = (file: string, bytes: number, what: string) => {
    used += bytes;
    const limit = maxDecodedBytes ?? limitFor(fileBytes);
    if (used <= limit) return;
    throw fileError("FILE_TOO_LARGE", file, `${what}, together with what was decoded before it`, ADVICE, {
      expected: `at most ${grouped(limit)} bytes`,
      found: grouped(Math.ceil(used)),
      fields: { bytes: Math.ceil(used), maxDecodedBytes: limit },
    });
  };
  return {
    admit(bytes) {
      fileBytes += bytes;
    },
    charge,
    chargeObjects(file, bytes, what) {
      const before = Math.max(objects, FREE_OBJECT_BYTES);
      objects += bytes;
      if (objects > before) charge(file, objects - before, what);
    },
  };
}

/** The budget of the load; a reader that is called by itself has one of its own. */
export function budgetOf({ budget, maxBytes }: ReadLimits): DecodedBudget {
  return budget ?? decodedBudget(maxBytes);
}

/** For `parseJson`: what a text becomes. */
export function spendOn(budget: DecodedBudget, file: string, what: string): (bytes: number) => void {
  return (bytes) => budget.chargeObjects(file, bytes, what);
}

/** The text of bytes, charged before it is made. */
export function textWithin(
  budget: DecodedBudget,
  file: string,
  bytes: Uint8Array,
  what: string,
  fatal = false,
): string {
  budget.chargeObjects(file, 2 * bytes.length, what);
  checkTextDecoder();
  return new TextDecoder("utf-8", { fatal }).decode(bytes);
}

const ADVICE = "Pass a larger maxDecodedBytes if this is the file you mean.";

/**
 * The one thing without which no format can be read, and no fault of the file.
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE`
 */
export function checkTextDecoder(): void {
  if (typeof TextDecoder !== "undefined") return;
  throw new DepthwiseError("FILE_UNREADABLE", {
    what: "models cannot be read here, since there is no TextDecoder",
    advice:
      "Jest's jsdom hides that of Node: test in Jest's node environment, or let a setup file make that of node:util " +
      "globalThis.TextDecoder.",
  });
}
