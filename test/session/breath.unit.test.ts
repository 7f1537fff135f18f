/** Who works long gives the event loop its turn, however many work at once. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Breath } from "../../src/session/breath.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("several that work in turn hold the event loop up no longer than one does", async () => {
  const all = Array.from({ length: 3 }, () => new Breath(0));
  vi.advanceTimersByTime(1000);
  await all[0]?.take();
  let last = performance.now();
  let longest = 0;
  for (let step = 0; step < 120; step++) {
    vi.advanceTimersByTime(10);
    const breath = all[step % 3];
    if (breath?.isDue !== true) continue;
    await breath.take();
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  expect(longest).toBe(40);
});

it("a turn that one takes counts for the others", async () => {
  vi.advanceTimersByTime(1000);
  const [one, other] = [new Breath(0), new Breath(0)];
  expect([one.isDue, other.isDue]).toEqual([true, true]);
  await one.take();
  expect([one.isDue, other.isDue]).toEqual([false, false]);
  vi.advanceTimersByTime(39);
  expect(other.isDue).toBe(false);
  vi.advanceTimersByTime(1);
  expect([one.isDue, other.isDue]).toEqual([true, true]);
});
