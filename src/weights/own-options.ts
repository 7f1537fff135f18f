/** What a caller may say of a network that a file spells out, layer by layer; loaded when a caller says anything. */

import { DepthwiseError, listed } from "../core/errors.ts";
import { fileError } from "../core/file-error.ts";
import { didYouMean } from "../core/nearest.ts";
import { show } from "../core/options.ts";
import { given as givenFact } from "../formats/fact.ts";
import type { Network } from "../layers/network.ts";
import { sizeOption } from "../models/index.ts";
import { SOURCE_OPTIONS } from "../sources/index.ts";
import { type Refused, whyNone } from "../understand/architecture.ts";
import type { ArchitectureOptions } from "../understand/architectures/table.ts";
import type { Facts } from "../understand/facts.ts";

/** What is said of its input and its classes is kept with the network. */
export type OwnOptions = Pick<ArchitectureOptions, "preprocessing" | "labels" | "background">;

const SAID: readonly string[] = ["preprocessing", "labels", "background"] satisfies (keyof OwnOptions)[];
const SIZES: readonly string[] = ["inputSize", "resolution", "rho"] satisfies (keyof ArchitectureOptions)[];

/** What the caller says of a network of its own. */
export interface AskedOptions {
  readonly options: OwnOptions;
  /**
   * The same as facts, once the network is there.
   *
   * @throws {DepthwiseError} `CLASSES_MISMATCH` for labels that do not fit; `OPTION_INVALID` for another size than that
   *         of the network, and for `includeTop` of one that has no classifier
   */
  factsOf(network: Network): Facts;
}

/**
 * @param known    the options of all builders
 * @param refusals why it is none of the architectures, if that was looked for
 * @throws {DepthwiseError} `OPTION_INVALID` for an option of an architecture's builder, or that there is not
 */
export function ownOptions(
  given: ArchitectureOptions,
  known: readonly string[],
  name: string,
  refusals?: readonly Refused[],
): AskedOptions {
  for (const [option, value] of Object.entries(given)) {
    if (!known.includes(option)) throw unknown(option);
    const isOwn = SAID.includes(option) || SIZES.includes(option) || (option === "includeTop" && value === true);
    if (!isOwn) throw refused(option, "none", value, name, refusals);
  }
  const options: OwnOptions = Object.fromEntries(Object.entries(given).filter(([option]) => SAID.includes(option)));
  return {
    options,
    factsOf(network) {
      checkAskedLabels(network, options, name);
      return givenFacts(given, network, name, refusals);
    },
  };
}

function givenFacts(
  given: ArchitectureOptions,
  { inputShape, outputs }: Network,
  name: string,
  refusals?: readonly Refused[],
): Facts {
  const hasTop = Object.hasOwn(outputs, "logits") || Object.hasOwn(outputs, "probabilities");
  if (given.includeTop !== undefined && !hasTop)
    throw refused("includeTop", "none: it has no classifier", true, name, refusals);
  const size = sizeOption("loadModel", given);
  const [height, width] = inputShape.length === 3 ? inputShape : [];
  if (size !== undefined && (size[0] !== height || size[1] !== width)) {
    const option = SIZES.find((one) => Object.hasOwn(given, one)) ?? "inputSize";
    const expected = height === undefined ? "none: it reads no image" : `${height} × ${width}, as the file says`;
    throw refused(option, expected, given[option as keyof ArchitectureOptions], name, refusals);
  }
  const said = Object.entries(given).filter(([option]) => !SIZES.includes(option));
  return {
    ...Object.fromEntries(said.map(([option, value]) => [option, givenFact(value)])),
    ...(size === undefined ? {} : { inputSize: givenFact(size) }),
  };
}

/** Of a row of classes; what a network gives for each pixel, or of something else, may bear any names. */
function checkAskedLabels({ outputs, shapes }: Network, { labels }: OwnOptions, name: string): void {
  const named: Readonly<Record<string, string>> = outputs;
  const [classes, another] = shapes.get(named["probabilities"] ?? named["logits"] ?? "") ?? [];
  if (!Array.isArray(labels) || classes === undefined || another !== undefined || labels.length === classes) return;
  throw fileError("CLASSES_MISMATCH", name, "labels (an option of the call)", "Pass the labels of this network.", {
    expected: `${classes}, one for each class`,
    found: `${labels.length}`,
    fields: { classes, labels: labels.length },
  });
}

function unknown(option: string): DepthwiseError {
  const known = [...SAID, ...SIZES, ...SOURCE_OPTIONS];
  return new DepthwiseError("OPTION_INVALID", {
    what: `loadModel: unknown option "${option}"`,
    advice: `${didYouMean(option, known)} A network of its own has ${listed(known, ", ", known.length)}.`.trimStart(),
    fields: { owner: "loadModel", option, known },
  });
}

function refused(
  option: string,
  expected: string,
  found: unknown,
  file: string,
  refusals?: readonly Refused[],
): DepthwiseError {
  const why = refusals === undefined ? "" : ` (${whyNone(refusals)})`;
  const reason = refusals?.map((refusal) => refusal.reason).join("; ");
  return new DepthwiseError("OPTION_INVALID", {
    what: `loadModel: ${option}`,
    expected,
    found: show(found),
    advice: `${file} describes a network of its own, layer by layer${why}.`,
    fields: { owner: "loadModel", option, found, file, ...(reason === undefined ? {} : { reason }) },
  });
}
