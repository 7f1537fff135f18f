/** A run as its caller holds it: loops that begin late, end, and are left. */

import { describe, expect, it } from "vitest";
import type { FitEvent, FitResult } from "../../../src/train/fit/events.ts";
import { type FitRun, type FitWork, fitRun } from "../../../src/train/fit/fit-run.ts";

const RESULT: FitResult = { history: [] } as never;
const CHECKPOINT: FitEvent = { type: "checkpoint", epoch: 1, where: "memory" } as never;
const STOPPED: FitEvent = { type: "stopped", reason: "signal" };

const ends: FitWork = async (emit) => {
  emit(CHECKPOINT);
  return RESULT;
};
const fails: FitWork = async (emit) => {
  emit(CHECKPOINT);
  throw new Error("it failed");
};
/** Goes on until it is left. */
const goesOn: FitWork = (emit, leaving) => {
  emit(CHECKPOINT);
  return new Promise((_, reject) => {
    leaving.addEventListener("abort", () => {
      emit(STOPPED);
      reject(leaving.reason as Error);
    });
  });
};

async function all(run: FitRun): Promise<FitEvent[]> {
  const events: FitEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

/** A loop that never ends fails here, not after the time of the test. */
function soon<Value>(work: Promise<Value>): Promise<Value> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("it hangs")), 1000).unref());
  return Promise.race([work, late]);
}

describe("a loop over a run that has ended", () => {
  it("ends at once: after done, and after a loop", async () => {
    const run = fitRun(ends);
    await run.done;
    expect(await soon(all(run))).toEqual([]);
    const other = fitRun(ends);
    expect(await soon(all(other))).toEqual([CHECKPOINT]);
    expect(await soon(all(other))).toEqual([]);
    expect(await other.done).toBe(RESULT);
  });

  it("rejects with the error of the run, each time", async () => {
    const run = fitRun(fails);
    await expect(run.done).rejects.toThrow("it failed");
    await expect(soon(all(run))).rejects.toThrow("it failed");
    await expect(soon(all(run))).rejects.toThrow("it failed");
    const other = fitRun(fails);
    await expect(soon(all(other))).rejects.toThrow("it failed");
    await expect(soon(all(other))).rejects.toThrow("it failed");
  });

  it("rejects with the reason of one that was left", async () => {
    const run = fitRun(goesOn);
    for await (const event of run) if (event.type === "checkpoint") break;
    await expect(soon(all(run))).rejects.toMatchObject({ name: "AbortError" });
    await expect(run.done).rejects.toMatchObject({ name: "AbortError" });
  });

  it("asks for nothing more once it is over", async () => {
    const run = fitRun(fails);
    await expect(run.done).rejects.toThrow("it failed");
    const iterator = run[Symbol.asyncIterator]();
    await expect(soon(iterator.next())).rejects.toThrow("it failed");
    expect(await soon(iterator.next())).toEqual({ done: true, value: undefined });
  });
});

describe("an iterator that is returned", () => {
  it("settles what still waits, and gives nothing more", async () => {
    const run = fitRun(goesOn);
    // So that the run goes on.
    void run.done;
    const iterator = run[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: CHECKPOINT });
    const waiting = iterator.next();
    await iterator.return?.();
    expect(await soon(waiting)).toEqual({ done: true, value: undefined });
    expect(await soon(iterator.next())).toEqual({ done: true, value: undefined });
  });
});
