/** Times of steps, beside what they compute and what this machine can do at most. */

import type { Choice } from "../backends/choose-backend.ts";
import { Breath } from "../core/breath.ts";
import { probeFeatures } from "../kernels/wasm/index.ts";
import { measureLimit } from "../kernels/wasm/limit.ts";
import type { Plan, Step } from "../plan/plan.ts";

/** How a profile is measured. */
export interface ProfileOptions {
  /** Measured runs, after as many to warm up. Default 10. */
  readonly runs?: number;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** One step of a profile. */
export interface ProfiledStep {
  readonly name: string;
  readonly kernel: string;
  readonly multAdds: number;
  /**
   * That it reads and writes in memory, each value once: activations of the whole batch, float32, and its parameters,
   * batch norm folded in. What one step hands to the next piece by piece (`joined` in `explain().steps`) counts for
   * neither. `2 · multAdds / bytes` is its arithmetic intensity, in FLOP per byte.
   */
  readonly bytes: number;
  /** Over the runs, by `statistic`; of the first thread. */
  readonly timeMs: number;
  /** Two operations a mult-add, of all threads. */
  readonly gflops: number;
  /** GFLOP/s over the limit; `undefined` where no limit was measured, or nothing is multiplied. */
  readonly share?: number;
}

/** Where the time of a run goes, step by step. */
export interface Profile {
  readonly network: string;
  readonly backend: Choice["backend"];
  readonly simd: Choice["simd"];
  readonly threads: number;
  readonly runs: number;
  /** What times are over the runs: `"mean"` where the clock's steps are coarse, as in most pages, else `"median"`. */
  readonly statistic: "median" | "mean";
  readonly steps: readonly ProfiledStep[];
  /** The same of whole runs. */
  readonly totalMs: number;
  readonly gflops: number;
  /** Multiply-adds over registers alone, of one thread, GFLOP/s; `undefined` without wasm, or where it may not be compiled. */
  readonly limitGflops?: number;
}

/** @param plan with `batch` and `multAdds` as they are run, not as most that may be run */
export async function profileSession(
  plan: Plan,
  { backend, simd, threads }: Choice,
  runs: number,
  run: (times: Float64Array) => Promise<void>,
): Promise<Profile> {
  const limit =
    simd === "none" || !probeFeatures().wasm ? undefined : measureLimit(simd !== "plain", simd === "wide" ? 8 : 4);
  const steps = plan.steps.map((): number[] => []);
  const totals: number[] = [];
  const breath = new Breath(performance.now());
  for (let round = 0; round < 2 * runs; round++) {
    // Between the runs, where it costs none of them time.
    if (breath.isDue) await breath.take();
    const times = new Float64Array(plan.steps.length);
    const start = performance.now();
    await run(times);
    if (round < runs) continue;
    totals.push(performance.now() - start);
    for (const [index, time] of times.entries()) steps[index]?.push(time);
  }
  const statistic = hasFineClock() ? "median" : "mean";
  const middle = STATISTICS[statistic];
  const totalMs = middle(totals);
  const multAdds = plan.steps.reduce((sum, step) => sum + step.multAdds, 0);
  return {
    network: plan.network,
    backend,
    simd,
    threads,
    runs,
    statistic,
    steps: plan.steps.map((step, index) => {
      const { name, call, multAdds: count } = step;
      const timeMs = middle(steps[index] ?? []);
      const gflops = rate(count, timeMs);
      return {
        name,
        kernel: call.kernel,
        multAdds: count,
        bytes: bytesOf(step, plan),
        timeMs,
        gflops,
        ...(limit === undefined || count === 0 ? {} : { share: gflops / limit / threads }),
      };
    }),
    totalMs,
    gflops: rate(multAdds, totalMs),
    ...(limit === undefined ? {} : { limitGflops: limit }),
  };
}

/** Bytes of a value of any kind, for each of its numbers. */
const FLOAT_BYTES = 4;

function bytesOf({ reads, writes }: Step, { values, batch }: Plan): number {
  let bytes = 0;
  for (const name of new Set([...reads, ...writes])) {
    const value = values.get(name);
    if (value?.kind === "parameter") bytes += FLOAT_BYTES * value.elements;
    // What a joined step hands on has no place.
    else if (value?.offset !== undefined) bytes += FLOAT_BYTES * batch * value.elements;
  }
  return bytes;
}

const STATISTICS = { median, mean } as const;

/**
 * With longer steps of the clock the median of a short step is one of them or none; between these only a mean can lie.
 * In ms the least step is below 0.001 in Node, 0.005 in isolated pages of Chromium and 0.02 in those of Firefox, which
 * gives it as 0.01999… or 0.02000…; in other pages it is 0.1 and 1. The bound is twice away from both of its neighbours.
 */
const COARSE_MS = 0.01;

/** One step alone may be long because the process had to wait. */
const MOST_TICKS = 20;

/** A clock that stands still so long is coarse, or none. */
const MOST_LOOKS = 1_000_000;

/** Whether any of some steps of the clock is a short one. */
function hasFineClock(): boolean {
  let last = performance.now();
  for (let looks = 0, ticks = 0; looks < MOST_LOOKS && ticks < MOST_TICKS; looks++) {
    const now = performance.now();
    if (now <= last) continue;
    if (now - last < COARSE_MS) return true;
    last = now;
    ticks++;
  }
  return false;
}

/** GFLOP/s; 0 where the clock told no time. */
function rate(multAdds: number, ms: number): number {
  return ms === 0 ? 0 : (2 * multAdds) / ms / 1e6;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
