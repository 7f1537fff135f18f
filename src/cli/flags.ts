/** Flags that several commands have, each declared here alone. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { didYouMean } from "../core/nearest.ts";
import { toNumber, WEIGHTS } from "./numbers.ts";

/** An option of a few values; of a wrong one the nearest is named. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).argParser((text: string) => {
    if (values.includes(text)) return text;
    const hint = didYouMean(text, values);
    throw new InvalidArgumentError(`Allowed choices are ${values.join(", ")}.${hint === "" ? "" : ` ${hint}`}`);
  });
}

/** What shapes a network, whether it is built or read from a file. */
export function addShapeOptions(command: Command): Command {
  return command
    .option("--alpha <number>", "width multiplier (default 1, or what the file says)", toNumber)
    .option("--resolution <pixels>", "side of the input (default 224, or what the file says)", toNumber)
    .option(
      "--classes <count>",
      "number of outputs (default 1000); of a file of 1001, 1000 drops the background",
      toNumber,
    )
    .addOption(choice("--padding <style>", "how 3 × 3 layers pad", ["same", "keras", "symmetric"]));
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
