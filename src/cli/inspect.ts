/** `depthwise inspect`: what a file is, what is in it, and what was decided about it on what evidence. */

import { Command } from "commander";
import { isDepthwiseError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import type { ModelFile } from "../formats/model-file.ts";
import { asText, describe } from "../weights/describe.ts";
import { shownWeights } from "./files.ts";
import { jsonOption } from "./flags.ts";
import { addLoadOptions, type LoadFlags, openFrom } from "./load.ts";
import { WEIGHTS } from "./numbers.ts";
import { newPage, print, printJson } from "./print.ts";
import { layTable } from "./table.ts";

interface Flags extends LoadFlags {
  readonly json?: boolean;
  readonly tensors?: boolean;
}

export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description("what a file of weights is: format, decisions and their evidence, tensors")
    .argument("<files...>", `${WEIGHTS}; two are halves of one network`);
  command
    .option("--no-tensors", "leave out the list of tensors")
    .addOption(jsonOption("print { format, remarks, tensors, model }, or error in place of model"));
  return addLoadOptions(command).action(async (files: readonly string[], flags: Flags) => {
    const { content, understand } = await openFrom(files, flags);
    const tensors = tensorsOf(content);
    const listed = flags.tensors === false ? {} : { tensors };
    const { format, remarks } = content;
    // What the file holds is shown before it is known whether it is a MobileNet.
    if (flags.json !== true) {
      print([visible(`${files.map(shownWeights).join(" + ")}: ${format}`), ...remarkLines(remarks)]);
      if (flags.tensors !== false) print(["", ...tensorLines(tensors)]);
    }
    try {
      const model = describe(await understand());
      if (flags.json === true) printJson({ format, remarks, ...listed, model }, 2);
      else print(asText(model, decisionLines).split("\n"));
    } catch (error) {
      if (flags.json === true && isDepthwiseError(error)) {
        const { code: name, message } = error;
        printJson({ format, remarks, ...listed, error: { name, message } }, 2);
      }
      throw error;
    }
  });
}

interface TensorRow {
  readonly name: string;
  readonly dtype?: string;
  readonly shape: readonly number[];
}

function tensorsOf({ content }: ModelFile): readonly TensorRow[] {
  if (content.kind === "tensors") {
    return [...content.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  }
  return [...content.constants].map(([name, { shape }]) => {
    const dtype = content.quantization?.get(name)?.dtype;
    return { name, shape, ...(dtype === undefined ? {} : { dtype }) };
  });
}

function tensorLines(tensors: readonly TensorRow[]): readonly string[] {
  const page = newPage();
  const isScreen = Number.isFinite(page.width);
  const rows = tensors.map(({ name, dtype = "", shape }) => [
    // Newer TFLite converters join the names of all they fused; the first says enough on a screen.
    visible(isScreen && name.length > 60 ? `${name.slice(0, 59)}…` : name),
    visible(dtype).padEnd(5),
    shape.join(" × "),
  ]);
  return layTable(page, rows, { titles: ["name", "type", "shape"] });
}

function decisionLines(rows: readonly (readonly string[])[]): readonly string[] {
  return layTable(newPage(), rows, { titles: ["option", "value", "basis", "from"], prose: [1, 3] });
}

function remarkLines(remarks: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(remarks).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `  ${visible(`${name}: ${text.length > 200 ? `${text.slice(0, 200)} …` : text}`)}`;
  });
}
