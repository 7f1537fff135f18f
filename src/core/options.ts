/** Checks of options, done once at the door. Each throws `OPTION_INVALID` and names the option. */

import { DepthwiseError, InternalError, shorten } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

/** A number for both axes, or `[vertical, horizontal]`. */
export type PerAxis = number | readonly [number, number];

/** What is shown of a wrong value at most: levels of nesting, entries of an array and in all, letters of a text. */
const SHOWN = { levels: 4, entries: 8, inAll: 40, letters: 200 } as const;

/** How a wrong value is shown in a message, whatever it is: a caller's array may be endless, or a proxy that throws. */
export function show(value: unknown): string {
  try {
    return shown(value, SHOWN.levels, { entries: 0 });
  } catch {
    return "an object that cannot be read";
  }
}

function shown(value: unknown, levels: number, seen: { entries: number }): string {
  if (typeof value === "string") return JSON.stringify(shorten(value, SHOWN.letters));
  if (typeof value === "function") return "a function";
  // Writing a large one out takes long.
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? String(value) : "a bigint";
  if (typeof value !== "object" || value === null) return shorten(String(value), SHOWN.letters);
  if (!Array.isArray(value)) return "an object";
  const count = value.length;
  if (count === 0) return "[]";
  if (levels === 0) return "[…]";
  const entries: string[] = [];
  while (entries.length < Math.min(count, SHOWN.entries) && seen.entries < SHOWN.inAll) {
    seen.entries++;
    entries.push(shown(value[entries.length], levels - 1, seen));
  }
  if (entries.length < count) entries.push(`… ${(count - entries.length).toLocaleString("en-US")} more`);
  return `[${entries.join(", ")}]`;
}

export function optionError(
  owner: string,
  option: string,
  expected: string,
  found: unknown,
  advice?: string,
): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", {
    what: `${owner}: ${option}`,
    expected,
    found: show(found),
    advice,
    fields: { owner, option, found },
  });
}

/** Refuses keys that are not in `known`, naming the nearest one that is. */
export function checkKnownOptions(owner: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw optionError(owner, "options", "an object", options);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const hint = didYouMean(key, known);
    throw new DepthwiseError("OPTION_INVALID", {
      what: `${owner}: unknown option "${key}"`,
      advice: hint === "" ? `Known options: ${known.join(", ")}.` : hint,
      fields: { owner, option: key, known },
    });
  }
}

export function positiveInteger(owner: string, option: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw optionError(owner, option, "a positive integer", value);
}

export function positiveNumber(owner: string, option: string, value: unknown, advice?: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw optionError(owner, option, "a finite number above 0", value, advice);
}

/** A share, or a slope: at least 0 and below 1. */
export function belowOne(owner: string, option: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && value < 1) return value;
  throw optionError(owner, option, "a number of at least 0 and below 1", value);
}

export function positivePair(owner: string, option: string, value: unknown): readonly [number, number] {
  if (Array.isArray(value) && value.length === 2) {
    return [positiveInteger(owner, option, value[0]), positiveInteger(owner, option, value[1])];
  }
  if (Array.isArray(value)) throw optionError(owner, option, "a positive integer or [vertical, horizontal]", value);
  const both = positiveInteger(owner, option, value);
  return [both, both];
}

export function oneOf<T extends string>(owner: string, option: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  const expected = `one of ${allowed.map((name) => `"${name}"`).join(", ")}`;
  const hint = typeof value === "string" ? didYouMean(value, allowed) : "";
  throw optionError(owner, option, expected, value, hint === "" ? undefined : hint);
}

/** A signal of this realm, of another, or of a library that makes whole ones; null counts as none, as for `fetch`. */
export function signalOption(owner: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value === null) return undefined;
  if (isSignal(value)) return value;
  throw optionError(owner, "signal", "an AbortSignal", value, "Pass the signal of an AbortController.");
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, throwIfAborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  if (typeof aborted !== "boolean") return false;
  return [throwIfAborted, addEventListener, removeEventListener].every((method) => typeof method === "function");
}

/** Whether all entries are sound. A hole is none, but `every`, `some` and `map` pass over it. */
export function isListOf<T>(value: unknown, isSound: (entry: unknown) => entry is T): value is readonly T[] {
  return Array.isArray(value) && value.findIndex((entry) => !isSound(entry)) < 0;
}

export function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** A copy of a caller's list of texts. */
export function stringsOf(
  owner: string,
  option: string,
  value: unknown,
  expected = "an array of strings",
): readonly string[] {
  if (isListOf(value, isString)) return [...value];
  throw optionError(owner, option, expected, value);
}

export function booleanOption(owner: string, option: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw optionError(owner, option, "true or false", value);
}

/** A result as text. One made by hand may be wrong in any cell: what cannot be written is no such result. */
export function textOf(owner: string, option: string, expected: string, found: unknown, write: () => string): string {
  try {
    return write();
  } catch (cause) {
    if (cause instanceof InternalError) throw cause;
    const what = `${owner}: ${option}`;
    throw new DepthwiseError("OPTION_INVALID", {
      what,
      expected,
      found: show(found),
      fields: { owner, option },
      cause,
    });
  }
}
