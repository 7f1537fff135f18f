/**
 * Image files to pixels: in Node by the package `sharp`, in a browser by the browser. Turned as EXIF says; grey and
 * CMYK become RGB, transparency is laid over white, 16 bits lose the low byte. Of several frames the first counts.
 */

import { type ByteSource, nodeFiles, readBytes, sourceName } from "../core/bytes.ts";
import { DepthwiseError } from "../core/errors.ts";
import { positiveInteger } from "../core/options.ts";
import { type Pixels, toPixels } from "./pixels.ts";

export interface DecodeOptions {
  /** Most pixels an image may have; looked up in its header before anything is decoded. Default 16383². */
  readonly maxPixels?: number;
  /** Largest file that is read, in bytes. Default 512 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** sharp's own limit: beyond it the coordinates of some formats overflow. */
const MAX_PIXELS = 0x3fff * 0x3fff;

/**
 * Decodes an image file.
 *
 * @param source a path, a URL, a Blob, or the bytes of a JPEG, PNG, WebP, GIF, TIFF or AVIF file
 * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_EMPTY`, `FILE_TOO_LARGE`; `IMAGE_UNREADABLE` for
 *         what is no image or a damaged one; `IMAGE_TOO_LARGE`; `PACKAGE_MISSING` if `sharp` is not installed
 */
export async function decodeImage(source: ByteSource, options: DecodeOptions = {}): Promise<Pixels> {
  const { maxBytes = 2 ** 29, signal } = options;
  const maxPixels = positiveInteger("decodeImage", "maxPixels", options.maxPixels ?? MAX_PIXELS);
  const name = sourceName(source);
  const bytes = await readBytes(source, { maxBytes, signal });
  if (bytes.length === 0) {
    throw new DepthwiseError("FILE_EMPTY", { what: `${name}: the file holds no bytes`, todo: "Pass an image file.", fields: { file: name } });
  }
  if (nodeFiles() === undefined) return decodeInBrowser(bytes, name, maxPixels);
  return decodeWithSharp(bytes, name, maxPixels);
}

async function decodeWithSharp(bytes: Uint8Array, name: string, maxPixels: number): Promise<Pixels> {
  const { default: sharp } = await loadSharp();
  try {
    const image = sharp(bytes, { limitInputPixels: false });
    const { width, height, format } = await image.metadata();
    if (format === "svg") throw unreadable(name, "an SVG drawing, which has no pixels", "Convert it to PNG first.");
    checkPixels(name, width, height, maxPixels);
    const { data, info } = await image
      .rotate()
      .flatten({ background: "#fff" })
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return toPixels({ width: info.width, height: info.height, channels: info.channels, data });
  } catch (cause) {
    if (cause instanceof DepthwiseError) throw cause;
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw unreadable(name, `something the decoder refuses (${reason})`, "Check that it is a complete image file.", cause);
  }
}

async function loadSharp(): Promise<typeof import("sharp")> {
  try {
    return await import("sharp");
  } catch (cause) {
    throw new DepthwiseError("PACKAGE_MISSING", {
      what: 'decoding image files in Node needs the package "sharp", which is not installed',
      todo: "Run: npm install sharp. Or pass raw pixels { width, height, data }.",
      fields: { package: "sharp" },
      cause,
    });
  }
}

async function decodeInBrowser(bytes: Uint8Array, name: string, maxPixels: number): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
    });
  } catch (cause) {
    throw unreadable(name, "something the browser refuses", "Check that it is a complete image file.", cause);
  }
  try {
    checkPixels(name, bitmap.width, bitmap.height, maxPixels);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    if (context === null) throw unreadable(name, "no canvas to draw it on", "Pass raw pixels { width, height, data }.");
    context.drawImage(bitmap, 0, 0);
    return toPixels(context.getImageData(0, 0, bitmap.width, bitmap.height));
  } finally {
    bitmap.close();
  }
}

function checkPixels(name: string, width: number, height: number, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new DepthwiseError("IMAGE_TOO_LARGE", {
    what: name,
    expected: `at most ${maxPixels.toLocaleString("en-US")} pixels`,
    found: `${width} × ${height}`,
    todo: "Make it smaller first, or pass a larger maxPixels. Nothing was decoded.",
    fields: { file: name, width, height, maxPixels },
  });
}

function unreadable(name: string, found: string, todo: string, cause?: unknown): DepthwiseError {
  return new DepthwiseError("IMAGE_UNREADABLE", { what: name, expected: "an image", found, todo, fields: { file: name }, cause });
}
