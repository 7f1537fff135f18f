/** Accuracy against mult-adds: which networks are worth their cost, and which fit a budget. */

import { checkKnownOptions, oneOf } from "../core/options.ts";
import {
  BUDGET_TABLES,
  type Budget,
  type BudgetResult,
  type BudgetTable,
  type CandidateOf,
  knownNetworks,
  withinBudget,
} from "../cost/index.ts";
import { CHART_MARGIN, CHART_WIDTH, type ChartPoint, drawnChart } from "./chart.ts";
import type { PictureOptions } from "./languages.ts";
import { dotMark, drawnLegend, type LegendLine, page, pictureHead, sentences } from "./page.ts";
import type { Picture } from "./picture.ts";
import { type Voice, voiceOf } from "./voice.ts";

/** What a picture of a Pareto front shows. */
export interface FrontPictureOptions extends PictureOptions {
  /** Whose accuracies: `"imagenet"` (default), as published, or `"cifar10"`, as measured with this library. */
  readonly table?: BudgetTable;
  /** Upper bounds, as `withinBudget` takes them. Default none: no network is marked. */
  readonly budget?: Omit<Budget, "table">;
}

type Known = CandidateOf[BudgetTable];

const BOUNDS = ["multAdds", "parameters", "bytes", "activationBytes"] as const;

/**
 * A picture of the networks whose accuracy is known: top-1 against mult-adds on a logarithmic axis. Those on the Pareto
 * front of `withinBudget` are filled, a line leads from one to the next more accurate; with a budget those that do not fit
 * are pale, and the best that does has a ring.
 *
 *     svgText(drawFront({ budget: { multAdds: 100e6 } }))
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a table or a language that does not exist, or a bound that is not above 0
 */
export function drawFront(options: FrontPictureOptions = {}): Picture {
  checkKnownOptions("drawFront", options, ["table", "budget", "language"]);
  const { budget, language } = options;
  const table = oneOf("drawFront", "table", options.table ?? "imagenet", BUDGET_TABLES);
  const voice = voiceOf("drawFront", language);
  const { words, count } = voice;
  if (budget !== undefined) checkKnownOptions("drawFront: budget", budget, BOUNDS);
  const result = budget === undefined ? unbounded(table) : withinBudget<BudgetTable>({ ...budget, table });
  const title = words.front.title[table];
  const { candidates, front } = result;
  const notes = [words.source[table], ...budgetNotes(budget, result, voice)];
  if (candidates.length === 0) notes.push(words.nothingMeasured);
  const head = pictureHead(CHART_WIDTH, CHART_MARGIN, title, notes);
  const legend = drawnLegend(legendOf(result, voice), CHART_WIDTH, CHART_MARGIN, head.bottom + 26);
  const chart = {
    points: candidates.map((candidate) => pointOf(candidate, result, budget !== undefined)),
    lines: [{ look: "curve", points: risingOf(front).map(({ multAdds, top1 }) => ({ cost: multAdds, top1 })) }],
    titles: [words.axis.multAdds, words.axis.top1] as const,
    bound: budget?.multAdds,
  };
  const drawn =
    candidates.length === 0 ? { shapes: [], bottom: head.bottom } : drawnChart(chart, legend.bottom + 18, voice);
  return page(CHART_WIDTH, drawn.bottom + CHART_MARGIN - 8, {
    title,
    description: sentences([words.front.description(count(candidates.length), count(front.length)), ...notes.slice(1)]),
    table: tableOf(result, budget !== undefined, voice),
    shapes: [...head.shapes, ...legend.shapes, ...drawn.shapes],
  });
}

/** Without a budget everything fits, and nothing is the best that does. */
function unbounded(table: BudgetTable): BudgetResult<Known> {
  const known = knownNetworks<BudgetTable>(table);
  return { ...known, best: undefined, fitting: known.candidates };
}

function budgetNotes(
  budget: FrontPictureOptions["budget"],
  { best }: BudgetResult<Known>,
  { words, count, short, fixed }: Voice,
): string[] {
  if (budget === undefined) return [];
  const bounds = BOUNDS.flatMap((name) => {
    const bound = budget[name];
    // An endless one bounds nothing.
    return bound === undefined || bound === Number.POSITIVE_INFINITY ? [] : [words.front.bound[name](count(bound))];
  });
  const said =
    best === undefined
      ? words.front.nothingFits
      : words.front.best(best.name, words.percent(fixed(best.top1, 1)), short(best.multAdds));
  return bounds.length === 0 ? [said] : [words.front.bounds(bounds.join(", ")), said];
}

function pointOf(candidate: Known, { best, fitting, front }: BudgetResult<Known>, hasBudget: boolean): ChartPoint {
  const { name, multAdds, top1 } = candidate;
  return {
    ...{ name, top1, cost: multAdds },
    look: front.includes(candidate) ? "point" : "hollow page",
    isRinged: hasBudget && candidate === best,
    isAway: !fitting.includes(candidate),
  };
}

/** Those of the front that are more accurate than all that are cheaper: the front minds parameters too. */
function risingOf(front: readonly Known[]): readonly Known[] {
  let most = Number.NEGATIVE_INFINITY;
  return front.filter(({ top1 }) => {
    if (top1 <= most) return false;
    most = top1;
    return true;
  });
}

/** What stands in the picture, and nothing else. */
function legendOf({ candidates, front, fitting }: BudgetResult<Known>, { words }: Voice): readonly LegendLine[] {
  return [
    ...(front.length === 0 ? [] : [{ mark: dotMark("point"), text: words.front.onFront }]),
    ...(candidates.length === front.length ? [] : [{ mark: dotMark("hollow page"), text: words.front.offFront }]),
    ...(candidates.length === fitting.length ? [] : [{ mark: dotMark("point away"), text: words.front.tooMuch }]),
  ];
}

function tableOf({ candidates, front, fitting }: BudgetResult<Known>, hasBudget: boolean, voice: Voice) {
  const { words, count, fixed } = voice;
  const { noun } = words;
  const mark = (is: boolean) => (is ? words.yes : words.no);
  const sorted = [...candidates].sort((a, b) => a.multAdds - b.multAdds);
  return {
    titles: [
      ...[noun.network, noun.multAdds, noun.parameters, noun.top1, words.front.isOnFront],
      ...(hasBudget ? [words.front.fits] : []),
    ],
    rows: sorted.map((candidate) => [
      candidate.name,
      count(candidate.multAdds),
      count(candidate.parameters),
      words.percent(fixed(candidate.top1, 1)),
      mark(front.includes(candidate)),
      ...(hasBudget ? [mark(fitting.includes(candidate))] : []),
    ]),
  };
}
