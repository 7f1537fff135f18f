/** Augmentation as plain data, which a recipe in JSON can hold: the type, the checks and the defaults. */

import { checkKnownOptions, oneOf, optionError, positiveInteger } from "../../core/options.ts";
import type { CompletePreprocessing } from "../../core/preprocessing.ts";

/**
 * What is done to each picture of each epoch, in this order: crop, flip, colour, cutout, mixup. What is left out is not
 * done. Every number is counted from seed, epoch and example, so none depends on the order of work.
 */
export interface Augmentation {
  /**
   * A part of the picture, stretched to the network's input: `area` of it (default [0.08, 1]), with the ratio of its
   * sides, width to height, in `aspect` (default [3/4, 4/3]), both drawn evenly; after ten parts that do not fit, the
   * largest in the middle. Source: Szegedy et al., 2015; the even draw is that of TensorFlow's training.
   */
  readonly randomResizedCrop?:
    | { readonly area?: readonly [number, number]; readonly aspect?: readonly [number, number] }
    | undefined;
  /**
   * The network's input, with `padding` pixels more on each side, cut to its size again anywhere. The margin is `black`
   * (default) or a mirror of the picture, `reflect`. Not with `randomResizedCrop`.
   */
  readonly paddedCrop?: { readonly padding: number; readonly fill?: "black" | "reflect" } | undefined;
  /**
   * Left for right. `random`: each time by chance; `alternating`: in every other epoch, by chance at first, so that two
   * epochs show both. Source of the second: Keller Jordan, 2024.
   */
  readonly flip?: "random" | "alternating" | undefined;
  /**
   * Factors drawn evenly from 1 − v to 1 + v, for `brightness`, `contrast` (from the mean grey) and `saturation` (from
   * each pixel's grey), and a turn of `hue` from −v to v of the whole circle; in this order, cut to 0 to 255 after each.
   * Hue and saturation do nothing to a network of one channel. Bytes only.
   */
  readonly colorJitter?:
    | {
        readonly brightness?: number;
        readonly contrast?: number;
        readonly saturation?: number;
        readonly hue?: number;
      }
    | undefined;
  /**
   * A square of `size` pixels of the network's input, with its centre anywhere in it, becomes the middle of its range (0
   * where there are mean and deviation). Source: DeVries and Taylor, 2017.
   */
  readonly cutout?: { readonly size: number } | undefined;
  /**
   * Each picture is mixed with the next one of its batch, and so are their labels: λ of it, 1 − λ of the other, λ drawn
   * from Beta(`alpha`, `alpha`), `alpha` above 0 and at most 1. Source: Zhang et al., 2018.
   */
  readonly mixup?: { readonly alpha: number } | undefined;
}

/** Checked, with defaults. */
export interface CompleteAugmentation {
  readonly randomResizedCrop:
    | { readonly area: readonly [number, number]; readonly aspect: readonly [number, number] }
    | undefined;
  readonly paddedCrop: { readonly padding: number; readonly fill: "black" | "reflect" } | undefined;
  readonly flip: "random" | "alternating" | undefined;
  readonly colorJitter:
    | { readonly brightness: number; readonly contrast: number; readonly saturation: number; readonly hue: number }
    | undefined;
  readonly cutout: { readonly size: number } | undefined;
  readonly mixup: { readonly alpha: number } | undefined;
}

const KINDS = ["randomResizedCrop", "paddedCrop", "flip", "colorJitter", "cutout", "mixup"];

/**
 * @param owner what it is called in errors
 * @param input of the network
 * @throws {DepthwiseError} `OPTION_INVALID`, with the nearest name for one that is not known
 */
export function completeAugmentation(
  owner: string,
  augment: Augmentation,
  { inputShape: [height, width] }: CompletePreprocessing,
): CompleteAugmentation {
  checkKnownOptions(`${owner}: augment`, augment, KINDS);
  const { randomResizedCrop, paddedCrop, flip, colorJitter, cutout, mixup } = augment;
  if (randomResizedCrop !== undefined && paddedCrop !== undefined) {
    const advice = "Give one of the two: both cut the picture.";
    throw optionError(owner, "augment", "one crop", "randomResizedCrop and paddedCrop", advice);
  }
  return {
    randomResizedCrop: given(randomResizedCrop, (crop) => completeResizedCrop(owner, crop)),
    paddedCrop: given(paddedCrop, (crop) => completePaddedCrop(owner, crop, Math.min(height, width))),
    flip: given(flip, (name) => oneOf(owner, "augment.flip", name, ["random", "alternating"])),
    colorJitter: given(colorJitter, (most) => completeJitter(owner, most)),
    cutout: given(cutout, (hole) => ({
      size: positiveInteger(owner, "augment.cutout.size", known(owner, "cutout", hole, ["size"]).size),
    })),
    mixup: given(mixup, (mixing) => ({ alpha: alphaOf(owner, known(owner, "mixup", mixing, ["alpha"]).alpha) })),
  };
}

/** What is not undefined is checked: null, 0 and "" are mistakes. */
function given<Kind, Complete>(value: Kind | undefined, complete: (value: Kind) => Complete): Complete | undefined {
  return value === undefined ? undefined : complete(value);
}

function known<Kind extends object>(owner: string, kind: string, value: Kind, keys: readonly string[]): Kind {
  checkKnownOptions(`${owner}: augment.${kind}`, value, keys);
  return value;
}

function bounds(owner: string, option: string, value: unknown, most: number): readonly [number, number] {
  const [low, high] = Array.isArray(value) && value.length === 2 ? value : [];
  if (typeof low === "number" && typeof high === "number" && low > 0 && low <= high && high <= most) {
    if (high < Infinity) return [low, high];
  }
  const expected = `[low, high], above 0${most === 1 ? " and at most 1" : ""}`;
  throw optionError(owner, `augment.${option}`, expected, value);
}

function completeResizedCrop(owner: string, crop: NonNullable<Augmentation["randomResizedCrop"]>) {
  const { area = [0.08, 1], aspect = [3 / 4, 4 / 3] } = known(owner, "randomResizedCrop", crop, ["area", "aspect"]);
  return {
    area: bounds(owner, "randomResizedCrop.area", area, 1),
    aspect: bounds(owner, "randomResizedCrop.aspect", aspect, Infinity),
  };
}

function completePaddedCrop(owner: string, crop: NonNullable<Augmentation["paddedCrop"]>, side: number) {
  const { padding, fill = "black" } = known(owner, "paddedCrop", crop, ["padding", "fill"]);
  positiveInteger(owner, "augment.paddedCrop.padding", padding);
  if (padding >= side) {
    throw optionError(owner, "augment.paddedCrop.padding", `below ${side}, the side of the network's input`, padding);
  }
  return { padding, fill: oneOf(owner, "augment.paddedCrop.fill", fill, ["black", "reflect"]) };
}

function completeJitter(owner: string, factors: NonNullable<Augmentation["colorJitter"]>) {
  known(owner, "colorJitter", factors, ["brightness", "contrast", "saturation", "hue"]);
  const upTo = (option: "brightness" | "contrast" | "saturation" | "hue", most: number) => {
    const value: unknown = factors[option] ?? 0;
    if (typeof value === "number" && value >= 0 && value <= most) return value;
    throw optionError(owner, `augment.colorJitter.${option}`, `a number of 0 to ${most}`, value);
  };
  return {
    brightness: upTo("brightness", 1),
    contrast: upTo("contrast", 1),
    saturation: upTo("saturation", 1),
    hue: upTo("hue", 0.5),
  };
}

function alphaOf(owner: string, alpha: unknown): number {
  if (typeof alpha === "number" && alpha > 0 && alpha <= 1) return alpha;
  throw optionError(owner, "augment.mixup.alpha", "a number above 0 and at most 1", alpha);
}
