/** `depthwise paper`: the paper's tables, recounted. */

import { Command } from "commander";
import { formatPaper, paper } from "../cost/index.ts";
import { jsonOption, markdownOption } from "./flags.ts";
import { formatOf } from "./network-options.ts";
import { print, printJson } from "./print.ts";

export function paperCommand(): Command {
  return new Command("paper")
    .description("the cost columns of the paper's tables: printed, recounted, and the erratum where they differ")
    .addOption(jsonOption("print the object of depthwise/cost"))
    .addOption(markdownOption())
    .action((flags: { readonly json?: boolean; readonly markdown?: boolean }) =>
      flags.json === true ? printJson(paper(), 2) : print(formatPaper(paper(), formatOf(flags)).split("\n")),
    );
}
