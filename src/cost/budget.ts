/** The best of the sixteen published networks under a budget, and the Pareto front of all. */

import { checkKnownOptions, optionError } from "../core/options.ts";
import { mobileNetV1 } from "../models/index.ts";
import { cost } from "./cost.ts";
import { PRINTED_CHECKPOINTS } from "./printed.ts";

/** Upper bounds; each may be left out, not all. */
export interface Budget {
  /** Mult-adds of one image. */
  readonly multAdds?: number;
  /** Weights, as the paper counts them. */
  readonly parameters?: number;
  /** Bytes of all parameters in float32, statistics included: the size of a weights file. */
  readonly bytes?: number;
  /** Bytes of activations alive at once. */
  readonly activationBytes?: number;
}

export interface Candidate {
  /** `0.75-192`. */
  readonly name: string;
  readonly alpha: number;
  readonly rho: number;
  readonly resolution: number;
  readonly multAdds: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly activationBytes: number;
  /** Per cent, ImageNet 2012 validation, as TF-slim publishes for its checkpoints. */
  readonly top1: number;
  readonly top5: number;
}

export interface BudgetResult {
  /** The most accurate that fits; of equals the cheaper. Undefined if none fits. */
  readonly best: Candidate | undefined;
  /** Networks that no other beats in mult-adds, parameters and top-1 at once, cheapest first. */
  readonly front: readonly Candidate[];
  /** All that fit, most accurate first. */
  readonly fitting: readonly Candidate[];
  /** All sixteen. */
  readonly candidates: readonly Candidate[];
}

const BOUNDS = ["multAdds", "parameters", "bytes", "activationBytes"] as const;

/**
 * The best width and resolution under a budget, by published accuracy: the sixteen networks of TF-slim, 1000 classes.
 *
 *     withinBudget({ multAdds: 100e6 }).best?.name   // "0.5-160"
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for an empty budget or a bound that is not a number above 0
 */
export function withinBudget(budget: Budget): BudgetResult {
  checkKnownOptions("withinBudget", budget, BOUNDS);
  const bounds = BOUNDS.filter((bound) => budget[bound] !== undefined);
  if (bounds.length === 0) throw optionError("withinBudget", "budget", `at least one of ${BOUNDS.join(", ")}`, budget);
  for (const bound of bounds) {
    const limit = budget[bound];
    if (!(typeof limit === "number" && limit > 0)) throw optionError("withinBudget", bound, "a number above 0", limit);
  }
  const candidates = PRINTED_CHECKPOINTS.map(({ alpha, resolution, top1, top5 }): Candidate => {
    const model = mobileNetV1({ alpha, resolution });
    const { multAdds, parameters, peakActivationBytes } = cost(model).totals;
    return {
      name: `${alpha === 1 ? "1.0" : alpha}-${resolution}`,
      alpha,
      rho: resolution / 224,
      resolution,
      multAdds: multAdds ?? 0,
      parameters,
      bytes: 4 * cost(model, { convention: "keras" }).totals.parameters,
      activationBytes: peakActivationBytes,
      top1: Number(top1),
      top5: Number(top5),
    };
  });
  const fitting = candidates
    .filter((candidate) => bounds.every((bound) => candidate[bound] <= (budget[bound] ?? 0)))
    .sort((a, b) => b.top1 - a.top1 || a.multAdds - b.multAdds);
  const front = candidates
    .filter((candidate) => !candidates.some((other) => other !== candidate && isNoWorse(other, candidate)))
    .sort((a, b) => a.multAdds - b.multAdds);
  return { best: fitting[0], front, fitting, candidates };
}

/** At least as good in everything; no two of the sixteen are equal in all. */
function isNoWorse(a: Candidate, b: Candidate): boolean {
  return a.multAdds <= b.multAdds && a.parameters <= b.parameters && a.top1 >= b.top1;
}
