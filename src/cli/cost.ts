/** `depthwise cost`: what a network costs, layer by layer, under a named convention. */

import { Command } from "commander";
import { type ConventionName, conventionNames, cost, formatCost } from "../cost/index.ts";
import { choice, jsonOption, markdownOption } from "./flags.ts";
import { addNetworkOptions, formatOf, type NetworkFlags, networkFrom } from "./network-options.ts";
import { print, printJson } from "./print.ts";

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
      if (flags.json === true) printJson(result, 2);
      else print(formatCost(result, formatOf(flags)).split("\n"));
    });
}
