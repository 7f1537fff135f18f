/** From a picture of any size to one of the network's: the part that is taken of it, stretched. Still bytes. */

import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import { isUint8Array } from "../../core/realms.ts";
import { type ImageDataLike, type Pixels, toPixels } from "../../images/pixels.ts";
import { cropAndResize } from "../../images/preprocess.ts";
import type { CompleteAugmentation } from "./augmentation.ts";
import { type CropWindow, drawPart, type Occasion } from "./draws.ts";
import { channelsOf } from "./example.ts";
import type { Bytes, Geometry, Stretch } from "./resample.ts";

/** A picture in the size of the network's input. */
export interface Fitted {
  /** 0 to 255; the first of each `stride` numbers is grey, or they are R, G, B. The stretcher's, or the picture's own. */
  readonly values: Uint8Array | Float32Array;
  readonly stride: number;
}

/** Without a crop of chance, what `cropAndResize` gives, to the byte. */
export function fitted(
  image: ImageDataLike,
  occasion: Occasion,
  input: CompletePreprocessing,
  crop: CompleteAugmentation["randomResizedCrop"],
  stretch: Stretch,
): Fitted {
  const part = crop && drawPart(occasion, crop, image.width, image.height);
  if (input.filter === "plain") {
    if (part === undefined) return { values: cropAndResize(toPixels(image), input), stride: 3 };
    const whole = { ...input, resize: "stretch", cropFraction: 1 } as const;
    return { values: cropAndResize(cutPart(toPixels(image), part), whole), stride: 3 };
  }
  const [height, width, channels] = input.inputShape;
  const geometry = part === undefined ? geometryOf(image, input) : stretched(part, width, height);
  const stride = channelsOf(image);
  const isWhole = image.data.length === image.width * image.height * stride;
  if (isWhole && stride === channels && isUint8Array(image.data)) {
    // Resizing to the same size changes nothing.
    if (isIdentity(image, geometry, width, height)) return { values: image.data, stride };
    return { values: stretch({ ...image, channels, data: image.data }, geometry), stride };
  }
  const pixels = toPixels(image);
  if (channels === 3) return { values: stretch({ ...pixels, channels }, geometry), stride: 3 };
  const place = { ...geometry.part, left: 0, top: 0 };
  return { values: stretch(greyPart(pixels, geometry.part), { ...geometry, part: place }), stride: 1 };
}

function stretched(part: CropWindow, width: number, height: number): Geometry {
  return { part, full: { width, height }, left: 0, top: 0 };
}

/** The geometry of `preprocess`. */
function geometryOf(
  { width: imageWidth, height: imageHeight }: ImageDataLike,
  { inputShape: [height, width], resize, cropFraction }: CompletePreprocessing,
): Geometry {
  const whole = { left: 0, top: 0, width: imageWidth, height: imageHeight };
  if (resize === "stretch") return stretched(whole, width, height);
  if (resize === "cropThenStretch") {
    const left = Math.floor((imageWidth - imageWidth * cropFraction) / 2);
    const top = Math.floor((imageHeight - imageHeight * cropFraction) / 2);
    return stretched({ left, top, width: imageWidth - 2 * left, height: imageHeight - 2 * top }, width, height);
  }
  // The smallest size of the image's aspect that covers the input enlarged by 1 / cropFraction, rounded half up.
  const wide = Math.round(width / cropFraction);
  const high = Math.round(height / cropFraction);
  const full =
    imageWidth * high >= imageHeight * wide
      ? { width: Math.floor((2 * imageWidth * high + imageHeight) / (2 * imageHeight)), height: high }
      : { width: wide, height: Math.floor((2 * imageHeight * wide + imageWidth) / (2 * imageWidth)) };
  const left = Math.floor((full.width - width) / 2);
  return { part: whole, full, left, top: Math.floor((full.height - height) / 2) };
}

function isIdentity(image: ImageDataLike, { part, full }: Geometry, width: number, height: number): boolean {
  const isWhole = part.width === image.width && part.height === image.height;
  return isWhole && full.width === width && full.height === height && image.width === width && image.height === height;
}

function cutPart(pixels: Pixels, { left, top, width, height }: CropWindow): Pixels {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * pixels.width + left);
    data.set(pixels.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { width, height, data };
}

/** ITU-R 601-2 luma in fixed point, as everywhere. */
function greyPart(pixels: Pixels, { left, top, width, height }: CropWindow): Bytes {
  const { data } = pixels;
  const grey = new Uint8Array(width * height);
  let to = 0;
  for (let y = top; y < top + height; y++) {
    let from = 3 * (y * pixels.width + left);
    for (let x = 0; x < width; x++, from += 3) {
      const sum = (data[from] ?? 0) * 19595 + (data[from + 1] ?? 0) * 38470 + (data[from + 2] ?? 0) * 7471;
      grey[to++] = (sum + 0x8000) >> 16;
    }
  }
  return { width, height, channels: 1, data: grey };
}
