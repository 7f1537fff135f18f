/** From pixels to a network's input: resize, crop, range. */

import { isDetached } from "../core/buffers.ts";
import { DepthwiseError } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { type CompletePreprocessing, completePreprocessing } from "../core/preprocessing.ts";
import { isFloat32Array, isUint8Array } from "../core/realms.ts";
import { checkPixels, type Pixels } from "./pixels.ts";
import { resizeAntialiased, resizePlain } from "./resize.ts";

/**
 * The input of a network for one image.
 *
 * @returns `height · width · channels` numbers of the network's input, rows first
 * @throws {DepthwiseError} `OPTION_INVALID`, `IMAGE_UNREADABLE` for what are no RGB bytes or no description
 */
export function preprocess(pixels: Pixels, description: CompletePreprocessing): Float32Array {
  checkPixels("preprocess", pixels);
  const checked = checkDescription("preprocess", description);
  return normalized(resized(pixels, checked), checked);
}

/**
 * RGB values of 0 to 255 in the size of the network's input, before range and order. Bytes with the antialiased
 * filter; the plain one does not round. For a network of one channel the image is grey before it is resized.
 *
 * @throws {DepthwiseError} as `preprocess`
 */
export function cropAndResize(pixels: Pixels, description: CompletePreprocessing): Uint8Array | Float32Array {
  checkPixels("cropAndResize", pixels);
  return resized(pixels, checkDescription("cropAndResize", description));
}

function resized(pixels: Pixels, description: CompletePreprocessing): Uint8Array | Float32Array {
  const given = placed(pixels, description);
  return description.filter === "plain" ? resizePlain(...given) : resizeAntialiased(...given).data;
}

/** What the functions that resize are asked: which image, to which size, and the part of that which is the input. */
export function placed(pixels: Pixels, { inputShape, resize, cropFraction }: CompletePreprocessing) {
  const [height, width, channels] = inputShape;
  const coloured = channels === 1 ? greyPixels(pixels) : pixels;
  const cropped = resize === "cropThenStretch" ? cropCentre(coloured, cropFraction) : coloured;
  const [fullWidth, fullHeight] =
    resize === "shorterSide" ? coverSize(cropped, width, height, cropFraction) : [width, height];
  // The middle; where the rest is odd, the extra pixel stays right and below.
  const window = {
    left: Math.floor((fullWidth - width) / 2),
    top: Math.floor((fullHeight - height) / 2),
    width,
    height,
  };
  return [cropped, fullWidth, fullHeight, { window }] as const;
}

/**
 * The smallest size of the image's aspect that covers the input enlarged by `1 / cropFraction`: one side is met
 * exactly, the other in proportion, rounded half up.
 */
function coverSize(pixels: Pixels, width: number, height: number, cropFraction: number): readonly [number, number] {
  const targetWidth = Math.round(width / cropFraction);
  const targetHeight = Math.round(height / cropFraction);
  // Products, not quotients: whole numbers compare and divide without rounding twice.
  if (pixels.width * targetHeight >= pixels.height * targetWidth) {
    return [Math.floor((2 * pixels.width * targetHeight + pixels.height) / (2 * pixels.height)), targetHeight];
  }
  return [targetWidth, Math.floor((2 * pixels.height * targetWidth + pixels.width) / (2 * pixels.width))];
}

/**
 * Values of 0 to 255 in the model's range, order and number of channels:
 *
 *     value / 255 · (high − low) + low     or     (value / 255 − mean) / deviation
 *
 * in float64, rounded once. Means and deviations are in the order of the network's channels.
 *
 * @param values `3 · pixels`, R, G, B of each, rows first; for a network of one channel also `height · width` of grey
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the values are not whole RGB pixels
 */
export function normalize(values: Uint8Array | Float32Array, description: CompletePreprocessing): Float32Array {
  const checked = checkDescription("normalize", description);
  if (!isUint8Array(values) && !isFloat32Array(values)) {
    throw optionError("normalize", "values", "a Uint8Array or a Float32Array", values);
  }
  return normalized(values, checked);
}

function normalized(values: Uint8Array | Float32Array, description: CompletePreprocessing): Float32Array {
  const { inputShape, range, mean, deviation, channelOrder } = description;
  const [height, width, channels] = inputShape;
  const [low, high] = range;
  const scaled = (value: number, c: number): number =>
    mean === undefined || deviation === undefined
      ? (value / 255) * (high - low) + low
      : (value / 255 - (mean[c] ?? 0)) / (deviation[c] ?? 1);
  if (channels === 1 && values.length === height * width) {
    return Float32Array.from(values, (value) => scaled(value, 0));
  }
  const count = values.length / 3;
  if (!Number.isInteger(count) || isDetached(values.buffer)) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: "normalize: values",
      expected: `3 for each pixel, ${3 * height * width} for ${width} × ${height}`,
      found: isDetached(values.buffer) ? "none, for their buffer was transferred" : `${values.length}`,
      advice: "Pass red, green and blue of each pixel.",
      fields: { inputShape, found: values.length },
    });
  }
  const result = new Float32Array(count * channels);
  if (channels === 3 && isUint8Array(values)) {
    const [first, last] = channelOrder === "rgb" ? [0, 2] : [2, 0];
    // Looked up: an image has far more numbers than 256 a channel.
    const table = new Float32Array(3 * 256);
    for (let i = 0; i < table.length; i++) table[i] = scaled(i & 255, i >> 8);
    for (let i = 0; i < values.length; i += 3) {
      result[i] = table[values[i + first] as number] as number;
      result[i + 1] = table[256 + (values[i + 1] as number)] as number;
      result[i + 2] = table[512 + (values[i + last] as number)] as number;
    }
    return result;
  }
  const grey = isUint8Array(values) ? luma : exactLuma;
  for (let i = 0; i < count; i++) {
    const red = values[3 * i] ?? 0;
    const green = values[3 * i + 1] ?? 0;
    const blue = values[3 * i + 2] ?? 0;
    if (channels === 1) {
      result[i] = scaled(grey(red, green, blue), 0);
    } else {
      const [first, last] = channelOrder === "rgb" ? [red, blue] : [blue, red];
      result[3 * i] = scaled(first, 0);
      result[3 * i + 1] = scaled(green, 1);
      result[3 * i + 2] = scaled(last, 2);
    }
  }
  return result;
}

/** A description of unknown origin, completed: it is plain data, and anybody can write one. */
function checkDescription(owner: string, description: CompletePreprocessing): CompletePreprocessing {
  if (typeof description !== "object" || description === null) {
    throw optionError(owner, "description", "what completePreprocessing gives", description);
  }
  const { inputShape, mean, deviation, ...rest } = description;
  return completePreprocessing(inputShape, {
    ...rest,
    ...(mean === undefined ? {} : { mean }),
    ...(deviation === undefined ? {} : { deviation }),
  });
}

/** ITU-R 601-2 luma in fixed point of 16 bits, as Pillow converts RGB to grey. Bytes to a byte. */
function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** The same weights for values that are no whole bytes; they sum to 1, so grey stays what it is. */
function exactLuma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471) / 0x10000;
}

/** Each pixel's luma in all three channels: what Pillow's `convert("L")` gives, before the resize as usual there. */
function greyPixels({ width, height, data }: Pixels): Pixels {
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const value = luma(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0);
    grey[i] = value;
    grey[i + 1] = value;
    grey[i + 2] = value;
  }
  return { width, height, data: grey };
}

/** The central `fraction`: margins of ⌊(side − side · fraction) / 2⌋. Source: TensorFlow, `tf.image.central_crop`. */
function cropCentre(pixels: Pixels, fraction: number): Pixels {
  const left = Math.floor((pixels.width - pixels.width * fraction) / 2);
  const top = Math.floor((pixels.height - pixels.height * fraction) / 2);
  const width = pixels.width - 2 * left;
  const height = pixels.height - 2 * top;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * pixels.width + left);
    data.set(pixels.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { width, height, data };
}
