/**
 * One picture, from pixels to its place in a batch: crop, flip, colour, range, cutout.
 *
 * Without augmentation the numbers are, to the bit, those that `preprocess` gives of the same picture, so what a network
 * sees in training is what it sees afterwards.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import { isFloat32Array, isUint8Array } from "../../core/realms.ts";
import { type ImageDataLike, type Pixels, toPixels } from "../../images/pixels.ts";
import { cropAndResize } from "../../images/preprocess.ts";
import type { CompleteAugmentation } from "./augmentation.ts";
import { drawFlip, drawHole, drawJitter, drawPart, drawShift, type Occasion, type Part } from "./draws.ts";
import { channelsOf, type PixelImage } from "./example.ts";
import { jitter } from "./jitter.ts";

export interface Preparation {
  readonly input: CompletePreprocessing;
  readonly augment: CompleteAugmentation | undefined;
  /** `height · width · channels` numbers, written and read within one call. */
  readonly scratch: Float32Array;
}

export function preparationOf(input: CompletePreprocessing, augment: CompleteAugmentation | undefined): Preparation {
  const [height, width, channels] = input.inputShape;
  return { input, augment, scratch: new Float32Array(height * width * channels) };
}

/**
 * @param target `height · width · channels` numbers of the network's input; all are written
 * @param name   of the example, for errors
 * @throws {DepthwiseError} `SHAPE_MISMATCH` for float32 that are not of the input's size; `OPTION_INVALID` if their
 *         augmentation needs bytes
 */
export function prepare(
  image: PixelImage,
  occasion: Occasion,
  { input, augment, scratch }: Preparation,
  target: Float32Array,
  name: string,
): void {
  const { data } = image;
  if (isFloat32Array(data)) {
    checkReady(image, input, augment, name);
    const black = (c: number) => scaled(0, c, input);
    gather(data, input.inputShape[2], input, occasion, augment, target, black);
  } else {
    const { values, stride } = fitted({ ...image, data }, occasion, input, augment?.randomResizedCrop);
    gather(values, stride, input, occasion, augment, scratch, () => 0);
    if (augment?.colorJitter !== undefined) {
      jitter(scratch, input.inputShape[2], drawJitter(occasion, augment.colorJitter));
    }
    intoRange(scratch, target, input);
  }
  if (augment?.cutout === undefined) return;
  const [height, width] = input.inputShape;
  cutOut(target, drawHole(occasion, augment.cutout.size, width, height), input);
}

interface Fitted {
  /** 0 to 255, in the size of the network's input; the first of each `stride` numbers is grey, or they are R, G, B. */
  readonly values: Uint8Array | Float32Array;
  readonly stride: number;
}

function fitted(
  image: ImageDataLike,
  occasion: Occasion,
  input: CompletePreprocessing,
  crop: CompleteAugmentation["randomResizedCrop"],
): Fitted {
  const [height, width, channels] = input.inputShape;
  if (crop === undefined) {
    const stride = channelsOf(image);
    const isWhole = input.cropFraction === 1 || input.resize === "stretch";
    // Resizing to the same size changes nothing, and making colour of grey and grey of it neither.
    if (
      isWhole &&
      stride === channels &&
      image.width === width &&
      image.height === height &&
      isUint8Array(image.data)
    ) {
      return { values: image.data, stride };
    }
    return { values: cropAndResize(toPixels(image), input), stride: 3 };
  }
  const pixels = toPixels(image);
  const part = cutPart(pixels, drawPart(occasion, crop, pixels.width, pixels.height));
  return { values: cropAndResize(part, { ...input, resize: "stretch", cropFraction: 1 }), stride: 3 };
}

function cutPart(pixels: Pixels, { left, top, width, height }: Part): Pixels {
  if (width === pixels.width && height === pixels.height) return pixels;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * pixels.width + left);
    data.set(pixels.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { width, height, data };
}

/** Padded crop and flip: each pixel of the target is one of the source, or of the margin. */
function gather(
  values: Uint8Array | Float32Array,
  stride: number,
  { inputShape: [height, width, channels] }: CompletePreprocessing,
  occasion: Occasion,
  augment: CompleteAugmentation | undefined,
  target: Float32Array,
  margin: (channel: number) => number,
): void {
  const [right, down] = augment?.paddedCrop === undefined ? [0, 0] : drawShift(occasion, augment.paddedCrop.padding);
  const isMirror = augment?.paddedCrop?.fill === "reflect";
  const isFlipped = drawFlip(occasion, augment?.flip);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = placeIn(y + down, height, isMirror);
    for (let x = 0; x < width; x++) {
      const column = placeIn((isFlipped ? width - 1 - x : x) + right, width, isMirror);
      if (row < 0 || column < 0) {
        for (let c = 0; c < channels; c++) target[to++] = margin(c);
        continue;
      }
      const from = (row * width + column) * stride;
      for (let c = 0; c < channels; c++) target[to++] = values[from + c] ?? 0;
    }
  }
}

/** Where a place beside the picture is taken from: its mirror, which does not repeat the edge, or −1 for the margin. */
function placeIn(place: number, side: number, isMirror: boolean): number {
  if (place >= 0 && place < side) return place;
  if (!isMirror) return -1;
  return place < 0 ? -place : 2 * (side - 1) - place;
}

/** The formula of `normalize`, for a value of 0 to 255 in channel `c` of the network. */
function scaled(value: number, c: number, { range: [low, high], mean, deviation }: CompletePreprocessing): number {
  return mean === undefined || deviation === undefined
    ? (value / 255) * (high - low) + low
    : (value / 255 - (mean[c] ?? 0)) / (deviation[c] ?? 1);
}

function intoRange(values: Float32Array, target: Float32Array, input: CompletePreprocessing): void {
  const channels = input.inputShape[2];
  const isTurned = channels === 3 && input.channelOrder === "bgr";
  for (let i = 0; i < target.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      target[i + c] = scaled(values[i + (isTurned ? 2 - c : c)] ?? 0, c, input);
    }
  }
}

function cutOut(
  target: Float32Array,
  hole: Part,
  { inputShape, range: [low, high], mean }: CompletePreprocessing,
): void {
  const [, width, channels] = inputShape;
  const middle = mean === undefined ? (low + high) / 2 : 0;
  for (let y = hole.top; y < hole.top + hole.height; y++) {
    const from = (y * width + hole.left) * channels;
    target.fill(middle, from, from + hole.width * channels);
  }
}

function checkReady(
  { width, height, ...image }: PixelImage,
  { inputShape }: CompletePreprocessing,
  augment: CompleteAugmentation | undefined,
  name: string,
): void {
  const found = [height, width, channelsOf({ width, height, ...image })];
  if (found.some((side, axis) => side !== inputShape[axis])) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${name}: float32 values, which are the network's input as they are`,
      expected: `[${inputShape.join(", ")}]`,
      found: `[${found.join(", ")}]`,
      advice: "Bring them to that size, or pass bytes, which are resized.",
      fields: { inputShape, found },
    });
  }
  const kind = (["randomResizedCrop", "colorJitter"] as const).find((each) => augment?.[each] !== undefined);
  if (kind === undefined) return;
  const advice = "Pass bytes, or leave it out.";
  throw optionError("batches", `augment.${kind}`, "pictures of bytes", `float32 values (${name})`, advice);
}
