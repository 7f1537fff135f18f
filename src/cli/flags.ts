/** Flags that several commands have, each declared here alone. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { didYouMean } from "../core/nearest.ts";
import type { Preprocessing } from "../core/preprocessing.ts";
import { BUDGET_TABLES, conventionNames } from "../cost/index.ts";
import { toBytes, toCount, toNumber, toNumbers, toRange, WEIGHTS } from "./numbers.ts";

/** An option of a few values; of a wrong one the nearest is named. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return oneOfFew(new Option(flags, description), values);
}

function oneOfFew(option: Option, values: readonly string[]): Option {
  return option.choices(values).argParser((text: string) => {
    if (values.includes(text)) return text;
    const hint = didYouMean(text, values);
    throw new InvalidArgumentError(`Allowed choices are ${values.join(", ")}.${hint === "" ? "" : ` ${hint}`}`);
  });
}

/** Options that stand under a heading of their own in the help. */
export function under(heading: string, command: Command, add: (command: Command) => Command): Command {
  return add(command.optionsGroup(heading)).optionsGroup("Options:");
}

/** The width of a network and the side of its input, in words of the command's own. */
export function addSizeOptions(command: Command, alpha: string, resolution: string): Command {
  return command
    .option("--alpha <number>", `width multiplier (${alpha})`, toNumber)
    .option("--resolution <pixels>", `side of the input (${resolution})`, toNumber);
}

/** What shapes a network, whether it is built or read from a file. */
export function addShapeOptions(command: Command): Command {
  return addSizeOptions(command, "default 1, or what the file says", "default 224, or what the file says")
    .option(
      "--classes <count>",
      "number of outputs (default 1000); of a file of 1001, 1000 drops the background",
      toNumber,
    )
    .addOption(paddingOption("how 3 × 3 layers pad", ["same", "keras", "symmetric"]));
}

/** How a picture becomes the input, where that is known better than the file says; each under its name there. */
export function addPreprocessingOptions(command: Command): Command {
  return command
    .addOption(
      choice("--resize <how>", "to the input's size (default shorterSide)", [
        "shorterSide",
        "stretch",
        "cropThenStretch",
      ]),
    )
    .option("--crop-fraction <share>", "share of a side that the crop keeps (default 0.875)", toNumber)
    .addOption(
      choice("--filter <kind>", "of resizing: as Pillow or as TensorFlow (default antialiased)", [
        "antialiased",
        "plain",
      ]),
    )
    .option("--range <low,high>", "what bytes 0 and 255 become (default -1,1)", toRange)
    .option("--mean <numbers>", "of byte / 255, one a channel: 0.485,0.456,0.406", toNumbers)
    .option("--deviation <numbers>", "goes with --mean: 0.229,0.224,0.225", toNumbers)
    .addOption(choice("--channel-order <order>", "of the input (default rgb)", ["rgb", "bgr"]));
}

/** The options that were given; undefined if none was. */
export function preprocessingOf(flags: Preprocessing): Preprocessing | undefined {
  const { resize, cropFraction, filter, range, mean, deviation, channelOrder } = flags;
  const values = { resize, cropFraction, filter, range, mean, deviation, channelOrder };
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

export function conventionOption(): Option {
  return choice("--convention <name>", "rule of counting", [...conventionNames]).default("paper");
}

export function paddingOption(description: string, styles: readonly string[]): Option {
  return choice("--padding <style>", description, styles);
}

export function inputChannelsOption(description: string): Option {
  return new Option("--input-channels <count>", description).argParser(toNumber);
}

/** Where results go; `what` is a file or a directory. */
export function outOption(what: string, description: string): Option {
  return new Option(`--out <${what}>`, description);
}

/** What something is compared with; `values` if it is one of a few. */
export function againstOption(what: string, description: string, values?: readonly string[]): Option {
  const option = new Option(`--against <${what}>`, description);
  return values === undefined ? option : oneOfFew(option, values);
}

/** Upper bounds, and whose accuracies count; each has the name it has in `withinBudget`. */
export function addBudgetOptions(command: Command): Command {
  return command
    .option("--mult-adds <count>", "most mult-adds, such as 100M", toCount)
    .option("--parameters <count>", "most parameters, such as 2M", toCount)
    .option("--bytes <count>", "most bytes of float32 weights, such as 6MB or 6MiB", toBytes)
    .option("--activation-bytes <count>", "most bytes of activations alive at once", toBytes)
    .addOption(tableOption());
}

export function tableOption(): Option {
  return choice(
    "--table <name>",
    "accuracies on ImageNet as published (default imagenet), or on CIFAR-10 as measured",
    BUDGET_TABLES,
  );
}

/** How many answers, best first. */
export function topKOption(description: string): Option {
  return new Option("--top-k <count>", description).argParser(toNumber);
}

export function concurrencyOption(): Option {
  return new Option("--concurrency <count>", "files that are read and decoded at once (default 4)").argParser(toNumber);
}

export function maxPixelsOption(): Option {
  return new Option("--max-pixels <count>", "most pixels of a picture, such as 24M (default 268M)").argParser(toCount);
}

/** `more` says what is taken where the option is not given. */
export function weightsOption(more: string): Option {
  return new Option("--weights <file>", `${WEIGHTS} (${more})`);
}

export function jsonOption(description: string): Option {
  return new Option("--json", description);
}

export function markdownOption(): Option {
  return new Option("--markdown", "print Markdown tables");
}
