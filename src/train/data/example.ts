/** What a data set is made of: pictures and what they show. */

import { type ByteSource, sourceName } from "../../core/bytes.ts";
import { DepthwiseError } from "../../core/errors.ts";
import { isNatural } from "../../core/json.ts";
import { optionError, show } from "../../core/options.ts";
import { isArrayBuffer, isBlob, isFloat32Array, isURL, typedArray } from "../../core/realms.ts";

/** Pixels, rows first, the channels of each beside each other. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Default: what the length of `data` says. */
  readonly channels?: number;
  /**
   * Bytes (or 16 bits, of which the high byte counts) are a picture, and become the network's input as its preprocessing
   * says. Float32 are the network's input already: of its size and range, used as they are.
   */
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;
}

/** Pixels, or an image file: path, URL, Blob or bytes. */
export type ExampleImage = PixelImage | ByteSource;

/** A class by its index, or the share of each class: numbers of at least 0 that add to 1. */
export type ExampleLabel = number | Float32Array;

/** One example of a data set. */
export interface Example {
  readonly image: ExampleImage;
  readonly label: ExampleLabel;
  /** What it is called in reports. */
  readonly name: string;
}

export function isPixelImage(value: unknown): value is PixelImage {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return "width" in value && "height" in value && "data" in value;
}

export function isImageFile(value: unknown): value is ByteSource {
  return (
    typeof value === "string" || ArrayBuffer.isView(value) || isArrayBuffer(value) || isURL(value) || isBlob(value)
  );
}

/** @throws {DepthwiseError} `OPTION_INVALID` for what is no picture, or pixels of no sound size */
export function checkImage(owner: string, image: unknown): asserts image is ExampleImage {
  if (isPixelImage(image)) return checkPixelImage(owner, image);
  if (isImageFile(image)) return;
  const expected = "pixels { width, height, data }, or a path, URL, Blob or bytes of an image file";
  throw optionError(owner, "image", expected, image);
}

function checkPixelImage(owner: string, image: PixelImage): void {
  const array = typedArray(image.data);
  if (!/^(?:Uint(?:8|8Clamped|16)|Float32)Array$/.test(array?.kind ?? "")) {
    throw optionError(owner, "image.data", "a Uint8Array, Uint16Array or Float32Array", image.data);
  }
  const channels = channelsOf(image);
  const isSound = [image.width, image.height].every((side) => Number.isSafeInteger(side) && side > 0);
  // What is the network's input already has as many as that.
  const isChannels =
    [1, 2, 3, 4].includes(channels) || (isFloat32Array(image.data) && isNatural(channels) && channels > 0);
  if (isSound && isChannels && array?.length === image.width * image.height * channels) return;
  const { width, height } = image;
  throw new DepthwiseError("OPTION_INVALID", {
    what: `${owner}: image of ${show(width)} × ${show(height)} pixels`,
    expected: "1 to 4 values a pixel",
    found: `${array?.length ?? 0} values`,
    advice: "Pass width, height and data that belong together.",
    fields: { owner, width, height, length: array?.length ?? 0 },
  });
}

export function channelsOf({ width, height, channels, data }: PixelImage): number {
  return channels ?? data.length / (width * height);
}

/** A name for reports: the file's, or where it stood. */
export function nameOf(image: ExampleImage, index: number): string {
  const isNamed = typeof image === "string" || isURL(image) || (isBlob(image) && "name" in image);
  return isNamed ? sourceName(image) : placeName(index);
}

export function placeName(index: number): string {
  return `example ${index.toLocaleString("en-US")}`;
}

/** Whether values are the network's input already. */
export function isReady(image: PixelImage): boolean {
  return isFloat32Array(image.data);
}
