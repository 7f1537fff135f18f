/**
 * Image files to pixels: in Node by the package `sharp`, in a browser by the browser. Turned as EXIF says; grey and
 * CMYK become RGB, transparency is laid over white, 16 bits lose the low byte. Of several frames the first counts.
 *
 * An embedded colour profile is applied in Node and ignored in browsers, where `colorSpaceConversion: "none"` is the
 * only setting that does not depend on the screen.
 */

import { bytesOf } from "../core/buffers.ts";
import { type ByteSource, nodeFiles, readBytes, sourceName } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { allocated } from "../core/memory.ts";
import { checkKnownOptions, positiveInteger, signalOption } from "../core/options.ts";
import type { PlatformResponse } from "../core/platform-types.ts";
import { className, isArrayBuffer, isURL } from "../core/realms.ts";
import { type Pace, paceOf } from "../core/stall-watch.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { decodeInBrowser } from "./decode-in-browser.ts";
import { decodeWithSharp } from "./decode-with-sharp.ts";
import { describeBytes, type ImageHeader, readHeader } from "./header.ts";
import { isPageSource, type PageSource, takePixels } from "./page-source.ts";
import type { PixelBudget } from "./pixel-budget.ts";
import { checkPixelCount, type ImageDataLike, MAX_PIXELS, overwritten, type Pixels, toPixels } from "./pixels.ts";
import { HeldResponse } from "./response.ts";
import { unreadable } from "./unreadable.ts";

/**
 * A server that sends nothing for `stallTimeout` milliseconds (default 30,000), or in that time less than
 * `minBytesPerSecond` (default 100) asks for, is left.
 */
export interface DecodeOptions extends Partial<Pace> {
  /** Most pixels an image may have; looked up in its header before anything is decoded. Default 16383². */
  readonly maxPixels?: number;
  /** Largest file that is read, in bytes. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes an image file. What is damaged or cut off is refused, not filled up with grey. Bytes are copied at the call.
 *
 * @param source a path, a URL (a user and password in it are sent to its origin alone), a Blob, a Response, or the bytes
 *               of a JPEG, PNG, WebP, GIF, TIFF or AVIF file; in a page also an `<img>`, `<video>`, canvas, ImageBitmap,
 *               ImageData or VideoFrame, whose pixels are taken at the call
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_EMPTY`, `FILE_TOO_LARGE`; `IMAGE_UNREADABLE` for
 *         what is no image, a damaged one, or an SVG drawing; `IMAGE_TOO_LARGE`; `PACKAGE_MISSING` if `sharp` is not
 *         installed; `OPTION_INVALID`. An aborted call rejects with `signal.reason`.
 */
export async function decodeImage(
  source: ByteSource | PlatformResponse | PageSource,
  options: DecodeOptions = {},
): Promise<Pixels> {
  checkKnownOptions("decodeImage", options, ["maxPixels", "maxBytes", "signal", "stallTimeout", "minBytesPerSecond"]);
  const isShown = isPageSource(source);
  if (isShown || isImageData(source)) {
    const maxPixels = positiveInteger("decodeImage", "maxPixels", options.maxPixels ?? MAX_PIXELS);
    const signal = signalOption("decodeImage", options.signal);
    signal?.throwIfAborted();
    const taken = isShown ? await untilAborted(Promise.resolve(takePixels(source, maxPixels)), signal) : source;
    if (isShown) return overwritten(taken);
    checkPixelCount("an ImageData", taken.width, taken.height, maxPixels);
    return toPixels(taken);
  }
  return decodeHeld(heldSource(source as ByteSource | PlatformResponse), options, (pixels) => pixels);
}

function isImageData(value: unknown): value is ImageDataLike {
  return className(value) === "ImageData";
}

/**
 * A source that is the caller's own as it is now: bytes are copied, and so is a URL, which can be changed too; the body
 * of a Response is taken, and cancelled by a `decodeHeld` with an aborted signal.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a buffer that was transferred; `FILE_UNREADABLE` for a Response that is
 *         no success, was read already or is locked
 */
export function heldSource(source: ByteSource | PlatformResponse): HeldSource {
  if (className(source) === "Response") return new HeldResponse(source as object);
  if (isURL(source)) return new URL(source.href);
  return isArrayBuffer(source) || ArrayBuffer.isView(source)
    ? copied(bytesOf("decodeImage", source))
    : (source as ByteSource);
}

function copied(bytes: Uint8Array): Uint8Array {
  const advice = "Pass a smaller image, or fewer at a time.";
  return allocated("decodeImage: a copy of the file", bytes.length, advice, () => new Uint8Array(bytes));
}

/**
 * `decodeImage` of what nobody else holds. One among many has a budget: its pixels have room there from before they are
 * decoded until they were used, and are then nobody's.
 */
export async function decodeHeld<Result>(
  given: HeldSource,
  options: DecodeOptions,
  use: (pixels: Pixels) => Result | Promise<Result>,
  budget?: PixelBudget,
): Promise<Result> {
  const isAnswer = given instanceof HeldResponse;
  let leave = () => {};
  try {
    const signal = signalOption("decodeImage", options.signal);
    const maxBytes = positiveInteger("decodeImage", "maxBytes", options.maxBytes ?? 2 ** 29);
    const maxPixels = positiveInteger("decodeImage", "maxPixels", options.maxPixels ?? MAX_PIXELS);
    const reading = { maxBytes, signal, ...paceOf("decodeImage", options) };
    const name = isAnswer ? given.name : sourceName(given);
    const bytes = await (isAnswer ? given.read(reading) : readBytes(given, reading));
    const { stored } = checkHeader(bytes, name);
    if (stored !== undefined) checkPixelCount(name, stored[0], stored[1], maxPixels);
    const enter = async (count: number) => {
      if (budget !== undefined) leave = await budget.take(count, signal);
    };
    let pixels: Pixels;
    if (nodeFiles() !== undefined) pixels = await decodeWithSharp(bytes, name, maxPixels, enter);
    else {
      // A bitmap, a canvas and its data, of 4 bytes each. What does not say its size near the front may be as large as any.
      await enter(4 * (stored === undefined ? maxPixels : stored[0] * stored[1]));
      pixels = await decodeInBrowser(bytes, name, maxPixels);
    }
    signal?.throwIfAborted();
    // Here: what it holds of the budget it holds until it is done.
    return await use(pixels);
  } finally {
    leave();
    if (isAnswer) given.cancel();
  }
}

/** Bytes, or where they are. */
export type HeldSource = ByteSource | HeldResponse;

/** Only bytes that begin like a raster image reach a decoder: the rest of what decoders can do is not needed. */
function checkHeader(bytes: Uint8Array, name: string): ImageHeader {
  if (bytes.length === 0) {
    throw new DepthwiseError("FILE_EMPTY", {
      what: `${name}: the file holds no bytes`,
      advice: "Pass an image file.",
      fields: { file: name },
    });
  }
  const header = readHeader(bytes);
  if (header === undefined) {
    throw unreadable(name, describeBytes(bytes), "Pass a JPEG, PNG, WebP, GIF, TIFF or AVIF file.");
  }
  if (header.format === "svg") {
    // Drawings can name other files and grow without bound; and a network needs pixels.
    throw unreadable(name, "an SVG drawing, which has no pixels", "Convert it to PNG first.");
  }
  return header;
}
