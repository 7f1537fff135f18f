/** `depthwise budget`: the most accurate network under a budget, of those whose accuracy is known. */

import { Command } from "commander";
import { DepthwiseError } from "../core/errors.ts";
import { type BudgetResult, type BudgetTable, type CandidateOf, withinBudget } from "../cost/index.ts";
import { addBudgetOptions, jsonOption } from "./flags.ts";
import { withoutUndefined } from "./network-options.ts";
import { newPage, print, printJson } from "./print.ts";
import { layTable, leftOutNote } from "./table.ts";

const TITLES = ["network", "mult-adds", "parameters", "top-1", "top-5"];

type Known = CandidateOf[BudgetTable];

interface Flags {
  readonly table?: BudgetTable;
  readonly multAdds?: number;
  readonly parameters?: number;
  readonly bytes?: number;
  readonly activationBytes?: number;
  readonly json?: boolean;
}

export function budgetCommand(): Command {
  return addBudgetOptions(new Command("budget"))
    .description("the best width and resolution under a budget, by known accuracy, and the Pareto front")
    .addOption(jsonOption("print the object of depthwise/cost"))
    .action(({ multAdds, parameters, bytes, activationBytes, table, json }: Flags) => {
      if ([multAdds, parameters, bytes, activationBytes].every((bound) => bound === undefined)) {
        throw new DepthwiseError("OPTION_INVALID", {
          what: "budget: bounds",
          expected: "at least one of --mult-adds, --parameters, --bytes, --activation-bytes",
          found: "none",
          advice: "Such as --mult-adds 100M.",
          fields: { owner: "budget", option: "bounds", found: undefined },
        });
      }
      const given = { multAdds, parameters, bytes, activationBytes, table };
      const result = withinBudget<BudgetTable>(withoutUndefined(given));
      if (result.best === undefined) process.exitCode = 1;
      if (json === true) return printJson(result, 2);
      const page = newPage();
      const title = "Pareto front (no other is cheaper and as accurate):";
      const rows = result.front.map(cells);
      const titles = TITLES.slice(0, rows[0]?.length);
      const least = titles.includes("top-5") ? [[4], [2]] : [[2]];
      const front = layTable(page, rows, { titles, least });
      const below = rows.length === 0 ? [] : ["", title, ...front, ...leftOutNote(page)];
      print([bestLine(result, page.width), ...below]);
    });
}

/** A line like those of the front where there is room, else a list. */
export function bestLine(
  { best, candidates }: Pick<BudgetResult<Known>, "best" | "candidates">,
  width: number,
): string {
  if (candidates.length === 0) return "Nothing has been measured yet: the table is empty.";
  if (best === undefined) return "Nothing fits.";
  const line = `Best: ${cells(best).join("  ")}`;
  return line.length <= width ? line : line.trim().replaceAll(/ {2,}/g, ", ").replace(", ", " ");
}

function cells({ name, multAdds, parameters, top1, top5 }: Known): readonly string[] {
  const millions = (count: number) => (count / 1e6).toFixed(2).padStart(7);
  return [
    `${name.padEnd(8)}`,
    `${millions(multAdds)} M mult-adds`,
    `${millions(parameters)} M parameters`,
    `top-1 ${top1.toFixed(1)} %`,
    ...(top5 === undefined ? [] : [`top-5 ${top5.toFixed(1)} %`]),
  ];
}
