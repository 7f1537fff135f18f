/** `depthwise draw`: pictures as SVG files. One subcommand a picture; each draws what the function of `depthwise/draw` does. */

import { Command } from "commander";
import { optionError } from "../core/options.ts";
import { visible } from "../core/visible.ts";
import type { BudgetTable, ConventionName } from "../cost/index.ts";
import type { Picture, SeparableSizes } from "../draw/index.ts";
import { PICTURE_LANGUAGES, type PictureLanguage, type PictureOptions } from "../draw/languages.ts";
import { placeToWrite } from "../weights/place-to-write.ts";
import { writeFile } from "../weights/write-file.ts";
import {
  addBudgetOptions,
  againstOption,
  choice,
  conventionOption,
  inputChannelsOption,
  outOption,
  paddingOption,
  tableOption,
} from "./flags.ts";
import { addNetworkOptions, type NetworkFlags, networkFrom, withoutUndefined } from "./network-options.ts";
import { toNumber } from "./numbers.ts";
import { isTerminal, print, printBytes } from "./print.ts";

interface PictureFlags {
  readonly out?: string;
  readonly language?: PictureLanguage;
  readonly signal: AbortSignal;
}

interface FrontFlags extends PictureFlags {
  readonly table?: BudgetTable;
  readonly multAdds?: number;
  readonly parameters?: number;
  readonly bytes?: number;
  readonly activationBytes?: number;
}

interface SeparableFlags extends PictureFlags, Omit<SeparableSizes, "padding"> {
  readonly padding?: "same" | "valid";
}

interface AccuracyFlags extends PictureFlags {
  readonly table?: BudgetTable;
  readonly against?: "mult-adds" | "parameters";
}

/** What `--against` says, as the library has it. */
const COSTS = { "mult-adds": "multAdds", parameters: "parameters" } as const;

const OUT = { stream: "-", advice: "Pass a file: --out picture.svg" } as const;

export function drawCommand(): Command {
  const draw = new Command("draw").description("pictures as SVG: costs, networks, separable convolutions, accuracies");
  for (const make of [costPicture, networkPicture, separablePicture, frontPicture, accuracyPicture])
    draw.addCommand(make());
  return draw;
}

function costPicture(): Command {
  const command = pictureCommand("cost", "bars of what each layer costs").addOption(conventionOption());
  return addNetworkOptions(command).action(
    async (flags: NetworkFlags & PictureFlags & { readonly convention: ConventionName }) => {
      const { convention } = flags;
      await give(flags, async ({ drawCost }, options) =>
        drawCost(await networkFrom(flags), { convention, ...options }),
      );
    },
  );
}

function networkPicture(): Command {
  const command = pictureCommand("network", "a network from left to right: channels, feature maps, strides, pairs");
  return addNetworkOptions(command).action(async (flags: NetworkFlags & PictureFlags) => {
    await give(flags, async ({ drawNetwork }, options) => drawNetwork(await networkFrom(flags), options));
  });
}

function separablePicture(): Command {
  return pictureCommand("separable", "filters and mult-adds of a standard convolution and of the pair in its place")
    .option("--kernel-size <pixels>", "side of the kernel, D_K (default 3)", toNumber)
    .addOption(inputChannelsOption("channels of the input, M (default 32)"))
    .option("--filters <count>", "channels of the output, N (default 64)", toNumber)
    .option("--size <pixels>", "side of the input (default 112)", toNumber)
    .option("--stride <pixels>", "of the window (default 1)", toNumber)
    .addOption(paddingOption("of the window (default same)", ["same", "valid"]))
    .option("--multiplier <count>", "depthwise filters a channel (default 1)", toNumber)
    .action(async (flags: SeparableFlags) => {
      const { kernelSize, inputChannels, filters, size, stride, padding, multiplier } = flags;
      const sizes = withoutUndefined({ kernelSize, inputChannels, filters, size, stride, padding, multiplier });
      await give(flags, ({ drawSeparable }, options) => drawSeparable({ ...sizes, ...options }));
    });
}

function frontPicture(): Command {
  const command = pictureCommand("front", "accuracy against mult-adds: the Pareto front, and what fits a budget");
  return addBudgetOptions(command).action(async (flags: FrontFlags) => {
    const { table, multAdds, parameters, bytes, activationBytes } = flags;
    const budget = withoutUndefined({ multAdds, parameters, bytes, activationBytes });
    const given = Object.keys(budget).length === 0 ? {} : { budget };
    await give(flags, ({ drawFront }, options) => drawFront({ ...withoutUndefined({ table }), ...given, ...options }));
  });
}

function accuracyPicture(): Command {
  return pictureCommand("accuracy", "the paper's figures 4 and 5: accuracy against mult-adds or parameters")
    .addOption(tableOption())
    .addOption(againstOption("cost", "what it stands against (default mult-adds)", Object.keys(COSTS)))
    .action(async (flags: AccuracyFlags) => {
      const { table } = flags;
      const against = flags.against === undefined ? undefined : COSTS[flags.against];
      await give(flags, ({ drawAccuracy }, options) =>
        drawAccuracy({ ...withoutUndefined({ table, against }), ...options }),
      );
    });
}

function pictureCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(outOption("file", "the SVG file, replaced if it is there; - or nothing: standard output"))
    .addOption(choice("--language <code>", "of the words in it (default en)", PICTURE_LANGUAGES));
}

/** What draws is loaded where something is drawn. */
type Drawing = typeof import("../draw/index.ts");

/** Draws, and writes the file whole or not at all. Where it goes is asked first: a network may take long to load. */
async function give(
  { out = OUT.stream, language, signal }: PictureFlags,
  draw: (drawing: Drawing, options: PictureOptions) => Picture | Promise<Picture>,
): Promise<void> {
  const isStream = out === OUT.stream;
  if (isStream && isTerminal()) {
    const expected = "a file, or standard output that leads to a file or a program";
    throw optionError("draw", "--out", expected, "a terminal", OUT.advice);
  }
  const path = isStream ? undefined : placeToWrite("draw", "--out", out, OUT.advice);
  const drawing = await import("../draw/index.ts");
  const picture = await draw(drawing, withoutUndefined({ language }));
  const bytes = new TextEncoder().encode(drawing.svgText(picture));
  if (path === undefined) return printBytes(bytes, signal);
  await writeFile(path, bytes, { advice: OUT.advice, signal });
  print([`${visible(out)}: ${picture.title}, ${picture.width} × ${picture.height}`]);
}
