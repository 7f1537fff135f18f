/** The paper's figures 4 and 5: accuracy against mult-adds, and against parameters. */

import { checkKnownOptions, oneOf } from "../core/options.ts";
import { BUDGET_TABLES, type BudgetTable, type CandidateOf, knownNetworks } from "../cost/index.ts";
import { CHART_MARGIN, CHART_WIDTH, type ChartLine, drawnChart } from "./chart.ts";
import type { PictureOptions } from "./languages.ts";
import { dotMark, drawnLegend, lineMark, page, pictureHead } from "./page.ts";
import type { Picture } from "./picture.ts";
import { voiceOf } from "./voice.ts";

/** What a picture of accuracies shows. */
export interface AccuracyPictureOptions extends PictureOptions {
  /** Whose accuracies: `"imagenet"` (default), as published, or `"cifar10"`, as measured with this library. */
  readonly table?: BudgetTable;
  /** What they stand against: `"multAdds"` (default) or `"parameters"`. */
  readonly against?: "multAdds" | "parameters";
}

type Known = CandidateOf[BudgetTable];

const COSTS = ["multAdds", "parameters"] as const;

/**
 * A picture of accuracies against what they cost, on a logarithmic axis, as figures 4 and 5 of Howard et al. 2017 have it
 * for ImageNet: a line for each resolution through its widths α, and a line for each α through its resolutions. Networks
 * that are shallow or of standard convolutions are points without a line.
 *
 *     svgText(drawAccuracy({ against: "parameters" }))
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a table, a cost or a language that does not exist
 */
export function drawAccuracy(options: AccuracyPictureOptions = {}): Picture {
  checkKnownOptions("drawAccuracy", options, ["table", "against", "language"]);
  const table = oneOf("drawAccuracy", "table", options.table ?? "imagenet", BUDGET_TABLES);
  const against = oneOf("drawAccuracy", "against", options.against ?? "multAdds", COSTS);
  const voice = voiceOf("drawAccuracy", options.language);
  const { words, count, fixed } = voice;
  const { candidates } = knownNetworks<BudgetTable>(table);
  const title = words.accuracy.title[table][against];
  const notes = [words.source[table], ...(candidates.length === 0 ? [words.nothingMeasured] : [])];
  const head = pictureHead(CHART_WIDTH, CHART_MARGIN, title, notes);
  const chart = {
    points: candidates.map((candidate) => ({
      name: candidate.name,
      cost: candidate[against],
      top1: candidate.top1,
      look: isPlain(candidate) ? "point" : "known",
    })),
    lines: linesOf(candidates, against),
    titles: [words.axis[against], words.axis.top1] as const,
  };
  const isEmpty = candidates.length === 0;
  const has = (look: string) => [...chart.lines, ...chart.points].some((each) => each.look === look);
  const entries = [
    ...(has("curve") ? [{ mark: lineMark("curve"), text: words.accuracy.ofAlpha }] : []),
    ...(has("across") ? [{ mark: lineMark("across"), text: words.accuracy.ofRho }] : []),
    ...(has("known") ? [{ mark: dotMark("known"), text: words.accuracy.others }] : []),
  ];
  const legend = drawnLegend(entries, CHART_WIDTH, CHART_MARGIN, head.bottom + 26);
  const drawn = isEmpty ? { shapes: [], bottom: head.bottom } : drawnChart(chart, legend.bottom + 18, voice);
  return page(CHART_WIDTH, drawn.bottom + CHART_MARGIN - 8, {
    title,
    description: words.accuracy.description(count(candidates.length)),
    table: {
      titles: [words.noun.network, words.noun[against], words.noun.top1],
      rows: candidates.map((candidate) => [
        candidate.name,
        count(candidate[against]),
        words.percent(fixed(candidate.top1, 1)),
      ]),
    },
    shapes: [...head.shapes, ...legend.shapes, ...drawn.shapes],
  });
}

/** Whether only α and ρ tell it from the others. */
function isPlain(candidate: Known): boolean {
  return !("shallow" in candidate) || (!candidate.shallow && !candidate.standardConvolution);
}

/** Through networks of one resolution, and through those of one width; of a single network there is none. */
function linesOf(candidates: readonly Known[], against: (typeof COSTS)[number]): readonly ChartLine[] {
  const plain = candidates.filter(isPlain);
  const through = (look: string, of: "alpha" | "resolution"): readonly ChartLine[] =>
    [...new Set(plain.map((candidate) => candidate[of]))].map((value) => ({
      look,
      points: plain
        .filter((candidate) => candidate[of] === value)
        .map((candidate) => ({ cost: candidate[against], top1: candidate.top1 }))
        .sort((a, b) => a.cost - b.cost || a.top1 - b.top1),
    }));
  return [...through("across", "alpha"), ...through("curve", "resolution")].filter(({ points }) => points.length > 1);
}
