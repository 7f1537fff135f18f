/** Pixels: red, green, blue, one byte each, rows first. Whatever comes in ends up like this. */

import { isDetached } from "../core/buffers.ts";
import { DepthwiseError } from "../core/errors.ts";
import { allocated } from "../core/memory.ts";
import { optionError, positiveInteger } from "../core/options.ts";
import { isUint8Array, typedArray } from "../core/realms.ts";

/** A decoded image. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `3 · width · height` bytes: R, G, B of each pixel, rows first. */
  readonly data: Uint8Array;
}

/** Most pixels an image has by default, sharp's own limit: beyond it the coordinates of some formats overflow. */
export const MAX_PIXELS = 0x3fff * 0x3fff;

/** `ImageData`, or anything like it. */
export interface ImageDataLike {
  readonly width: number;
  readonly height: number;
  /** 8 bits, or 16 bits of which the high byte counts. */
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Default: what the length of `data` says. */
  readonly channels?: number;
}

/**
 * Brings raw pixels to RGB bytes: grey is tripled, transparent pixels are laid over white, 16 bits lose the low byte.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for sizes that are no positive integers; `IMAGE_UNREADABLE` if the data
 *         are not 1 to 4 channels of that size
 */
export function toPixels(image: ImageDataLike): Pixels {
  return converted(image, false);
}

/** `toPixels` of data that nobody else needs: RGBA becomes RGB where it stands, without a second copy. */
export function overwritten(image: ImageDataLike): Pixels {
  return converted(image, true);
}

/**
 * A copy of pixels that can be `overwritten` later, whatever becomes of them.
 *
 * @throws {DepthwiseError} as `toPixels`
 */
export function copiedImage(image: ImageDataLike): ImageDataLike {
  const { data, ...checked } = checkImage(image);
  const copy = () => (isWide(data) ? new Uint16Array(data) : new Uint8Array(data));
  return { ...checked, data: pixelMemory(data.byteLength, copy) };
}

function checkImage(image: ImageDataLike): Required<ImageDataLike> {
  if (typeof image !== "object" || image === null)
    throw optionError("image", "pixels", "{ width, height, data }", image);
  const owner = "image";
  const width = positiveInteger(owner, "width", image.width);
  const height = positiveInteger(owner, "height", image.height);
  const { data } = image;
  if (!/^Uint(?:8|8Clamped|16)Array$/.test(typedArray(data)?.kind ?? "")) {
    throw optionError(owner, "data", "a Uint8Array, Uint8ClampedArray or Uint16Array", data);
  }
  const count = width * height;
  if (image.channels !== undefined && typeof image.channels !== "number") {
    throw optionError(owner, "channels", "1, 2, 3 or 4", image.channels);
  }
  const length = typedArray(data)?.length ?? 0;
  const channels = image.channels ?? length / count;
  if (![1, 2, 3, 4].includes(channels) || length !== count * channels) {
    throw new DepthwiseError("IMAGE_UNREADABLE", {
      what: `image of ${width} × ${height} pixels`,
      expected:
        image.channels === undefined
          ? `${count}, ${2 * count}, ${3 * count} or ${4 * count} values for 1 to 4 channels`
          : `${count * image.channels} values for ${image.channels} channels, 1 to 4 of them`,
      found: `${length}`,
      advice: "Pass width, height and data that belong together.",
      fields: { width, height, length },
    });
  }
  return { width, height, data, channels };
}

function converted(image: ImageDataLike, mayOverwrite: boolean): Pixels {
  const { width, height, data, channels } = checkImage(image);
  const count = width * height;
  const isBytes = !isWide(data);
  const shift = isBytes ? 0 : 8;
  // Kept, not copied: pixels are never written.
  if (channels === 3 && isUint8Array(data)) return { width, height, data };
  // Three bytes are never written before the four that they come of were read.
  const isInPlace = mayOverwrite && isBytes && channels === 4;
  const rgb = isInPlace
    ? new Uint8Array(data.buffer, data.byteOffset, 3 * count)
    : pixelMemory(3 * count, () => new Uint8Array(3 * count));
  const hasAlpha = channels % 2 === 0;
  const green = channels > 2 ? 1 : 0;
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels, to += 3) {
    const alpha = hasAlpha ? (data[from + channels - 1] ?? 0) >> shift : 255;
    rgb[to] = overWhite((data[from] ?? 0) >> shift, alpha);
    rgb[to + 1] = overWhite((data[from + green] ?? 0) >> shift, alpha);
    rgb[to + 2] = overWhite((data[from + 2 * green] ?? 0) >> shift, alpha);
  }
  return { width, height, data: rgb };
}

/** 16 bits a value. */
function isWide(data: ImageDataLike["data"]): data is Uint16Array {
  return typedArray(data)?.kind === "Uint16Array";
}

function pixelMemory<Made>(bytes: number, make: () => Made): Made {
  return allocated("image: its pixels", bytes, "Pass a smaller image, or fewer at a time.", make);
}

/**
 * Requires pixels as `toPixels` and `decodeImage` give them.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `IMAGE_UNREADABLE` if the data are not three bytes for each pixel
 */
export function checkPixels(owner: string, pixels: unknown): void {
  const advice = "Bring other pixels to RGB with toPixels first.";
  if (typeof pixels !== "object" || pixels === null) {
    throw optionError(owner, "pixels", "{ width, height, data }", pixels, advice);
  }
  const { width, height, data } = pixels as Partial<Pixels>;
  const count = 3 * positiveInteger(owner, "width", width) * positiveInteger(owner, "height", height);
  if (!isUint8Array(data)) {
    throw optionError(owner, "data", "a Uint8Array", data, advice);
  }
  if (data.length === count) return;
  throw new DepthwiseError("IMAGE_UNREADABLE", {
    what: `${owner}: image of ${width} × ${height} pixels`,
    expected: `${count} bytes, R, G and B of each`,
    found: isDetached(data.buffer) ? "none, for their buffer was transferred" : `${data.length}`,
    advice,
    fields: { width, height, length: data.length },
  });
}

/**
 * Refuses an image that is too large, before memory is asked for.
 *
 * @param name what the image is called in the error
 * @throws {DepthwiseError} `IMAGE_TOO_LARGE`
 */
export function checkPixelCount(name: string, width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new DepthwiseError("IMAGE_TOO_LARGE", {
    what: name,
    expected: `at most ${maxPixels.toLocaleString("en-US")} pixels`,
    found: `${width} × ${height}`,
    advice: "Make it smaller first, or pass a larger maxPixels. Nothing was decoded.",
    fields: { file: name, width, height, maxPixels },
  });
}

/** Rounded half up; the same bytes as Pillow's `alpha_composite` on white gives, for every value and alpha. */
function overWhite(value: number, alpha: number): number {
  return alpha === 255 ? value : Math.floor((value * alpha + 255 * (255 - alpha)) / 255 + 0.5);
}
