/** Pixels of what a page shows or holds: elements, canvases, bitmaps, frames. Objects of other realms are known by their tag. */

import type { Global } from "../core/platform-types.ts";
import { className } from "../core/realms.ts";
import { checkPixelCount, type ImageDataLike } from "./pixels.ts";
import { unreadable } from "./unreadable.ts";

/** A picture that a page holds: an element, a canvas, a bitmap or a frame. Types that a platform lacks fall away. */
export type PageSource =
  | Global<"HTMLImageElement">
  | Global<"HTMLCanvasElement">
  | Global<"HTMLVideoElement">
  | Global<"OffscreenCanvas">
  | Global<"ImageBitmap">
  | Global<"VideoFrame">
  | Global<"ImageData">;

/** What they are called in messages, and where their size stands. */
const KINDS: Readonly<Record<string, readonly [name: string, width: string, height: string]>> = {
  HTMLImageElement: ["an <img>", "naturalWidth", "naturalHeight"],
  HTMLVideoElement: ["a <video>", "videoWidth", "videoHeight"],
  HTMLCanvasElement: ["a canvas", "width", "height"],
  OffscreenCanvas: ["an OffscreenCanvas", "width", "height"],
  ImageBitmap: ["an ImageBitmap", "width", "height"],
  VideoFrame: ["a VideoFrame", "displayWidth", "displayHeight"],
  ImageData: ["an ImageData", "width", "height"],
};

/** `ImageData` of 8-bit sRGB is none: its bytes are taken as they are. */
export function isPageSource(value: unknown): value is object {
  const tag = className(value);
  if (typeof value !== "object" || value === null || !Object.hasOwn(KINDS, tag)) return false;
  if (tag !== "ImageData") return true;
  return (textOf(value, "colorSpace") ?? "srgb") !== "srgb" || !/^Uint/.test(className(Reflect.get(value, "data")));
}

/**
 * The pixels as they are now, in sRGB; an `<img>` that is still loading is waited for.
 *
 * @throws {DepthwiseError} `IMAGE_UNREADABLE`, saying why; `IMAGE_TOO_LARGE` before any pixel is read
 */
export function takePixels(source: object, maxPixels: number): ImageDataLike | Promise<ImageDataLike> {
  const isLoading = className(source) === "HTMLImageElement" && Reflect.get(source, "complete") === false;
  return isLoading ? loaded(source, maxPixels) : readNow(source, maxPixels);
}

async function loaded(image: object, maxPixels: number): Promise<ImageDataLike> {
  try {
    await (image as { decode(): Promise<void> }).decode();
  } catch (cause) {
    throw broken(image, cause);
  }
  return readNow(image, maxPixels);
}

function readNow(source: object, maxPixels: number): ImageDataLike {
  const tag = className(source);
  const [kind = "", widthName = "", heightName = ""] = KINDS[tag] ?? [];
  const [width, height] = [numberOf(source, widthName), numberOf(source, heightName)];
  if (tag === "HTMLVideoElement" && (numberOf(source, "readyState") < 2 || width * height === 0)) {
    throw unreadable(nameOf(source, kind), "a video before its first frame", "Wait for its loadeddata event.");
  }
  if (width * height === 0) {
    if (tag === "HTMLImageElement") throw broken(source);
    const isCanvas = /Canvas/.test(tag);
    throw unreadable(
      kind,
      isCanvas ? `${width} × ${height} pixels` : "one that was closed",
      isCanvas
        ? "Give it a size and draw on it first; a transferred one has none."
        : "Pass it before close(): its pixels are taken at the call.",
    );
  }
  checkPixelCount(nameOf(source, kind), width, height, maxPixels);
  const canvas = scratchCanvas(width, height);
  const context = canvas?.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D | null;
  if (canvas === undefined || context === null) {
    throw unreadable(kind, "no canvas here to read it by", "Pass raw pixels { width, height, data }.");
  }
  try {
    if (tag === "ImageData") context.putImageData(source as ImageData, 0, 0);
    else context.drawImage(source as ImageBitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height, { colorSpace: "srgb" });
  } catch (cause) {
    if (textOf(cause, "name") !== "SecurityError") {
      throw unreadable(nameOf(source, kind), "something the browser refuses to draw", "The cause says why.", cause);
    }
    throw unreadable(
      nameOf(source, kind),
      "pixels that this page may not read, since they come from another origin",
      'Set crossOrigin = "anonymous" on the element before its src, and have the server send Access-Control-Allow-Origin.',
      cause,
    );
  } finally {
    // Its memory goes now, not when it is collected.
    canvas.width = 0;
    canvas.height = 0;
  }
}

function scratchCanvas(width: number, height: number): OffscreenCanvas | HTMLCanvasElement | undefined {
  if (typeof OffscreenCanvas !== "undefined") return new OffscreenCanvas(width, height);
  if (typeof document === "undefined") return undefined;
  return Object.assign(document.createElement("canvas"), { width, height });
}

function broken(image: object, cause?: unknown) {
  const advice = "Check its src: it could not be loaded, is no image, or is a drawing without a size.";
  return unreadable(nameOf(image, "an <img>"), "one without pixels", advice, cause);
}

function nameOf(source: object, kind: string): string {
  const address = textOf(source, "currentSrc") || textOf(source, "src") || "";
  if (address === "") return kind;
  return `${kind} of ${address.startsWith("data:") ? "a data: address" : address.replace(/\/\/[^/@]*@|[?#].*$/g, (part) => (part.startsWith("//") ? "//" : ""))}`;
}

function textOf(value: unknown, name: string): string | undefined {
  const text = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof text === "string" ? text : undefined;
}

function numberOf(value: object, name: string): number {
  const number = Reflect.get(value, name);
  return typeof number === "number" ? number : 0;
}
