/** What one call shares among the head and the files beside it. */

import { abortable } from "./abortable-cache.ts";
import { type Budget, createBudget } from "./budget.ts";
import { openCache, type SourceCache } from "./cache.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Settings } from "./options.ts";

/** What tests put others in place of. */
export interface Tools {
  readonly clock: Clock;
  openCache(cache: boolean | string): Promise<SourceCache | undefined>;
}

export const systemTools: Tools = { clock: systemClock, openCache };

/** Throws if a file that begins like this is none of those that are wanted. */
export type HeadCheck = (name: string, head: Uint8Array) => void;

export interface Opening {
  readonly settings: Settings;
  readonly budget: Budget;
  /** For the head of the model alone; none where the caller says which bytes it must be, which answers more. */
  readonly checkHead: HeadCheck | undefined;
  readonly clock: Clock;
  /** The cache, opened when first needed; undefined where there is none. */
  cache(): Promise<SourceCache | undefined>;
}

export function startOpening(settings: Settings, tools: Tools, checkHead?: HeadCheck): Opening {
  const { size, sha256 } = settings.expected;
  let cache: Promise<SourceCache | undefined> | undefined;
  return {
    settings,
    budget: createBudget(settings.maxBytes),
    checkHead: size === undefined && sha256 === undefined ? checkHead : undefined,
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
