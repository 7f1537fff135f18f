/** The options by which commands name a network: those of the builder, or a file. */

import type { Command } from "commander";
import type { Network } from "../layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../models/index.ts";
import { loadModel } from "../weights/load-model.ts";
import { weightsFrom } from "./files.ts";
import { addShapeOptions, choice, inputChannelsOption, under, weightsOption } from "./flags.ts";
import { toNumber } from "./numbers.ts";

export interface NetworkFlags extends MobileNetV1Options {
  readonly weights?: string;
  readonly signal: AbortSignal;
}

/** Adds the options; each has the name it has in the library. */
export function addNetworkOptions(command: Command): Command {
  command.addOption(weightsOption("default: the network of the options"));
  return under("Network:", command, (group) =>
    addShapeOptions(group)
      .option("--rho <number>", "resolution multiplier: resolution = round(224 · rho)", toNumber)
      .addOption(inputChannelsOption("channels of the input (default 3)"))
      .option("--output-stride <stride>", "8, 16 or 32: later strides become dilation", toNumber)
      .addOption(choice("--channel-rounding <rule>", "how widths are rounded", ["truncate", "floor", "divisible8"]))
      .option("--shallow", "the paper's shallow network (table 5)")
      .option("--standard-convolution", "the paper's full-convolution twin (table 4)")
      .option("--no-include-top", "leave out the classifier"),
  );
}

/** Builds the network, or loads it. */
export async function networkFrom(flags: NetworkFlags): Promise<Network> {
  const { alpha, rho, resolution, classes, inputChannels, outputStride, padding, channelRounding } = flags;
  const { shallow, standardConvolution, includeTop } = flags;
  const given = withoutUndefined({
    ...{ alpha, rho, resolution, classes, inputChannels, outputStride, padding, channelRounding },
    ...{ shallow, standardConvolution },
    // The parser makes it true where it is not given; that is for a file to say.
    includeTop: includeTop === false ? false : undefined,
  });
  const { weights, signal } = flags;
  if (weights !== undefined) return loadModel(await weightsFrom(weights, signal), { ...given, signal });
  return mobileNetV1<MobileNetV1Options>(given);
}

/** The options that were given. */
export function withoutUndefined<Values extends object>(
  values: Values,
): { [Name in keyof Values]?: Exclude<Values[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** `text` or `markdown`, by the flag. */
export function formatOf({ markdown }: { readonly markdown?: boolean }): "text" | "markdown" {
  return markdown === true ? "markdown" : "text";
}
