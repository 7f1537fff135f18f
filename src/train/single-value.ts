/** Batch norm by the statistics of a batch, where a channel has one value alone: what comes out is 0, whatever goes in. */

import { DepthwiseError } from "../core/errors.ts";
import type { TrainingPlan } from "../plan/training/training-plan.ts";

export interface SmallestNorm {
  /** The batch norm. */
  readonly layer: string;
  /** Of one example. */
  readonly pixels: number;
}

/** Of the batch norms that normalise by the batch the one with the fewest values a channel; undefined without any. */
export function smallestNorm({ steps }: TrainingPlan): SmallestNorm | undefined {
  let smallest: SmallestNorm | undefined;
  for (const { call, writes, name } of steps) {
    const norm = call.kernel === "forward" || call.kernel === "norm" ? call.norm : undefined;
    if (norm?.mode !== "batch" || (smallest !== undefined && smallest.pixels <= norm.pixels)) continue;
    const layer = writes["movingMean"]?.replace(/\/[^/]*$/, "") ?? name;
    smallest = { layer, pixels: norm.pixels };
  }
  return smallest;
}

/** Examples of the smallest part of a batch, which is computed in `accumulate` parts. */
export function smallestPart(examples: number, accumulate: number): number {
  const most = Math.ceil(examples / accumulate);
  return examples % most === 0 ? most : examples % most;
}

/** @throws {DepthwiseError} `NETWORK_INVALID` for a part of one example, where a batch norm has one pixel of each */
export function checkNorms(
  owner: string,
  network: string,
  norm: SmallestNorm | undefined,
  examples: number,
  accumulate: number,
): void {
  if (norm === undefined || norm.pixels * smallestPart(examples, accumulate) !== 1) return;
  const part = accumulate > 1 ? `, computed in ${accumulate} parts` : "";
  throw new DepthwiseError("NETWORK_INVALID", {
    what: `${owner}: ${network}: layer "${norm.layer}": batch norm over a batch of ${examples}${part}`,
    expected: "at least two values a channel to measure mean and variance of",
    found: "one, which normalised is 0 whatever it was",
    advice: 'Pass more examples at once, or batchNorm: { mode: "frozen" }.',
    fields: { layer: norm.layer, examples, accumulate },
  });
}
