/** `depthwise cost`: what a network costs, layer by layer, under a named convention. */

import { Command } from "commander";
import { DepthwiseError } from "../core/errors.ts";
import { costText } from "../cost/format.ts";
import { type ConventionName, cost } from "../cost/index.ts";
import { CHART_MARKS, costChart } from "./cost-chart.ts";
import { conventionOption, jsonOption, markdownOption } from "./flags.ts";
import { addNetworkOptions, formatOf, type NetworkFlags, networkFrom } from "./network-options.ts";
import { newPage, print, printJson, printWhole } from "./print.ts";
import { called, layTable, leftOutNote } from "./table.ts";

/** What a person asks last, first. */
const LEAST = ["of standard", "output bytes", "input", "share", "kind", "output"];

interface Flags extends NetworkFlags {
  readonly convention: ConventionName;
  readonly chart?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

export function costCommand(): Command {
  return addNetworkOptions(new Command("cost"))
    .description("count mult-adds, parameters and activation bytes, layer by layer")
    .addOption(conventionOption())
    .option("--chart", "bars of the layers' shares below the totals")
    .addOption(jsonOption("print the object of depthwise/cost"))
    .addOption(markdownOption())
    .action(async (flags: Flags) => {
      checkChart(flags);
      const result = cost(await networkFrom(flags), { convention: flags.convention });
      if (flags.json === true) return printJson(result, 2);
      const page = newPage();
      const text = costText(result, formatOf(flags), (rows, isRight) =>
        layTable(page, rows, { isRight, least: called(rows[0] ?? [], LEAST) }).join("\n"),
      );
      if (flags.markdown === true) return printWhole(text.split("\n"));
      print([...text.split("\n"), ...leftOutNote(page)]);
      if (flags.chart === true) print(["", ...costChart(result, page.width)], CHART_MARKS);
    });
}

/** Bars are for people; what programs read has none. */
function checkChart({ chart, json, markdown }: Flags): void {
  if (chart !== true || (json !== true && markdown !== true)) return;
  throw new DepthwiseError("OPTION_INVALID", {
    what: "cost: --chart",
    expected: "the text for people",
    found: json === true ? "--json" : "--markdown",
    advice: "Leave one of them out.",
  });
}
