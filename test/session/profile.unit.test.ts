import { afterEach, describe, expect, it, vi } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import { probeFeatures } from "../../src/kernels/wasm/index.ts";
import { depthwise, pointwise, sequential } from "../../src/layers/index.ts";
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

/** 8 × 8 pixels of 4 channels, depthwise, then to 16 channels. */
const pair = sequential({ name: "pair", inputShape: [8, 8, 4] }, [
  depthwise({ kernel: 3, bias: true }),
  pointwise({ filters: 16, bias: true }),
]);
const [input, between, output] = [8 * 8 * 4, 8 * 8 * 4, 8 * 8 * 16];
const [depthwiseParameters, pointwiseParameters] = [9 * 4 + 4, 4 * 16 + 16];

it.each([1, 2])("counts the bytes that each step reads and writes, of a batch of %i", async (batch) => {
  using session = await compile(pair, { threads: 1, batch: 2, backend: "reference" });
  const x = tensor(new Float32Array(batch * input), [batch, 8, 8, 4]);
  const { steps } = await session.profile(x, { runs: 1 });
  expect(steps.map(({ bytes }) => bytes)).toEqual([
    4 * (batch * (input + between) + depthwiseParameters),
    4 * (batch * (between + output) + pointwiseParameters),
  ]);
});

it("counts no bytes of what one step hands to the next without putting it into memory", async () => {
  using session = await compile(pair, { threads: 1, backend: "wasm" });
  expect(session.explain().steps.map(({ joined }) => joined)).toEqual([true, false]);
  const { steps } = await session.profile(undefined, { runs: 1 });
  expect(steps.map(({ bytes }) => bytes)).toEqual([
    4 * (input + depthwiseParameters),
    4 * (output + pointwiseParameters),
  ]);
});

it("counts parameters with the batch norm folded into them, and the model's first and last steps whole", async () => {
  using session = await compile(model, { threads: 1, backend: "wasm" });
  const { steps } = await session.profile(undefined, { runs: 1 });
  // 32 × 32 × 3 in, 3 × 3 × 3 × 8 and 8 biases, 16 × 16 × 8 out.
  expect(steps[0]?.bytes).toBe(4 * (32 * 32 * 3 + 27 * 8 + 8 + 16 * 16 * 8));
  expect(steps.every(({ bytes }) => bytes > 0)).toBe(true);
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
