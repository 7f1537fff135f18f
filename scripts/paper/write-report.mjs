/** Writes the report: JSON, a page, two charts, and the figures that `withinBudget` chooses by. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeTogether } from "../shared/write-whole.mjs";
import { accuracyChart } from "./chart.mjs";
import { withMeasured } from "./measured.mjs";
import { pageOf } from "./page.mjs";
import { summaryOf } from "./summary.mjs";

const MEASURED = new URL("../../src/cost/measured.ts", import.meta.url);

/** @returns the files, by path. All are written, or none */
export function writeReport({ results, docs, measured }, plan) {
  const summary = summaryOf(results, plan);
  const files = new Map([
    [join(docs, "paper-again.json"), `${JSON.stringify(summary, null, 1)}\n`],
    [join(docs, "paper-again.md"), pageOf(summary)],
    [join(docs, "paper-again-mult-adds.svg"), accuracyChart(summary, "multAdds")],
    [join(docs, "paper-again-parameters.svg"), accuracyChart(summary, "parameters")],
    [measured, withMeasured(readFileSync(MEASURED, "utf8"), summary)],
  ]);
  writeTogether(files);
  return [...files.keys()];
}
