/** Decoding in Node, by the package `sharp` (libvips), which is loaded when the first image needs it. */

import type Sharp from "sharp";
import type { Metadata } from "sharp";
import { DepthwiseError } from "../core/errors.ts";
import { cmykToRgb } from "./cmyk.ts";
import { checkPixelCount, overwritten, type Pixels, toPixels } from "./pixels.ts";
import { unreadable } from "./unreadable.ts";

/**
 * @param name  what the file is called in errors
 * @param enter told how many pixels of 3 bytes are the memory that decoding takes; it begins once this resolves
 * @throws {DepthwiseError} `IMAGE_UNREADABLE`, `IMAGE_TOO_LARGE`, `PACKAGE_MISSING`; what `enter` throws
 */
export async function decodeWithSharp(
  bytes: Uint8Array,
  name: string,
  maxPixels: number,
  enter: (pixels: number) => Promise<void>,
): Promise<Pixels> {
  const sharp = loadSharp();
  // Without a limit of its own, so that the error can say what size was found; this reads the header only.
  const header = sharp(bytes, { limitInputPixels: false });
  const metadata = await header.metadata().catch((cause: unknown) => Promise.reject(refusal(name, cause)));
  const count = metadata.width * metadata.height;
  checkPixelCount(name, metadata.width, metadata.height, maxPixels);
  await enter(Math.ceil((count * bytesPerPixel(metadata)) / 3));
  if (count >= LARGE) dropDeadPixels(count);
  try {
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
    return overwritten({ width: info.width, height: info.height, channels: info.channels, data });
  } catch (cause) {
    throw refusal(name, cause, metadata);
  }
}

const DEPTH_BYTES: { readonly [depth in string]?: number } = { uchar: 1, char: 1, ushort: 2, short: 2 };

/**
 * What decoding takes at most: the pixels that come out, and beside them those that went in where libvips needs all of
 * them at once, not some rows. Measured with 16 megapixels, sharp 0.34, less 1 byte of its own: 3.2 for RGB of 8 bits, 3.7
 * of 16 bits, 4.3 for RGBA, 7.4 for CMYK, 6.4 for a turned JPEG, 6.0 for a progressive one, 10.3 and 12.4 for WebP,
 * which has a frame of its own.
 */
function bytesPerPixel(metadata: Metadata): number {
  const { space, channels, depth, format, orientation = 1, isProgressive } = metadata;
  const out = space === "cmyk" ? channels + 3 : Math.max(3, channels);
  const whole = channels * (DEPTH_BYTES[depth] ?? 4);
  if (!["jpeg", "png", "tiff"].includes(format)) return out + 2 * whole;
  return isProgressive || orientation > 1 ? out + whole : out;
}

/**
 * In words of its own: libvips collects what it has to say in one place for the whole process, so of two images that
 * are refused at once either is told the other's reason, or both, or none. Certain is only how sharp's own words begin;
 * the rest stands in the cause, and may be of another.
 *
 * @param metadata of an image whose header was read
 */
function refusal(name: string, cause: unknown, metadata?: Metadata): DepthwiseError {
  if (cause instanceof DepthwiseError) return cause;
  const isKnown = cause instanceof Error && cause.message.startsWith("Input buffer has corrupt header");
  const found = metadata
    ? `a ${metadata.format} of ${metadata.width} × ${metadata.height} pixels cut off, damaged, or packed in a way that the decoder lacks`
    : isKnown
      ? "one whose header is damaged"
      : "one of no known format";
  return unreadable(name, found, "Check that it is a complete image file.", cause);
}

/** From here on a second is spent decoding, and a collection of garbage costs nothing. */
const LARGE = 2 ** 26;

/**
 * V8 looks for what is dead when JavaScript asks for memory, not when libvips does: the pixels of the image before would
 * lie there until those of this one are decoded (1,640 MB in place of 840 for images of 16383²). What is asked for here
 * is never touched, so it takes none.
 */
function dropDeadPixels(count: number): void {
  try {
    new ArrayBuffer(3 * count);
  } catch {
    // Then there was nothing to drop, and the decoder will say so.
  }
}

interface Modules {
  createRequire(from: string): NodeJS.Require;
}

/**
 * The package `sharp`, looked for beside the library or the bundle that holds it, beside the script that runs, and
 * beside the working directory, where `npx` runs a command of another place. Not by `import()`: every bundler would look for the package, and fail or warn where it is missing.
 *
 * @param packageName for the tests of its absence
 * @param places      files beside whose packages it is looked for
 * @throws {DepthwiseError} `PACKAGE_MISSING`, also if it is there and its native part is not one for this system
 */
export function loadSharp(packageName = "sharp", places: readonly string[] = placesOfSharp()): typeof Sharp {
  const modules: Modules | undefined = process.getBuiltinModule?.("node:module");
  let broken: unknown;
  for (const place of places) {
    try {
      const loaded: typeof Sharp | { readonly default: typeof Sharp } | undefined =
        modules?.createRequire(place)(packageName);
      if (loaded !== undefined) return "default" in loaded ? loaded.default : loaded;
    } catch (cause) {
      // Of one that is there, the fault is of more interest than its absence elsewhere.
      if (!isAbsent(cause, packageName)) broken ??= cause;
    }
  }
  const system = `${process.platform}-${process.arch}`;
  // It knows the C library too, where that matters.
  const [command] = /npm install --os=\S+ .+/.exec(broken instanceof Error ? broken.message : "") ?? [
    `npm install --include=optional --os=${process.platform} --cpu=${process.arch} ${packageName}`,
  ];
  const isThere = broken !== undefined;
  throw new DepthwiseError("PACKAGE_MISSING", {
    what: isThere
      ? `decoding image files in Node: the package "${packageName}" is installed, and cannot be loaded on ${system} ` +
        `(${firstLine(broken)})`
      : `decoding image files in Node needs the package "${packageName}", which is not installed`,
    advice: isThere
      ? `Its native part may be that of another system. Install it again, on this one: ${command}`
      : `Run: npm install ${packageName}`,
    fields: { package: packageName },
    cause: broken,
  });
}

/** This module's own file, the script that runs, and one that would lie in the working directory. */
function placesOfSharp(): readonly string[] {
  const here = import.meta.url?.startsWith("file:") ? [import.meta.url] : [];
  // Of `node -` and `node -e photo.jpg` it is no script.
  const script = process.argv?.[1] ?? "";
  const isPath = process.getBuiltinModule?.("node:path").isAbsolute(script) === true;
  return [...here, ...(isPath ? [script] : []), ...workingDirectory()];
}

/** None where it is gone. */
function workingDirectory(): readonly string[] {
  try {
    return [`${process.cwd()}/package.json`];
  } catch {
    return [];
  }
}

function isAbsent(cause: unknown, packageName: string): boolean {
  const { code, message = "" } = cause as { readonly code?: string; readonly message?: string };
  return code === "MODULE_NOT_FOUND" && message.includes(`'${packageName}'`);
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]?.replace(/[\s:]+$/, "") ?? "";
}
