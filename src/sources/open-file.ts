/** What an opened file is, and what is at hand while one is opened: settings, a budget, a cache and a clock. */

import { tooLarge } from "../core/file-error.ts";
import { systemTimers, type Timers } from "../core/stall-watch.ts";
import { abortable, openCache, type SourceCache } from "./cache.ts";
import type { Settings } from "./options.ts";

/** A file that was fetched: whole, with the files that lie beside it. */
export interface OpenFile {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The bytes of a file named relative to this one, such as a shard; at most `maxBytes` of the load.
   *
   * @throws {DepthwiseError} `FILE_NOT_FOUND` and others; for bytes without a place, saying what to pass instead
   */
  sibling(path: string): Promise<Uint8Array>;
}

/** Waiting, apart from the rest, so that tests need not wait. */
export interface Clock extends Timers {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
}

const systemClock: Clock = { ...systemTimers, now: () => Date.now(), random: () => Math.random() };

/** What tests put others in place of. */
export interface Tools {
  readonly clock: Clock;
  openCache(cache: boolean | string): Promise<SourceCache | undefined>;
}

export const systemTools: Tools = { clock: systemClock, openCache };

/** Throws if a file that begins like this is none of those that are wanted. */
export type StartCheck = (name: string, start: Uint8Array) => void;

/** What one call shares among the model's file and those beside it. */
export interface Opening {
  readonly settings: Settings;
  readonly budget: ByteBudget;
  /** For the main file of the model alone; none where the caller says which bytes it must be, which answers more. */
  readonly checkStart: StartCheck | undefined;
  readonly clock: Clock;
  /** The cache, opened when first needed; undefined where there is none. */
  cache(): Promise<SourceCache | undefined>;
}

export function startOpening(settings: Settings, tools: Tools, checkStart?: StartCheck): Opening {
  const { size, sha256 } = settings.expected;
  let cache: Promise<SourceCache | undefined> | undefined;
  return {
    settings,
    budget: createBudget(settings.maxBytes),
    checkStart: size === undefined && sha256 === undefined ? checkStart : undefined,
    clock: tools.clock,
    cache() {
      cache ??=
        settings.cache === false
          ? Promise.resolve(undefined)
          : abortable(() => tools.openCache(settings.cache), settings.signal);
      return cache;
    },
  };
}

/** How many bytes one call may still read, all its files together. */
export interface ByteBudget {
  /**
   * Counts bytes before they are held.
   *
   * @throws {DepthwiseError} `FILE_TOO_LARGE`; then nothing is counted
   */
  take(name: string, bytes: number): void;
  /** Like `take`, but counts nothing: for sizes that are only announced. */
  check(name: string, bytes: number): void;
  giveBack(bytes: number): void;
}

function createBudget(maxBytes: number): ByteBudget {
  let used = 0;
  const check = (name: string, bytes: number) => {
    if (used + bytes <= maxBytes) return;
    throw tooLarge(name, used === 0 ? "" : "together with what was read before it", used + bytes, maxBytes);
  };
  return {
    check,
    take(name, bytes) {
      check(name, bytes);
      used += bytes;
    },
    giveBack(bytes) {
      used -= bytes;
    },
  };
}
