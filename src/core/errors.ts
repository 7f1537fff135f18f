/**
 * Every error the library throws on purpose.
 *
 * One class with a stable `code`; the message says what it is about, what was expected, what was found and what
 * to do. `fields` carries the same values for programs. A broken invariant of ours is an `InternalError`.
 */

/** Stable names of what can go wrong. Renaming one is a breaking change. */
export type ErrorCode =
  | "OPTION_INVALID"
  | "SHAPE_MISMATCH"
  | "DTYPE_MISMATCH"
  | "NETWORK_VANISHES"
  | "NETWORK_INVALID"
  | "NAME_UNKNOWN"
  | "PARAMETERS_MISMATCH"
  | "VALUES_NOT_FINITE"
  | "MEMORY_EXCEEDED"
  | "BACKEND_UNAVAILABLE"
  | "SESSION_CLOSED"
  | "WORKER_LOST"
  | "FILE_NOT_FOUND"
  | "FILE_UNREADABLE"
  | "FILE_EMPTY"
  | "FILE_TRUNCATED"
  | "FILE_CORRUPT"
  | "FILE_TOO_LARGE"
  | "FORMAT_UNKNOWN"
  | "ARCHITECTURE_UNKNOWN"
  | "CLASSES_MISMATCH"
  | "LABELS_MISSING"
  | "PACKAGE_MISSING"
  | "IMAGE_UNREADABLE"
  | "IMAGE_TOO_LARGE"
  | "CHECKPOINT_MISMATCH"
  | "CHECKPOINT_IN_USE"
  | "LINE_INVALID"
  | "RUN_MISMATCH"
  | "TOO_MANY_ERRORS";

export interface ErrorParts {
  /** What it is about: a layer, a tensor, an option, a file. */
  readonly what: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  /** What the reader can do now. A sentence. */
  readonly advice?: string | undefined;
  /** The same values for programs. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

const brand = /* @__PURE__ */ Symbol.for("depthwise.error");
const internalBrand = /* @__PURE__ */ Symbol.for("depthwise.internal-error");

/** The error of this library. Test it with `isDepthwiseError`, which also works across bundles and realms. */
export class DepthwiseError extends Error {
  override readonly name = "DepthwiseError";
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(sentence(parts), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.fields = parts.fields ?? {};
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for an error of any copy of this library: readers that are loaded late bring one of their own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isDepthwiseError(value);
  }
}

/** A fault of the library itself, never of its caller. */
export class InternalError extends Error {
  override readonly name = "InternalError";
  constructor(message: string) {
    super(`${shorten(message)} This is a bug in depthwise, please report it.`);
    Object.defineProperty(this, internalBrand, { value: true });
  }

  /** True for one of any copy of this library, as of `DepthwiseError`. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, internalBrand);
  }
}

/** Whether `value` is an error thrown on purpose by any copy of this library. */
export function isDepthwiseError(value: unknown): value is DepthwiseError {
  return isBranded(value, brand);
}

function isBranded(value: unknown, mark: symbol): boolean {
  return typeof value === "object" && value !== null && mark in value;
}

/** Throws an `InternalError` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

/** Letters of one part of a message: what comes in, from a file or a caller, may have any length. */
const LONGEST_PART = 2000;

/** A text of at most `most` letters: a longer one loses its middle, and no character is cut in two. */
export function shorten(text: string, most = LONGEST_PART): string {
  if (text.length <= most) return text;
  const half = (most - 1) >> 1;
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  return `${head}…${text.slice(-half).replace(/^[\udc00-\udfff]/, "")}`;
}

/** The first of a list for a message, and how many more there are. */
export function listed(items: readonly string[], separator = ", ", most = 10): string {
  if (items.length <= most) return items.join(separator);
  const more = (items.length - most).toLocaleString("en-US");
  return `${items.slice(0, most).join(separator)}${separator}… and ${more} more`;
}

function sentence(parts: ErrorParts): string {
  const what = shorten(parts.what);
  const facts: string[] = [];
  if (parts.expected !== undefined) facts.push(`expected ${shorten(parts.expected)}`);
  if (parts.found !== undefined) facts.push(`found ${shorten(parts.found)}`);
  const first = facts.length > 0 ? `${what}: ${facts.join(", ")}.` : /[.!?]$/.test(what) ? what : `${what}.`;
  return parts.advice === undefined ? first : `${first} ${shorten(parts.advice)}`;
}
