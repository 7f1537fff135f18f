import { afterEach, expect, it, vi } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });

afterEach(() => vi.restoreAllMocks());

/** A clock that tells the true time in steps of so many milliseconds. */
function coarse(step: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => Math.floor(now() / step) * step);
}

it("tells means where the clock's steps are longer than the network's", async () => {
  using session = await compile(model, { threads: 1 });
  coarse(0.1);
  const { steps, totalMs } = await session.profile(undefined, { runs: 200 });
  // A median of times that are 0 or 0.1 would be one of those two.
  const times = steps.map(({ timeMs }) => timeMs).filter((time) => time > 0);
  expect(times.length).toBeGreaterThan(1);
  expect(times.some((time) => time < 0.0999)).toBe(true);
  expect(totalMs).toBeGreaterThan(0);
});

it("ends where the clock stands still", async () => {
  using session = await compile(model, { threads: 1 });
  vi.spyOn(performance, "now").mockReturnValue(1000);
  const { steps, totalMs, gflops } = await session.profile(undefined, { runs: 2 });
  expect([totalMs, gflops, steps.every(({ timeMs }) => timeMs === 0)]).toEqual([0, 0, true]);
});
