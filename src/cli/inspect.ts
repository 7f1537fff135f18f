/** `depthwise inspect`: what a file is, what is in it, and what was decided about it on what evidence. */

import { Command } from "commander";
import { shownAddress } from "../core/address.ts";
import { isDepthwiseError } from "../core/errors.ts";
import { describe, formatDescription } from "../weights/describe.ts";
import type { ModelFile } from "../weights/model-file.ts";
import { addLoadOptions, type LoadFlags, openFrom } from "./load.ts";
import { print } from "./network-options.ts";

interface Flags extends LoadFlags {
  readonly json?: boolean;
  readonly tensors?: boolean;
}

export function inspectCommand(): Command {
  const command = new Command("inspect")
    .description("what a file of weights is: format, decisions and their evidence, tensors")
    .argument(
      "<files...>",
      "a file, a directory, an address, hf:owner/name or keras:name; two are halves of one network",
    );
  return addLoadOptions(command)
    .option("--no-tensors", "leave out the list of tensors")
    .option("--json", "print { format, remarks, tensors, model }, or error in place of model")
    .action(async (files: readonly string[], flags: Flags) => {
      const { content, understand } = await openFrom(files, flags);
      const tensors = tensorsOf(content);
      const listed = flags.tensors === false ? {} : { tensors };
      const { format, remarks } = content;
      // What the file holds is shown before it is known whether it is a MobileNet.
      if (flags.json !== true) {
        print([`${files.map(shownAddress).join(" + ")}: ${format}`, ...remarkLines(remarks)].join("\n"));
        if (flags.tensors !== false) print(["", ...tensorLines(tensors), ""].join("\n"));
      }
      try {
        const model = describe(await understand());
        print(
          flags.json === true
            ? JSON.stringify({ format, remarks, ...listed, model }, null, 2)
            : formatDescription(model),
        );
      } catch (error) {
        if (flags.json === true && isDepthwiseError(error)) {
          const { code: name, message } = error;
          print(JSON.stringify({ format, remarks, ...listed, error: { name, message } }, null, 2));
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
  // Newer TFLite converters join the names of all they fused; the first says enough on a screen.
  const shown = tensors.map(({ name }) => (name.length > 60 ? `${name.slice(0, 59)}…` : name));
  const width = shown.reduce((most, { length }) => Math.max(most, length), 0);
  return tensors.map(({ dtype = "", shape }, i) =>
    `${shown[i]?.padEnd(width)}  ${dtype.padEnd(5)}  ${shape.join(" × ")}`.trimEnd(),
  );
}

function remarkLines(remarks: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(remarks).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `  ${name}: ${text.length > 200 ? `${text.slice(0, 200)} …` : text}`;
  });
}
