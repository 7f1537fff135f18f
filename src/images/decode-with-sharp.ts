/** Decoding in Node, by the package `sharp` (libvips), which is loaded when the first image needs it. */

import { DepthwiseError } from "../core/errors.ts";
import { cmykToRgb } from "./cmyk.ts";
import { checkPixelCount, type Pixels, toPixels } from "./pixels.ts";
import { unreadable } from "./unreadable.ts";

/**
 * @param name what the file is called in errors
 * @throws {DepthwiseError} `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `PACKAGE_MISSING`
 */
export async function decodeWithSharp(bytes: Uint8Array, name: string, maxPixels: number): Promise<Pixels> {
  const { default: sharp } = await loadSharp();
  try {
    // Without a limit of its own, so that the error can say what size was found; this reads the header only.
    const metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
    checkPixelCount(name, metadata.width, metadata.height, maxPixels);
    // The limit holds for the decoder too, should its header reader and its decoder not agree.
    const image = sharp(bytes, { limitInputPixels: maxPixels, failOn: "warning", animated: false }).autoOrient();
    const { space, channels, depth, hasProfile } = metadata;
    if (space === "cmyk" && channels === 4 && depth === "uchar" && !hasProfile) {
      const inks = image.pipelineColourspace("cmyk").toColourspace("cmyk").raw();
      const { data, info } = await inks.toBuffer({ resolveWithObject: true });
      return toPixels({ width: info.width, height: info.height, channels: 3, data: cmykToRgb(data) });
    }
    // Alpha stays on: toPixels lays it over white to the bit as in a browser.
    const { data, info } = await image.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    return toPixels({ width: info.width, height: info.height, channels: info.channels, data });
  } catch (cause) {
    if (cause instanceof DepthwiseError) throw cause;
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw unreadable(
      name,
      `something the decoder refuses (${reason.replace(/[\s:]+$/, "")})`,
      "Check that it is a complete image file.",
      cause,
    );
  }
}

/**
 * The module `sharp`.
 *
 * @param packageName for the test of its absence
 * @throws {DepthwiseError} `PACKAGE_MISSING`
 */
export async function loadSharp(packageName = "sharp"): Promise<typeof import("sharp")> {
  try {
    // Not a literal: bundlers for browsers would look for the package, and fail where it is not installed.
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ packageName);
  } catch (cause) {
    throw new DepthwiseError("PACKAGE_MISSING", {
      what: `decoding image files in Node needs the package "${packageName}", which cannot be loaded`,
      advice: `Run: npm install ${packageName}. Or pass raw pixels { width, height, data }.`,
      fields: { package: packageName },
      cause,
    });
  }
}
