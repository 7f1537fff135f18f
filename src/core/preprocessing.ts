/** How an image becomes a network's input, as plain data: the type, the checks and the defaults. */

import { DepthwiseError } from "./errors.ts";
import { checkKnownOptions, oneOf, optionError, positiveInteger, show } from "./options.ts";

/** How an image becomes the input of a network: resize, crop, then the range of its numbers. */
export interface Preprocessing {
  /**
   * `shorterSide` (default): the shorter side to `size / cropFraction`, the longer in proportion, then the centre.
   * `stretch`: straight to the size, the aspect is not kept. `cropThenStretch`: the central `cropFraction` of the
   * image, stretched (TF-slim's evaluation).
   */
  readonly resize?: "shorterSide" | "stretch" | "cropThenStretch";
  /** `antialiased` (default): as Pillow's BILINEAR. `plain`: two taps, TensorFlow's half-pixel bilinear. */
  readonly filter?: "antialiased" | "plain";
  /** Share of the side that the crop keeps, above 0 and at most 1. Default 0.875. */
  readonly cropFraction?: number;
  /** What bytes 0 and 255 become. Default [-1, 1]. */
  readonly range?: readonly [number, number];
  /** One for each channel, in the network's order; applied to byte / 255 in place of `range`, with `deviation`. */
  readonly mean?: readonly number[];
  readonly deviation?: readonly number[];
  /** Default `rgb`; Caffe's networks want `bgr`. */
  readonly channelOrder?: "rgb" | "bgr";
}

/** Completed, with the size of the network's input. */
export interface CompletePreprocessing extends Required<Omit<Preprocessing, "mean" | "deviation">> {
  /** `[height, width, channels]`; channels 1 or 3. */
  readonly inputShape: readonly [number, number, number];
  readonly mean: readonly number[] | undefined;
  readonly deviation: readonly number[] | undefined;
}

/** What holds where a description says nothing. */
export const DEFAULT_PREPROCESSING = {
  channelOrder: "rgb",
  resize: "shorterSide",
  filter: "antialiased",
  cropFraction: 0.875,
  range: [-1, 1],
} as const satisfies Preprocessing;

const KNOWN = ["resize", "filter", "cropFraction", "range", "mean", "deviation", "channelOrder"];

/**
 * Checks a description of unknown origin.
 *
 * @param owner    what it is called in errors: `mobileNetV1: preprocessing`
 * @param channels of the network, where they are known: as many means and deviations there must be
 * @returns a copy of what is said, in the order in which it is said
 * @throws {DepthwiseError} `OPTION_INVALID`, with the nearest name for one that is not known
 */
export function checkPreprocessing(owner: string, description: unknown, channels?: number): Preprocessing {
  if (typeof description !== "object" || description === null || Array.isArray(description)) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: owner,
      expected: "an object such as { range: [-1, 1] }",
      found: show(description),
      fields: { owner, found: description },
    });
  }
  checkKnownOptions(owner, description, KNOWN);
  const { resize, filter, cropFraction, range, mean, deviation, channelOrder } = description as Preprocessing;
  if (resize !== undefined) oneOf(owner, "resize", resize, ["shorterSide", "stretch", "cropThenStretch"]);
  if (filter !== undefined) oneOf(owner, "filter", filter, ["antialiased", "plain"]);
  if (channelOrder !== undefined) oneOf(owner, "channelOrder", channelOrder, ["rgb", "bgr"]);
  if (cropFraction !== undefined && !(typeof cropFraction === "number" && cropFraction > 0 && cropFraction <= 1)) {
    throw optionError(owner, "cropFraction", "a number above 0 and at most 1", cropFraction);
  }
  if (range !== undefined && !isNumbers(range, 2)) throw optionError(owner, "range", "[low, high]", range);
  if ((mean === undefined) !== (deviation === undefined)) {
    const missing = mean === undefined ? "mean" : "deviation";
    throw optionError(owner, missing, "to be given with the other of the two", undefined);
  }
  const count = channels ?? (Array.isArray(mean) ? Math.max(1, mean.length) : 1);
  if (mean !== undefined && !isNumbers(mean, count)) throw optionError(owner, "mean", `${count} numbers`, mean);
  if (deviation !== undefined && !(isNumbers(deviation, count) && deviation.every((value) => value > 0))) {
    throw optionError(owner, "deviation", `${count} numbers above 0`, deviation);
  }
  const said = Object.entries(description).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said.map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]));
}

/**
 * Checks a description and fills in the defaults.
 *
 * @param inputShape `[height, width, channels]` of the network
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
export function completePreprocessing(
  inputShape: readonly number[],
  description: Preprocessing = {},
): CompletePreprocessing {
  const owner = "preprocessing";
  if (!Array.isArray(inputShape)) throw optionError(owner, "inputShape", "[height, width, channels]", inputShape);
  const [height, width, channels] = inputShape;
  if (inputShape.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw optionError(owner, "inputShape", "[height, width, 1 or 3]: images are grey or RGB", [...inputShape]);
  }
  const { mean, deviation, ...rest } = checkPreprocessing(owner, description, channels);
  return {
    ...DEFAULT_PREPROCESSING,
    ...rest,
    inputShape: [positiveInteger(owner, "height", height), positiveInteger(owner, "width", width), channels],
    mean,
    deviation,
  };
}

function isNumbers(value: unknown, length: number): value is readonly number[] {
  if (!Array.isArray(value) || value.length !== length) return false;
  // A hole is no number, but `every` passes over it.
  for (const entry of value) if (!Number.isFinite(entry)) return false;
  return true;
}
