/** Who works long gives the event loop its turn, however many work at once. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Breath, breathe } from "../../src/core/breath.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  // Far from where the test before ended.
  vi.advanceTimersByTime(100_000);
});
afterEach(() => {
  vi.useRealTimers();
});

it("three that work at once hold the event loop up little longer than one does", async () => {
  let last = performance.now();
  let longest = 0;
  let isOver = false;
  const look = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await new Promise((done) => setImmediate(done));
  const work = async () => {
    const breath = new Breath(performance.now());
    for (let step = 0; step < 40; step++) {
      await Promise.resolve();
      vi.advanceTimersByTime(5);
      if (breath.isDue) await breath.take();
    }
  };
  await Promise.all([work(), work(), work()]);
  isOver = true;
  // 40 ms, and a step of each of the others.
  expect(longest).toBeLessThanOrEqual(55);
});

it("gives the event loop its turn where there is neither setImmediate nor a MessageChannel", async () => {
  vi.stubGlobal("setImmediate", undefined);
  vi.stubGlobal("MessageChannel", undefined);
  try {
    await breathe();
  } finally {
    vi.unstubAllGlobals();
  }
});
