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
  /** What times are over the runs: `"mean"` where the clock told none for some step, as in most pages, else `"median"`. */
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
  // Where steps are shorter than those of the clock, a median is one of them or none; between these only a mean can lie.
  const isCoarse = steps.some((times) => times.includes(0));
  const middle = isCoarse ? mean : median;
  const totalMs = middle(totals);
  const multAdds = plan.steps.reduce((sum, step) => sum + step.multAdds, 0);
  return {
    network: plan.network,
    backend,
    simd,
    threads,
    runs,
    statistic: isCoarse ? "mean" : "median",
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
