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
  | "IMAGE_TOO_LARGE";

export interface ErrorParts {
  /** What it is about: a layer, a tensor, an option, a file. */
  readonly what: string;
  readonly expected?: string;
  readonly found?: string;
  /** What the reader can do now. A sentence. */
  readonly advice?: string;
  /** The same values for programs. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

const brand = /* @__PURE__ */ Symbol.for("depthwise.error");

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
    super(`${message} This is a bug in depthwise, please report it.`);
  }
}

/** Whether `value` is an error thrown on purpose by any copy of this library. */
export function isDepthwiseError(value: unknown): value is DepthwiseError {
  return typeof value === "object" && value !== null && brand in value;
}

/** Throws an `InternalError` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

function sentence({ what, expected, found, advice }: ErrorParts): string {
  const facts: string[] = [];
  if (expected !== undefined) facts.push(`expected ${expected}`);
  if (found !== undefined) facts.push(`found ${found}`);
  const first = facts.length > 0 ? `${what}: ${facts.join(", ")}.` : /[.!?]$/.test(what) ? what : `${what}.`;
  return advice === undefined ? first : `${first} ${advice}`;
}
