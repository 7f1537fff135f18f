/** `depthwise budget`: the most accurate of the paper's networks under a budget. */

import { Command } from "commander";
import { type Candidate, withinBudget } from "../cost/index.ts";
import { jsonOption } from "./flags.ts";
import { toBytes, toCount } from "./numbers.ts";
import { print, printJson } from "./print.ts";

interface Flags {
  readonly multAdds?: number;
  readonly parameters?: number;
  readonly bytes?: number;
  readonly activationBytes?: number;
  readonly json?: boolean;
}

export function budgetCommand(): Command {
  return new Command("budget")
    .description("the best width and resolution under a budget, by published accuracy, and the Pareto front")
    .option("--mult-adds <count>", "most mult-adds, such as 100M", toCount)
    .option("--parameters <count>", "most parameters, such as 2M", toCount)
    .option("--bytes <count>", "most bytes of float32 weights, such as 6MB or 6MiB", toBytes)
    .option("--activation-bytes <count>", "most bytes of activations alive at once", toBytes)
    .addOption(jsonOption("print the object of depthwise/cost"))
    .action(({ multAdds, parameters, bytes, activationBytes, json }: Flags) => {
      const given = { multAdds, parameters, bytes, activationBytes };
      const budget = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const result = withinBudget(budget);
      if (json === true) return printJson(result, 2);
      const best = result.best === undefined ? "Nothing fits." : `Best: ${line(result.best)}`;
      print([best, "", "Pareto front (no other is cheaper and as accurate):", ...result.front.map(line)]);
      if (result.best === undefined) process.exitCode = 1;
    });
}

function line({ name, multAdds, parameters, top1, top5 }: Candidate): string {
  const millions = (count: number) => (count / 1e6).toFixed(2).padStart(7);
  return `${name.padEnd(9)} ${millions(multAdds)} M mult-adds  ${millions(parameters)} M parameters  top-1 ${top1.toFixed(1)} %  top-5 ${top5.toFixed(1)} %`;
}
