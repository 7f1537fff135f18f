/** `depthwise summary`: the network in a few lines and its layers. */

import { Command } from "commander";
import { elementCount } from "../core/tensor.ts";
import { visible } from "../core/visible.ts";
import { cost } from "../cost/index.ts";
import { jsonOption } from "./flags.ts";
import { addNetworkOptions, type NetworkFlags, networkFrom } from "./network-options.ts";
import { newPage, print, printJson } from "./print.ts";
import { called, fits, layTable, leftOutNote } from "./table.ts";

const COLUMNS = ["layer", "type", "output", "parameters"];

export function summaryCommand(): Command {
  return addNetworkOptions(new Command("summary"))
    .description("layers, shapes and parameters of a network")
    .addOption(jsonOption("print { name, inputShape, outputs, layers, parameters, info }"))
    .action(async (flags: NetworkFlags & { readonly json?: boolean }) => {
      const model = await networkFrom(flags);
      const { totals } = cost(model, { convention: "keras" });
      const layers = model.layers.map((node) => ({ ...node, outputShape: model.shapes.get(node.name) }));
      if (flags.json === true) {
        const { name, inputShape, outputs, info } = model;
        const parameters = [...model.parameterInfo.values()];
        return printJson({ name, inputShape, outputs, layers, parameters, totals, info }, 2);
      }
      const rows = layers.map(({ name, type, outputShape = [] }) => {
        const count = [...model.parameterInfo.values()].filter(({ node }) => node === name);
        const parameters = count.reduce((sum, { shape }) => sum + elementCount(shape), 0);
        return [visible(name), type, outputShape.join(" × "), parameters.toLocaleString("en-US")];
      });
      const page = newPage();
      const table = [COLUMNS, ...rows];
      const whole = table.map(([layer = "", type = "", output = "", parameters = ""]) =>
        [layer.padEnd(26), type.padEnd(18), output.padEnd(18), parameters.padStart(10)].join(" "),
      );
      const style = { isRight: (column: number) => column === 3, least: called(COLUMNS, ["type", "output"]) };
      const outputs = Object.keys(model.outputs).join(", ");
      print([
        visible(`${model.name}: input ${model.inputShape.join(" × ")}, outputs ${outputs}`),
        "",
        ...(whole.every((line) => fits(line, page.width)) ? whole : layTable(page, table, style)),
        "",
        `parameters ${totals.parameters.toLocaleString("en-US")}, of them trainable ${totals.trainableParameters.toLocaleString("en-US")}`,
        ...leftOutNote(page),
      ]);
    });
}
