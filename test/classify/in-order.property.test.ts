/** The conveyor under every order of events: fast-check's scheduler decides which promise settles next. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder } from "../../src/classify/in-order.ts";

interface Load {
  readonly items: number;
  readonly concurrency: number;
  readonly batch: number;
  readonly isAsync: boolean;
  /** Items that cannot be prepared, and whether that is handed over. */
  readonly bad: readonly number[];
  readonly keeps: boolean;
  /** The source throws in place of this item, if it has so many. */
  readonly breaksAt: number;
  /** The consumer leaves after so many. */
  readonly leavesAfter: number;
}

const load: fc.Arbitrary<Load> = fc.record({
  items: fc.nat(12),
  concurrency: fc.integer({ min: 1, max: 5 }),
  batch: fc.integer({ min: 1, max: 5 }),
  isAsync: fc.boolean(),
  bad: fc.array(fc.nat(12), { maxLength: 3 }),
  keeps: fc.boolean(),
  breaksAt: fc.oneof(fc.constant(99), fc.nat(12)),
  leavesAfter: fc.oneof(fc.constant(99), fc.integer({ min: 1, max: 12 })),
});

/** What a reader would expect: one after the other. */
function expected({ items, bad, keeps, breaksAt, leavesAfter }: Load): readonly string[] {
  const said: string[] = [];
  for (let item = 0; ; item++) {
    if (said.length === leavesAfter) return [...said, "left"];
    if (item === breaksAt && item < items) return [...said, "source broke"];
    if (item === items) return said;
    if (bad.includes(item) && !keeps) return [...said, `bad ${item}`];
    said.push(bad.includes(item) ? `bad ${item}` : `${item * item}`);
  }
}

async function observe(schedule: fc.Scheduler, given: Load) {
  const { items, concurrency, batch, isAsync, bad, keeps, breaksAt, leavesAfter } = given;
  const seen = { pulled: 0, returns: 0, preparing: 0, running: 0, consumed: 0, ended: false };
  const most = { preparing: 0, running: 0, inFlight: 0, batch: 0 };
  const note = () => {
    most.preparing = Math.max(most.preparing, seen.preparing);
    most.running = Math.max(most.running, seen.running);
    most.inFlight = Math.max(most.inFlight, seen.pulled - seen.consumed);
  };
  const next = (): IteratorResult<number> => {
    if (seen.pulled === items) {
      seen.ended = true;
      return { done: true, value: undefined };
    }
    if (seen.pulled === breaksAt) {
      seen.ended = true;
      throw new Error("source broke");
    }
    const value = seen.pulled++;
    note();
    return { done: false, value };
  };
  const source = isAsync
    ? {
        [Symbol.asyncIterator]: () => ({
          next: () => schedule.schedule(Promise.resolve(), "pull").then(next),
          return: async () => {
            seen.returns++;
            return { done: true as const, value: undefined };
          },
        }),
      }
    : {
        [Symbol.iterator]: () => ({
          next,
          return: () => {
            seen.returns++;
            return { done: true as const, value: undefined };
          },
        }),
      };
  const work = {
    concurrency,
    batch,
    prepare: async (item: number) => {
      seen.preparing++;
      note();
      await schedule.schedule(Promise.resolve(), `prepare ${item}`);
      seen.preparing--;
      if (bad.includes(item)) throw new Error(`bad ${item}`);
      return item;
    },
    run: async (prepared: readonly number[]) => {
      seen.running++;
      most.batch = Math.max(most.batch, prepared.length);
      note();
      await schedule.schedule(Promise.resolve(), `run ${prepared.join()}`);
      seen.running--;
      return prepared.map((item) => item * item);
    },
    isKept: () => keeps,
  };
  const said: string[] = [];
  try {
    for await (const outcome of inOrder(source, work, undefined)) {
      expect(outcome).toMatchObject({ index: said.length, item: said.length });
      said.push("error" in outcome ? (outcome.error as Error).message : String(outcome.result));
      await schedule.schedule(Promise.resolve(), "consume");
      seen.consumed++;
      if (said.length === leavesAfter) break;
    }
    if (said.length === leavesAfter) said.push("left");
  } catch (error) {
    said.push((error as Error).message);
  }
  return { said, most, seen };
}

describe("in order", () => {
  it("gives what one after the other would give, within its bounds, whatever settles first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), load, async (schedule, given) => {
        const { said, most, seen } = await schedule.waitFor(observe(schedule, given));
        expect(said).toEqual(expected(given));
        expect(most.preparing).toBeLessThanOrEqual(given.concurrency);
        expect(most.running).toBeLessThanOrEqual(1);
        expect(most.batch).toBeLessThanOrEqual(given.batch);
        expect(most.inFlight).toBeLessThanOrEqual(given.concurrency + given.batch);
        expect(seen.running).toBe(0);
        expect(seen.returns).toBe(seen.ended ? 0 : 1);
      }),
      { numRuns: 1500, seed: 9 },
    );
  });
});
