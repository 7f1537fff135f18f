/** The best network under a budget, of those whose accuracy is known, and the Pareto front of all. */

import { checkKnownOptions, oneOf, optionError } from "../core/options.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../models/index.ts";
import { cost } from "./cost.ts";
import { MEASURED_ON_CIFAR10 } from "./measured.ts";
import { PRINTED_CHECKPOINTS } from "./printed.ts";

/** Upper bounds; each may be left out, not all. And whose accuracies count. */
export interface Budget<Table extends BudgetTable = "imagenet"> {
  /** Mult-adds of one image. */
  readonly multAdds?: number;
  /** Weights, as the paper counts them. */
  readonly parameters?: number;
  /** Bytes of all parameters in float32, statistics included: the size of a weights file. */
  readonly bytes?: number;
  /** Bytes of activations alive at once. */
  readonly activationBytes?: number;
  /**
   * `imagenet` (default): the sixteen networks of TF-slim, as published. `cifar10`: networks of 10 classes on CIFAR-10,
   * as trained and measured with this library; docs/paper-again.md says how.
   */
  readonly table?: Table;
}

/** What a network costs, and its accuracy. */
interface CountedCandidate {
  /** `0.75-192`: α and the side of the input; `0.5-32-shallow`: and what else is different. */
  readonly name: string;
  readonly alpha: number;
  /** Side of the input, as a share of the whole picture's: 224 pixels, of CIFAR-10 32. */
  readonly rho: number;
  readonly resolution: number;
  readonly multAdds: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly activationBytes: number;
  /** Per cent. */
  readonly top1: number;
}

/** A network of TF-slim, 1000 classes. Accuracies are of the ImageNet 2012 validation, as published. */
export interface Candidate extends CountedCandidate {
  readonly top5: number;
}

/**
 * A network that was trained here on CIFAR-10: 10 classes, a stem of stride 1 with 32 filters, behind it the paper's
 * strides: one with fewer of them is more accurate and costs more. Its accuracy is the mean over `seeds` runs.
 */
export interface MeasuredCandidate extends CountedCandidate {
  /** Whether it is without blocks 7 to 11. */
  readonly shallow: boolean;
  /** Whether it is the twin of full 3 × 3 convolutions. */
  readonly standardConvolution: boolean;
  readonly seeds: number;
  /** Not measured: of ten classes five say little. */
  readonly top5?: undefined;
}

/** What candidates are, by the table that they come from. */
export interface CandidateOf {
  readonly imagenet: Candidate;
  readonly cifar10: MeasuredCandidate;
}

/** The name of a table of accuracies. */
export type BudgetTable = keyof CandidateOf;

/** All networks of a table, and those that are worth their cost. */
export interface KnownNetworks<Known = Candidate> {
  /** In the table's order. */
  readonly candidates: readonly Known[];
  /** Those that no other beats in mult-adds, parameters and top-1 at once, cheapest first. */
  readonly front: readonly Known[];
}

/** What fits a budget, beside all of its table. */
export interface BudgetResult<Known = Candidate> extends KnownNetworks<Known> {
  /** The most accurate that fits; of equals the cheaper. Undefined if none fits. */
  readonly best: Known | undefined;
  /** All that fit, most accurate first. */
  readonly fitting: readonly Known[];
}

/** The tables, by the names that `withinBudget` takes. */
export const BUDGET_TABLES = ["imagenet", "cifar10"] as const satisfies readonly BudgetTable[];

type Makers = { readonly [Table in BudgetTable]: () => readonly CandidateOf[Table][] };

/** Counted anew at each call: only accuracies are stored. */
const CANDIDATES: Makers = {
  imagenet: () =>
    PRINTED_CHECKPOINTS.map(({ alpha, resolution, top1, top5 }) => ({
      name: `${alpha === 1 ? "1.0" : alpha}-${resolution}`,
      ...counted({ alpha, resolution }, 224),
      top1: Number(top1),
      top5: Number(top5),
    })),
  cifar10: () =>
    MEASURED_ON_CIFAR10.map(
      ({ name, alpha, resolution, shallow = false, standardConvolution = false, top1, seeds }) => ({
        name,
        ...counted(
          { alpha, resolution, shallow, standardConvolution, classes: 10, stem: { stride: 1, filters: 32 } },
          32,
        ),
        shallow,
        standardConvolution,
        top1,
        seeds,
      }),
    ),
};

const BOUNDS = ["multAdds", "parameters", "bytes", "activationBytes"] as const;

/**
 * The best width and resolution under a budget, by accuracies that are known: of ImageNet as published, or of CIFAR-10 as
 * measured with this library.
 *
 *     withinBudget({ multAdds: 100e6 }).best?.name   // "0.5-160"
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for an empty budget, a bound that is not a number above 0, or no such table
 */
export function withinBudget<Table extends BudgetTable = "imagenet">(
  budget: Budget<Table>,
): BudgetResult<CandidateOf[Table]> {
  checkKnownOptions("withinBudget", budget, [...BOUNDS, "table"]);
  const bounds = BOUNDS.filter((bound) => budget[bound] !== undefined);
  if (bounds.length === 0) throw optionError("withinBudget", "budget", `at least one of ${BOUNDS.join(", ")}`, budget);
  for (const bound of bounds) {
    const limit = budget[bound];
    if (!(typeof limit === "number" && limit > 0)) throw optionError("withinBudget", bound, "a number above 0", limit);
  }
  const { candidates, front } = listed("withinBudget", budget.table);
  const fitting = candidates
    .filter((candidate) => bounds.every((bound) => candidate[bound] <= (budget[bound] ?? 0)))
    .sort((a, b) => b.top1 - a.top1 || a.multAdds - b.multAdds);
  return { best: fitting[0], front, fitting, candidates };
}

/**
 * The networks whose accuracy is known, of which `withinBudget` chooses.
 *
 *     knownNetworks("imagenet").candidates.length   // 16
 *
 * @param table whose accuracies count, default `"imagenet"`
 * @throws {DepthwiseError} `OPTION_INVALID` for a table that does not exist
 */
export function knownNetworks<Table extends BudgetTable = "imagenet">(
  table?: Table,
): KnownNetworks<CandidateOf[Table]> {
  return listed("knownNetworks", table);
}

/** Left out the table is `imagenet`, which the type says too. */
function listed<Table extends BudgetTable>(owner: string, table: Table | undefined): KnownNetworks<CandidateOf[Table]> {
  const known = oneOf<BudgetTable>(owner, "table", table === undefined ? "imagenet" : table, BUDGET_TABLES) as Table;
  const candidates = CANDIDATES[known]();
  const front = candidates
    .filter((candidate) => !candidates.some((other) => other !== candidate && isNoWorse(other, candidate)))
    .sort((a, b) => a.multAdds - b.multAdds);
  return { candidates, front };
}

/** What a network costs. `side` is that of a whole picture. */
function counted({ alpha, resolution, ...options }: Counted, side: number) {
  const model = mobileNetV1<MobileNetV1Options>({ ...options, alpha, resolution });
  const { multAdds, parameters, peakActivationBytes } = cost(model).totals;
  return {
    alpha,
    rho: resolution / side,
    resolution,
    multAdds: multAdds ?? 0,
    parameters,
    bytes: 4 * cost(model, { convention: "keras" }).totals.parameters,
    activationBytes: peakActivationBytes,
  };
}

type Counted = MobileNetV1Options & Pick<CountedCandidate, "alpha" | "resolution">;

/** At least as good in everything; no two of a table are equal in all. */
function isNoWorse(a: CountedCandidate, b: CountedCandidate): boolean {
  return a.multAdds <= b.multAdds && a.parameters <= b.parameters && a.top1 >= b.top1;
}
