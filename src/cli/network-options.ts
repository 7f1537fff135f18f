/** The options by which commands name a network: those of the builder, or a file. */

import { type Command, InvalidArgumentError, Option } from "commander";
import type { Network } from "../layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../models/index.ts";
import { loadModel } from "../weights/load-model.ts";

export interface NetworkFlags extends MobileNetV1Options {
  readonly weights?: string;
  readonly signal: AbortSignal;
}

/** Adds the options; each has the name it has in the library. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option("--alpha <number>", "width multiplier (default 1)", toNumber)
    .option("--rho <number>", "resolution multiplier: resolution = round(224 · rho)", toNumber)
    .option("--resolution <pixels>", "side of the input (default 224)", toNumber)
    .option("--classes <count>", "number of outputs (default 1000)", toNumber)
    .option("--input-channels <count>", "channels of the input (default 3)", toNumber)
    .option("--output-stride <stride>", "8, 16 or 32: later strides become dilation", toNumber)
    .addOption(new Option("--padding <style>", "how 3 × 3 layers pad").choices(["same", "keras", "symmetric"]))
    .addOption(
      new Option("--channel-rounding <rule>", "how widths are rounded").choices(["truncate", "floor", "divisible8"]),
    )
    .option("--shallow", "the paper's shallow network (table 5)")
    .option("--standard-convolution", "the paper's full-convolution twin (table 4)")
    .option("--no-include-top", "leave out the classifier")
    .option("--weights <file>", `take the network from weights instead: ${WEIGHTS}`);
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
  if (flags.weights !== undefined) return loadModel(flags.weights, { ...given, signal: flags.signal });
  return mobileNetV1<MobileNetV1Options>(given);
}

/** What weights may be, for the help. */
export const WEIGHTS = "a file, a directory, an address, keras:mobilenet_1_0_224_tf or hf:owner/name";

/** A number of the command line. */
export function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("It is not a number.");
  return value;
}

const THOUSANDS: Readonly<Record<string, number>> = { "": 0, k: 3, m: 6, g: 9, b: 9 };

/** A count as people write it: `100M`, `569e6`, `1.2B`. */
export function toCount(text: string): number {
  const [, digits, power = "0", unit = ""] = /^\s*([+-]?[\d.]+)(?:e([+-]?\d+))?\s*([kmgb]?)\s*$/i.exec(text) ?? [];
  // By its exponent and not by a product, which would make 2.3M a little less.
  const value = Number(`${digits}e${Number(power) + (THOUSANDS[unit.toLowerCase()] ?? 0)}`);
  if (Number.isNaN(value)) throw new InvalidArgumentError("It is not a number, alone or with k, M, G or B: 100M.");
  return value;
}

/** A number of bytes as people write it: `6MB`, `6M`, `6MiB`. */
export function toBytes(text: string): number {
  const [, digits = "", unit = "", isBinary] = /^\s*([^a-z]+(?:e[+-]?\d+)?)\s*([kmg]?)(i?)b?\s*$/i.exec(text) ?? [];
  const power = THOUSANDS[unit.toLowerCase()] ?? 0;
  const isWrong = isBinary !== "" && unit === "";
  const value = isBinary
    ? Math.round(Number(digits) * 2 ** ((10 * power) / 3))
    : Number(digits && toCount(digits + unit));
  if (digits === "" || isWrong || Number.isNaN(value)) {
    throw new InvalidArgumentError("It is not a number of bytes, such as 6000000, 6MB or 6MiB.");
  }
  return value;
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
