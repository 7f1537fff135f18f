/** What the tests of sources share: a clock that does not wait, and a server and folder for one test each. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/weights/sources/clock.ts";
import type { ModelSource } from "../../src/weights/sources/open-source.ts";
import { openSourceWith } from "../../src/weights/sources/open-source.ts";
import { systemTools, type Tools } from "../../src/weights/sources/opening.ts";
import type { SourceOptions } from "../../src/weights/sources/options.ts";

/** Pauses end at once and are written down; a stall is called by the test. */
export function testClock() {
  const pauses: number[] = [];
  const watches = new Set<() => void>();
  const clock: Clock = {
    now: () => 1_000_000_000_000,
    random: () => 0,
    after(ms, callback) {
      if (ms === STALL_MS) {
        watches.add(callback);
        return () => watches.delete(callback);
      }
      pauses.push(ms);
      const timer = setImmediate(callback);
      return () => clearImmediate(timer);
    },
  };
  const stall = () => {
    for (const callback of [...watches]) callback();
  };
  return { clock, pauses, stall, watches };
}

/** The one that is a watch for stalls, not a pause. */
export const STALL_MS = 123_456;

/** `openSource` that neither waits nor, unless told, keeps. */
export function opener(tools: Partial<Tools> = {}) {
  const time = testClock();
  const open = (source: ModelSource, options: SourceOptions = {}) =>
    openSourceWith(
      source,
      { cache: false, stallTimeout: STALL_MS, ...options },
      {
        ...systemTools,
        clock: time.clock,
        ...tools,
      },
    );
  return { ...time, open };
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "depthwise-source-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
