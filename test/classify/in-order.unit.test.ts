/** Single situations of the conveyor, with gates that the test opens. */

import { describe, expect, it } from "vitest";
import { inOrder, type Work } from "../../src/classify/in-order.ts";

/** Lets everything go on that can. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A source that tells what was asked of it. */
function watched(count: number) {
  const seen = { pulled: 0, returned: false };
  function* items() {
    try {
      for (let item = 0; item < count; item++) {
        seen.pulled++;
        yield item;
      }
    } finally {
      seen.returned = true;
    }
  }
  return { seen, items };
}

const immediate: Work<number, number, number> = {
  concurrency: 2,
  batch: 1,
  prepare: async (item) => item,
  run: async (items) => items,
  isKept: () => false,
};

/** Work whose runs and preparations wait until they are let through. */
function gated(options: Partial<Work<number, number, number>> = {}) {
  const prepares = new Map<number, () => void>();
  const runs: { readonly items: readonly number[]; readonly signal: AbortSignal; readonly end: () => void }[] = [];
  const work: Work<number, number, number> = {
    ...immediate,
    prepare: (item) => new Promise((resolve) => prepares.set(item, () => resolve(item))),
    run: (items, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        runs.push({ items, signal, end: () => resolve(items) });
      }),
    ...options,
  };
  return { work, prepares, runs };
}

describe("in order", () => {
  it("prepares while it runs, so many ahead and no more", async () => {
    const { work, prepares, runs } = gated({ concurrency: 2, batch: 2 });
    const { seen, items } = watched(100);
    const results = inOrder(items(), work, undefined);
    expect(seen.pulled).toBe(0);
    const first = results.next();
    await settle();
    expect([...prepares.keys()]).toEqual([0, 1]);
    for (const item of [1, 0]) prepares.get(item)?.();
    await settle();
    // The first two run, and do not end; two more are on their way, then the place is full.
    expect(runs.map((run) => run.items)).toEqual([[0, 1]]);
    expect([...prepares.keys()]).toEqual([0, 1, 2, 3]);
    for (const item of [2, 3]) prepares.get(item)?.();
    await settle();
    expect(seen.pulled).toBe(4);
    runs[0]?.end();
    expect((await first).value).toEqual({ index: 0, item: 0, result: 0 });
    await settle();
    // The next run does not wait for the consumer.
    expect(runs.map((run) => run.items)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(seen.pulled).toBe(4);
    await results.next();
    await settle();
    expect(seen.pulled).toBe(5);
    runs[1]?.end();
    await results.return();
    expect(seen.returned).toBe(true);
  });

  it("pulls nothing more once it knows of a failure", async () => {
    const { work, prepares } = gated({ concurrency: 2, batch: 3 });
    const fails: typeof work = {
      ...work,
      prepare: (item, signal) => (item === 1 ? Promise.reject(new Error("bad")) : work.prepare(item, signal)),
      run: immediate.run,
    };
    const { seen, items } = watched(100);
    const said: number[] = [];
    const loop = (async () => {
      for await (const { index } of inOrder(items(), fails, undefined)) said.push(index);
    })();
    await settle();
    expect(seen.pulled).toBe(2);
    prepares.get(0)?.();
    await expect(loop).rejects.toThrow("bad");
    expect([said, seen]).toEqual([[0], { pulled: 2, returned: true }]);
  });

  it("ends with the signal's reason in the middle of a run and of a pull that hangs", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const { work, runs } = gated({ prepare: immediate.prepare });
    let returned = 0;
    const source = {
      [Symbol.asyncIterator]: () => {
        let pulled = 0;
        return {
          next: () =>
            pulled++ === 0 ? Promise.resolve({ done: false, value: 7 }) : new Promise<never>(() => undefined),
          return: () => {
            returned++;
            return new Promise<never>(() => undefined);
          },
        };
      },
    };
    const first = inOrder(source, work, controller.signal).next();
    await settle();
    expect(runs).toHaveLength(1);
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect([runs[0]?.signal.aborted, returned]).toEqual([true, 1]);
  });

  it("pulls nothing when the signal was aborted before", async () => {
    const { seen, items } = watched(3);
    await expect(inOrder(items(), immediate, AbortSignal.abort("gone")).next()).rejects.toBe("gone");
    expect(seen.pulled).toBe(0);
  });

  it("drops what is ready when it is aborted between two results", async () => {
    const controller = new AbortController();
    const { seen, items } = watched(9);
    const said: number[] = [];
    const loop = async () => {
      for await (const { index } of inOrder(items(), immediate, controller.signal)) {
        said.push(index);
        await settle();
        if (index === 1) controller.abort("gone");
      }
    };
    await expect(loop()).rejects.toBe("gone");
    expect([said, seen.returned]).toEqual([[0, 1], true]);
  });

  it("ends the run when the consumer leaves, and waits for its end", async () => {
    const { work, runs } = gated({ prepare: immediate.prepare });
    const { seen, items } = watched(9);
    const results = inOrder(items(), work, undefined);
    const first = results.next();
    await settle();
    runs[0]?.end();
    await first;
    await settle();
    expect(runs).toHaveLength(2);
    await results.return();
    expect([runs[1]?.signal.aborted, runs.length, seen.returned]).toEqual([true, 2, true]);
  });

  it("tells of a source that cannot be left, unless there is a failure to tell of", async () => {
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: 1 }),
        return: () => {
          throw new Error("stuck");
        },
      }),
    };
    const leave = async () => {
      for await (const _ of inOrder(source, immediate, undefined)) break;
    };
    await expect(leave()).rejects.toThrow("stuck");
    const fails = { ...immediate, run: () => Promise.reject(new Error("no run")) };
    await expect(inOrder(source, fails, undefined).next()).rejects.toThrow("no run");
  });

  it("hands over what ran before a run failed", async () => {
    let runs = 0;
    const work = {
      ...immediate,
      run: async (items: readonly number[]) => (++runs === 3 ? Promise.reject(new Error("lost")) : items),
    };
    const said: number[] = [];
    const loop = async () => {
      for await (const { index } of inOrder(watched(9).items(), work, undefined)) said.push(index);
    };
    await expect(loop()).rejects.toThrow("lost");
    expect([said, runs]).toEqual([[0, 1], 3]);
  });

  it("lets timers have their turn though nothing waits", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("in time"), 1);
    const busy = {
      ...immediate,
      run: async (items: readonly number[]) => {
        const start = performance.now();
        while (performance.now() - start < 1);
        return items;
      },
    };
    const loop = async () => {
      for await (const _ of inOrder(watched(5000).items(), busy, controller.signal));
    };
    await expect(loop()).rejects.toBe("in time");
  });

  it("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = Object.create(signal, {
      aborted: { value: false },
      throwIfAborted: { value: () => undefined },
      addEventListener: { value: () => listeners++ },
      removeEventListener: { value: () => listeners-- },
    }) as AbortSignal;
    for await (const _ of inOrder(watched(3).items(), immediate, counted)) expect(listeners).toBe(1);
    expect(listeners).toBe(0);
  });
});
