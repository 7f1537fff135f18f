/** `depthwise paper`: the paper's tables, recounted. */

import { Command } from "commander";
import { reportText } from "../cost/format.ts";
import { paper } from "../cost/index.ts";
import { jsonOption, markdownOption } from "./flags.ts";
import { formatOf } from "./network-options.ts";
import { newPage, print, printJson, printWhole } from "./print.ts";
import { layTable, leftOutNote, type Style } from "./table.ts";

export function paperCommand(): Command {
  return new Command("paper")
    .description("the cost columns of the paper's tables: printed, recounted, and the erratum where they differ")
    .addOption(jsonOption("print the object of depthwise/cost"))
    .addOption(markdownOption())
    .action((flags: { readonly json?: boolean; readonly markdown?: boolean }) => {
      if (flags.json === true) return printJson(paper(), 2);
      const page = newPage();
      const text = reportText(paper(), formatOf(flags), (rows, isRight) =>
        layTable(page, rows, { isRight, ...styleOf(rows[0] ?? []) }).join("\n"),
      );
      if (flags.markdown === true) return printWhole(text.split("\n"));
      print([...text.split("\n"), ...leftOutNote(page)]);
    });
}

/** Figures go with what was counted, the last pair before the first, and before them all what is no cost. */
function styleOf(header: readonly string[]): Style {
  const columns = [...header.keys()];
  const pairs = columns.filter((column) => header[column + 1] === "counted").map((column) => [column, column + 1]);
  const isPaired = new Set(pairs.flat());
  const prose = columns.filter((column) => /^(|where|remark|reason)$/.test(header[column] ?? ""));
  const others = columns.filter((column) => column > 0 && !isPaired.has(column) && !prose.includes(column));
  return { least: [...others.map((column) => [column]), ...pairs.slice(1).reverse()], prose, seconds: ["counted"] };
}
