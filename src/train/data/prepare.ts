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
import type { CompleteAugmentation } from "./augmentation.ts";
import { type CropWindow, drawFlip, drawHole, drawJitter, drawShift, type Occasion } from "./draws.ts";
import { channelsOf, type PixelImage } from "./example.ts";
import { fitted } from "./fitted.ts";
import { isOfPictures } from "./input.ts";
import { jitter } from "./jitter.ts";
import { type Stretch, stretcher } from "./resample.ts";

export interface Preparation {
  readonly input: CompletePreprocessing;
  readonly augment: CompleteAugmentation | undefined;
  /** What bytes 0 to 255 become, 256 numbers for each channel of the network. */
  readonly table: Float32Array;
  readonly stretch: Stretch;
  /** Written and read within one call: an input of the network, and where its columns are taken from. */
  readonly scratch: Float32Array;
  readonly columns: Int32Array;
}

export function preparationOf(input: CompletePreprocessing, augment: CompleteAugmentation | undefined): Preparation {
  const [height, width, channels] = input.inputShape;
  return {
    input,
    augment,
    table: Float32Array.from({ length: 256 * channels }, (_, i) => scaled(i & 255, i >> 8, input)),
    stretch: stretcher(width, height),
    scratch: new Float32Array(height * width * channels),
    columns: new Int32Array(width),
  };
}

/**
 * @param target `height · width · channels` numbers of the network's input; all are written
 * @param name   of the example, for errors
 * @throws {DepthwiseError} `SHAPE_MISMATCH` for float32 that are not of the input's size, and for a picture where that is
 *         of other than 1 or 3 channels; `OPTION_INVALID` if their
 *         augmentation needs bytes
 */
export function prepare(
  image: PixelImage,
  occasion: Occasion,
  preparation: Preparation,
  target: Float32Array,
  name: string,
): void {
  const { input, augment, table, scratch, stretch } = preparation;
  const [height, width, channels] = input.inputShape;
  const { data } = image;
  if (isFloat32Array(data)) {
    checkReady(image, input, augment, name);
    gather(data, channels, occasion, preparation, target, (c) => scaled(0, c, input));
  } else {
    if (!isOfPictures(input.inputShape)) throw notReady(name, input, "a picture, which is grey or RGB");
    const { values, stride } = fitted({ ...image, data }, occasion, input, augment?.randomResizedCrop, stretch);
    if (augment?.colorJitter === undefined && isUint8Array(values)) {
      throughTable(values, stride, occasion, preparation, table, target);
    } else {
      gather(values, stride, occasion, preparation, scratch, () => 0);
      if (augment?.colorJitter !== undefined) jitter(scratch, channels, drawJitter(occasion, augment.colorJitter));
      intoRange(scratch, target, input);
    }
  }
  if (augment?.cutout !== undefined) cutOut(target, drawHole(occasion, augment.cutout.size, width, height), input);
}

/** Where rows and columns of the target are taken from: padded crop and flip. −1 is the margin. */
function placesOf(occasion: Occasion, { input, augment, columns }: Preparation) {
  const [height, width] = input.inputShape;
  const [right, down] = augment?.paddedCrop === undefined ? [0, 0] : drawShift(occasion, augment.paddedCrop.padding);
  const isMirror = augment?.paddedCrop?.fill === "reflect";
  const isFlipped = drawFlip(occasion, augment?.flip);
  for (let x = 0; x < width; x++) columns[x] = placeIn((isFlipped ? width - 1 - x : x) + right, width, isMirror);
  return { columns, rowOf: (y: number) => placeIn(y + down, height, isMirror) };
}

/** Bytes to the network's range at once: what most pictures take. */
function throughTable(
  values: Uint8Array,
  stride: number,
  occasion: Occasion,
  preparation: Preparation,
  table: Float32Array,
  target: Float32Array,
): void {
  const { columns, rowOf } = placesOf(occasion, preparation);
  const { inputShape, channelOrder } = preparation.input;
  const [height, width, channels] = inputShape;
  const [first, last] = channelOrder === "bgr" ? [2, 0] : [0, 2];
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = rowOf(y);
    for (let x = 0; x < width; x++) {
      const column = columns[x] ?? 0;
      const isMargin = row < 0 || column < 0;
      const from = (row * width + column) * stride;
      if (channels === 1) {
        target[to++] = table[isMargin ? 0 : (values[from] ?? 0)] ?? 0;
      } else {
        target[to] = table[isMargin ? 0 : (values[from + first] ?? 0)] ?? 0;
        target[to + 1] = table[256 + (isMargin ? 0 : (values[from + 1] ?? 0))] ?? 0;
        target[to + 2] = table[512 + (isMargin ? 0 : (values[from + last] ?? 0))] ?? 0;
        to += 3;
      }
    }
  }
}

/** The same without a change of the values. */
function gather(
  values: Uint8Array | Float32Array,
  stride: number,
  occasion: Occasion,
  preparation: Preparation,
  target: Float32Array,
  margin: (channel: number) => number,
): void {
  const { columns, rowOf } = placesOf(occasion, preparation);
  const [height, width, channels] = preparation.input.inputShape;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = rowOf(y);
    for (let x = 0; x < width; x++) {
      const column = columns[x] ?? 0;
      const from = (row * width + column) * stride;
      for (let c = 0; c < channels; c++) target[to++] = row < 0 || column < 0 ? margin(c) : (values[from + c] ?? 0);
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
  hole: CropWindow,
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
  if (found.some((side, axis) => side !== inputShape[axis]))
    throw notReady(name, { inputShape }, `[${found.join(", ")}]`);
  const { length } = image.data;
  if (length !== inputShape[0] * inputShape[1] * inputShape[2])
    throw notReady(name, { inputShape }, `${length} of them`);
  const kind = (["randomResizedCrop", "colorJitter"] as const).find((each) => augment?.[each] !== undefined);
  if (kind === undefined) return;
  const advice = "Pass bytes, or leave it out.";
  throw optionError("batches", `augment.${kind}`, "pictures of bytes", `float32 values (${name})`, advice);
}

function notReady(
  name: string,
  { inputShape }: Pick<CompletePreprocessing, "inputShape">,
  found: string,
): DepthwiseError {
  return new DepthwiseError("SHAPE_MISMATCH", {
    what: `${name}: float32 values, which are the network's input as they are`,
    expected: `[${inputShape.join(", ")}]`,
    found,
    advice: "Bring them to that size, or pass bytes, which are resized.",
    fields: { inputShape, found },
  });
}
