/** What is drawn for one example of one epoch: where it is cut, whether it is turned, and so on. Numbers alone. */

import { exp, log } from "../../core/elementary.ts";
import type { CompleteAugmentation } from "./augmentation.ts";
import { type Purpose, uniform } from "./randomness.ts";

/** Which example of which epoch of which run. */
export interface Occasion {
  readonly seed: number;
  readonly epoch: number;
  /** Position in the data set. */
  readonly example: number;
}

/** A part of a picture, in pixels. */
export interface CropWindow {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function at({ seed, epoch, example }: Occasion, purpose: Purpose, index = 0): number {
  return uniform(seed, epoch, example, purpose, index);
}

const ATTEMPTS = 10;

/** The part that a random resized crop takes of a picture of `width` × `height` pixels. */
export function drawPart(
  occasion: Occasion,
  { area, aspect }: NonNullable<CompleteAugmentation["randomResizedCrop"]>,
  width: number,
  height: number,
): CropWindow {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const draw = (index: number) => at(occasion, "crop", 4 * attempt + index);
    const pixels = width * height * between(area, draw(0));
    const ratio = between(aspect, draw(1));
    const partWidth = Math.max(1, Math.round(Math.sqrt(pixels * ratio)));
    const partHeight = Math.max(1, Math.round(Math.sqrt(pixels / ratio)));
    if (partWidth > width || partHeight > height) continue;
    const left = Math.floor(draw(2) * (width - partWidth + 1));
    const top = Math.floor(draw(3) * (height - partHeight + 1));
    return { left, top, width: partWidth, height: partHeight };
  }
  const ratio = Math.min(Math.max(width / height, aspect[0]), aspect[1]);
  const partWidth = Math.max(1, Math.min(width, Math.round(height * ratio)));
  const partHeight = Math.max(1, Math.min(height, Math.round(width / ratio)));
  const left = Math.floor((width - partWidth) / 2);
  return { left, top: Math.floor((height - partHeight) / 2), width: partWidth, height: partHeight };
}

function between([low, high]: readonly [number, number], share: number): number {
  return low + (high - low) * share;
}

/** How far a padded crop is moved: right and down, −padding to padding. */
export function drawShift(occasion: Occasion, padding: number): readonly [number, number] {
  const shift = (index: number) => Math.floor(at(occasion, "crop", index) * (2 * padding + 1)) - padding;
  return [shift(0), shift(1)];
}

export function drawFlip(occasion: Occasion, flip: CompleteAugmentation["flip"]): boolean {
  if (flip === undefined) return false;
  if (flip === "random") return at(occasion, "flip") < 0.5;
  const isFirst = at({ ...occasion, epoch: 0 }, "flip") < 0.5;
  return isFirst === (occasion.epoch % 2 === 0);
}

/** Factors of brightness, contrast and saturation, and the turn of the hue. */
export interface JitterFactors {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly hue: number;
}

export function drawJitter(occasion: Occasion, most: NonNullable<CompleteAugmentation["colorJitter"]>): JitterFactors {
  const around = (middle: number, reach: number, index: number) =>
    middle + reach * (2 * at(occasion, "jitter", index) - 1);
  return {
    brightness: around(1, most.brightness, 0),
    contrast: around(1, most.contrast, 1),
    saturation: around(1, most.saturation, 2),
    hue: around(0, most.hue, 3),
  };
}

/** What a cutout takes of an input of `width` × `height`: it may stick out, and is cut there. */
export function drawHole(occasion: Occasion, size: number, width: number, height: number): CropWindow {
  const side = (index: number, whole: number) => {
    const first = Math.floor(at(occasion, "cutout", index) * whole) - (size >> 1);
    return [Math.max(0, first), Math.min(whole, first + size)] as const;
  };
  const [left, right] = side(0, width);
  const [top, bottom] = side(1, height);
  return { left, top, width: right - left, height: bottom - top };
}

/** Of more attempts than this, none was ever needed: half of them succeed at least. */
const MOST_ATTEMPTS = 200;

/**
 * λ from Beta(α, α), α at most 1: u^(1/α) and v^(1/α), drawn until their sum is at most 1, then the share of the first.
 * Source: Jöhnk, 1964. By logarithms, for a small α makes powers of 0.
 */
export function drawMixing(occasion: Occasion, alpha: number): number {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    // Never 0.
    const logOf = (index: number) => log(at(occasion, "mixup", 2 * attempt + index) + 2 ** -33) / alpha;
    const [first, second] = [logOf(0), logOf(1)];
    if (exp(first) + exp(second) > 1) continue;
    const most = Math.max(first, second);
    const [x, y] = [exp(first - most), exp(second - most)];
    return x / (x + y);
  }
  return 1;
}
