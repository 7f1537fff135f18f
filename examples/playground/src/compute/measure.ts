/** How long a network takes here, step by step, beside what it multiplies and moves. */

import { compile, mobileNetV1 } from "depthwise";
import { cost } from "depthwise/cost";
import type { Answer, Given } from "./messages.ts";

/** So long the runs of a network take together, about, after as many to warm up. */
const ENOUGH_MS = 1000;
const [LEAST_RUNS, MOST_RUNS] = [5, 200];

/** @throws `signal.reason` */
export async function measure(
  { alpha, resolution, standardConvolution }: Given<"measure">,
  signal: AbortSignal,
): Promise<Answer<"measure">> {
  const model = mobileNetV1({ alpha, resolution, standardConvolution });
  const session = await compile(model, { threads: 1, signal });
  try {
    const { totalMs: about } = await session.profile(undefined, { runs: 2, signal });
    const runs = Math.max(LEAST_RUNS, Math.min(MOST_RUNS, Math.round(ENOUGH_MS / Math.max(about, 0.1))));
    const profile = await session.profile(undefined, { runs, signal });
    const { network, backend, simd, totalMs, gflops, limitGflops, steps } = profile;
    return {
      ...{ name: network, backend, simd, totalMs, gflops },
      ...(limitGflops === undefined ? {} : { limitGflops }),
      multAdds: cost(model).totals.multAdds ?? 0,
      steps,
    };
  } finally {
    session.close();
  }
}
