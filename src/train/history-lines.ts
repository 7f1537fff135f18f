/** `history.jsonl`: a line an epoch. */

import type { EpochRecord } from "./fit/events.ts";

export function historyLines(history: readonly EpochRecord[]): string {
  return history.map((record) => `${JSON.stringify(record)}\n`).join("");
}
