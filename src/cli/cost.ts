/** `depthwise cost`: what a network costs, layer by layer, under a named convention. */

import { Command } from "commander";
import { costText } from "../cost/format.ts";
import { type ConventionName, conventionNames, cost } from "../cost/index.ts";
import { choice, jsonOption, markdownOption } from "./flags.ts";
import { addNetworkOptions, formatOf, type NetworkFlags, networkFrom } from "./network-options.ts";
import { newPage, print, printJson, printWhole } from "./print.ts";
import { called, layTable, leftOutNote } from "./table.ts";

/** What a person asks last, first. */
const LEAST = ["of standard", "output bytes", "input", "share", "kind", "output"];

interface Flags extends NetworkFlags {
  readonly convention: ConventionName;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

export function costCommand(): Command {
  return addNetworkOptions(new Command("cost"))
    .description("count mult-adds, parameters and activation bytes, layer by layer")
    .addOption(choice("--convention <name>", "rule of counting", [...conventionNames]).default("paper"))
    .addOption(jsonOption("print the object of depthwise/cost"))
    .addOption(markdownOption())
    .action(async (flags: Flags) => {
      const result = cost(await networkFrom(flags), { convention: flags.convention });
      if (flags.json === true) return printJson(result, 2);
      const page = newPage();
      const text = costText(result, formatOf(flags), (rows, isRight) =>
        layTable(page, rows, { isRight, least: called(rows[0] ?? [], LEAST) }).join("\n"),
      );
      if (flags.markdown === true) return printWhole(text.split("\n"));
      print([...text.split("\n"), ...leftOutNote(page)]);
    });
}
