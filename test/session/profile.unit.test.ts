import { afterEach, describe, expect, it, vi } from "vitest";
import { probeFeatures } from "../../src/kernels/wasm/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { plan } from "../../src/plan/plan.ts";
import { compile } from "../../src/session/compile.ts";
import { profileSession } from "../../src/session/profile.ts";

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
  const { steps, totalMs, statistic } = await session.profile(undefined, { runs: 200 });
  expect(statistic).toBe("mean");
  // A median of times that are 0 or 0.1 would be one of those two.
  const times = steps.map(({ timeMs }) => timeMs).filter((time) => time > 0);
  expect(times.length).toBeGreaterThan(1);
  expect(times.some((time) => time < 0.0999)).toBe(true);
  expect(totalMs).toBeGreaterThan(0);
});

it("ends where the clock stands still", async () => {
  using session = await compile(model, { threads: 1 });
  // By hand: a spy keeps each of a million looks.
  const { now } = performance;
  performance.now = () => 1000;
  const profile = session.profile(undefined, { runs: 2 }).finally(() => {
    performance.now = now;
  });
  const { steps, totalMs, gflops } = await profile;
  expect([totalMs, gflops, steps.every(({ timeMs }) => timeMs === 0)]).toEqual([0, 0, true]);
});

describe("of runs that one other spreads", () => {
  /** Each step, and each whole run: four of a millisecond, one of six. Their median is 1, their mean 2. */
  const TIMES = [1, 6, 1, 1, 1];
  const choice = { backend: "plain", simd: "none", threads: 1, features: probeFeatures(), reasons: [] } as const;

  /** By a clock that stands still while nothing runs, and after the runs has steps so long, in turn, a step in two looks. */
  async function spread(ticks: readonly number[]) {
    let [now, looks, round] = [0, 0, 0];
    vi.spyOn(performance, "now").mockImplementation(() => {
      if (round === 2 * TIMES.length && looks++ % 2 === 1) now += ticks[(looks >> 1) % ticks.length] ?? 0;
      return now;
    });
    const { statistic, totalMs, steps } = await profileSession(plan(model), choice, TIMES.length, async (times) => {
      const time = TIMES[round % TIMES.length] ?? 0;
      round++;
      now += time;
      times.fill(time);
    });
    return { statistic, times: new Set([totalMs, ...steps.map(({ timeMs }) => timeMs)]) };
  }

  it.each([
    ["in Node", [0.0003]],
    ["in Node, which is made to wait in nearly all looks", [0.4, 14, 0.05, 0.4, 0.0003]],
    ["in isolated Chromium", [0.03999999910593033, 0.015000000596046448, 0.005000002682209015]],
  ])("tells medians by the fine clock %s", async (_, ticks) => {
    expect(await spread(ticks)).toEqual({ statistic: "median", times: new Set([1]) });
  });

  it.each([
    ["in isolated Firefox", [0.06, 0.01999999999998181, 0.020000000000436557]],
    ["in isolated Firefox, just below its step", [0.01999999999998181]],
    ["in a page of Chromium", [0.1, 0.09999999403953552]],
    ["in a page of Firefox", [1, 10]],
  ])("tells means by the coarse clock %s", async (_, ticks) => {
    expect(await spread(ticks)).toEqual({ statistic: "mean", times: new Set([2]) });
  });
});
