/** What networks cost, and the paper's tables. */

export {
  BUDGET_TABLES,
  type Budget,
  type BudgetResult,
  type BudgetTable,
  type Candidate,
  type CandidateOf,
  type KnownNetworks,
  knownNetworks,
  type MeasuredCandidate,
  withinBudget,
} from "./budget.ts";
export {
  CONVENTIONS,
  type Convention,
  type ConventionName,
  type CountedType,
  conventionNames,
  type LayerFacts,
  type OperationRule,
} from "./conventions.ts";
export { type Cost, type CostLayer, type CostOfKind, type CostOptions, type CostTotals, cost } from "./cost.ts";
export { ERRATA, type Erratum } from "./errata.ts";
export { type Format, formatCost, formatPaper } from "./format.ts";
export { type PaperCell, type PaperOptions, type PaperReport, type PaperRow, type PaperTable, paper } from "./paper.ts";
export { type SeparableCounts, type SeparableSizes, separableCounts } from "./separable-counts.ts";
