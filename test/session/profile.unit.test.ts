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
  vi.spyOn(performance, "now").mockImplementation(() => 1000);
  const { steps, totalMs, gflops } = await session.profile(undefined, { runs: 2 });
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
  const choice = { backend: "plain", simd: "none", threads: 1, features: probeFeatures(), reasons: [] } as const;

  /** By a clock that stands still while nothing runs; each run, and each of its steps, takes in turn what is told. */
  async function spread(told: readonly number[]) {
    let [now, round] = [0, 0];
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const { statistic, totalMs, steps } = await profileSession(plan(model), choice, told.length, async (times) => {
      const time = told[round++ % told.length] ?? 0;
      now += time;
      times.fill(time);
    });
    return { statistic, times: new Set([totalMs, ...steps.map(({ timeMs }) => timeMs)]) };
  }

  it("tells medians where the clock told a time of every step", async () => {
    expect(await spread([1, 6, 1, 1, 1])).toEqual({ statistic: "median", times: new Set([1]) });
  });

  it("tells means where it told none of some step in some run", async () => {
    expect(await spread([0, 10, 0, 0, 0])).toEqual({ statistic: "mean", times: new Set([2]) });
  });
});
