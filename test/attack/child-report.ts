/** What a process under attack tells of each file, and what no file may cost. */

import type { DamageName } from "./mutate.ts";

export interface Told {
  readonly index: number;
  readonly damage: DamageName;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly peakBytes: number;
  /** `loaded`, the code of a typed error, or the text of any other: a fault. */
  readonly outcome: string;
  readonly isFault: boolean;
  /** What a file that grew too slow or too large was written to. */
  readonly kept?: string;
}

export const LIMITS = { milliseconds: 2000, peak: (bytes: number) => 4 * bytes + 64 * 2 ** 20 } as const;
