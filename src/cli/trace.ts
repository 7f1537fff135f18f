/**
 * A profile as a flame chart: Chrome's Trace Event Format, complete events in one row, in order of execution.
 *
 * Source: "Trace Event Format", Google, 2016 (`ph: "X"` a complete event, `ph: "M"` metadata; times in µs).
 */

import type { Profile } from "../session/index.ts";
import { placeToWrite } from "../weights/place-to-write.ts";
import { writeFile } from "../weights/write-file.ts";

/** One process, one row. */
const ROW = { pid: 1, tid: 1 } as const;

export interface Trace {
  readonly displayTimeUnit: "ms";
  readonly traceEvents: readonly object[];
  readonly otherData: Readonly<Record<string, unknown>>;
}

/** The steps' medians, each put behind the one before: not one run, but what a usual one is like. */
export function traceOf({ network, backend, simd, threads, runs, totalMs, limitGflops, steps }: Profile): Trace {
  let start = 0;
  const events = steps.map(({ name, kernel, timeMs, multAdds, gflops, share }) => {
    const event = { ph: "X", name, cat: kernel, ts: start, dur: 1000 * timeMs, ...ROW };
    start += event.dur;
    return { ...event, args: { kernel, multAdds, gflops, ...(share === undefined ? {} : { share }) } };
  });
  const title = (kind: string, name: string) => ({ ph: "M", name: kind, ...ROW, args: { name } });
  return {
    displayTimeUnit: "ms",
    traceEvents: [title("process_name", network), title("thread_name", `${backend}: steps of thread 1`), ...events],
    otherData: { network, backend, simd, threads, runs, totalMs, limitGflops },
  };
}

/**
 * Where a trace is to be written: asked before anything is measured.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
export function tracePlace(place: string): string {
  return placeToWrite("profile", "--trace", place, ADVICE);
}

const ADVICE = "Pass the path of a file.";

/**
 * Writes a trace under a temporary name and renames it: a kill leaves no half file.
 *
 * @throws {DepthwiseError} `FILE_UNREADABLE` if the file cannot be written; `signal.reason`
 */
export async function writeTrace(path: string, profile: Profile, signal: AbortSignal): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(traceOf(profile), null, 1)}\n`);
  return writeFile(path, bytes, { advice: ADVICE, signal });
}
