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

export interface Opening {
  readonly settings: Settings;
  readonly budget: Budget;
  readonly clock: Clock;
  /** The cache, opened when first needed; undefined where there is none. */
  cache(): Promise<SourceCache | undefined>;
}

export function startOpening(settings: Settings, tools: Tools): Opening {
  let cache: Promise<SourceCache | undefined> | undefined;
  return {
    settings,
    budget: createBudget(settings.maxBytes),
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
