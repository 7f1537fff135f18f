/** What a caller may say of a network that a file spells out, layer by layer. */

import { DepthwiseError } from "../core/errors.ts";
import { show } from "../core/options.ts";
import { given as givenFact } from "../formats/fact.ts";
import type { Network } from "../layers/network.ts";
import { type MobileNetV1Options, sizeOption } from "../models/index.ts";
import type { Facts } from "../understand/facts.ts";

/** What is said of its input and its classes is kept with the network. */
export type OwnOptions = Pick<MobileNetV1Options, "preprocessing" | "labels" | "background">;

const SAID: readonly string[] = ["preprocessing", "labels", "background"] satisfies (keyof OwnOptions)[];
const SIZES: readonly string[] = ["inputSize", "resolution", "rho"] satisfies (keyof MobileNetV1Options)[];

/**
 * @param reason why it is no MobileNet V1, if that was looked for
 * @throws {DepthwiseError} `OPTION_INVALID` for an option that builds a MobileNet V1
 */
export function ownOptions(given: MobileNetV1Options, name: string, reason?: string): OwnOptions {
  for (const [option, value] of Object.entries(given)) {
    const isKnown = SAID.includes(option) || SIZES.includes(option) || (option === "includeTop" && value === true);
    if (!isKnown) throw refused(option, "none", value, name, reason);
  }
  return Object.fromEntries(Object.entries(given).filter(([option]) => SAID.includes(option)));
}

/**
 * What the caller says, as facts, once the network is there.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for another size than that of the network, and for `includeTop` of one that
 *         has no classifier
 */
export function givenFacts(
  given: MobileNetV1Options,
  { inputShape, outputs }: Network,
  name: string,
  reason?: string,
): Facts {
  const hasTop = Object.hasOwn(outputs, "logits") || Object.hasOwn(outputs, "probabilities");
  if (given.includeTop !== undefined && !hasTop)
    throw refused("includeTop", "none: it has no classifier", true, name, reason);
  const size = sizeOption(given);
  const [height, width] = inputShape.length === 3 ? inputShape : [];
  if (size !== undefined && (size[0] !== height || size[1] !== width)) {
    const option = SIZES.find((one) => Object.hasOwn(given, one)) ?? "inputSize";
    const expected = height === undefined ? "none: it reads no image" : `${height} × ${width}, as the file says`;
    throw refused(option, expected, given[option as keyof MobileNetV1Options], name, reason);
  }
  const said = Object.entries(given).filter(([option]) => !SIZES.includes(option));
  return {
    ...Object.fromEntries(said.map(([option, value]) => [option, givenFact(value)])),
    ...(size === undefined ? {} : { inputSize: givenFact(size) }),
  };
}

function refused(option: string, expected: string, found: unknown, file: string, reason?: string): DepthwiseError {
  const why = reason === undefined ? "" : ` (no MobileNet V1: ${reason})`;
  return new DepthwiseError("OPTION_INVALID", {
    what: `loadModel: ${option}`,
    expected,
    found: show(found),
    advice: `${file} describes a network of its own, layer by layer${why}.`,
    fields: { owner: "loadModel", option, found, file, ...(reason === undefined ? {} : { reason }) },
  });
}
