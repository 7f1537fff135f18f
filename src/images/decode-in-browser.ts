/** Decoding by the browser, without a package. */

import { checkPixelCount, overwritten, type Pixels } from "./pixels.ts";
import { unreadable } from "./unreadable.ts";

/**
 * @param name what the file is called in errors
 * @throws {DepthwiseError} `IMAGE_UNREADABLE`, also where the browser lacks `createImageBitmap` or `OffscreenCanvas`;
 *         `IMAGE_TOO_LARGE` for formats whose size is known only once decoded
 */
export async function decodeInBrowser(bytes: Uint8Array, name: string, maxPixels: number): Promise<Pixels> {
  const instead = "Pass raw pixels { width, height, data }, for example of a canvas.";
  if (typeof createImageBitmap === "undefined" || typeof OffscreenCanvas === "undefined") {
    throw unreadable(name, "no createImageBitmap and OffscreenCanvas here to decode it", instead);
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch (cause) {
    throw unreadable(name, "something the browser refuses", "Check that it is a complete image file.", cause);
  }
  try {
    checkPixelCount(name, bitmap.width, bitmap.height, maxPixels);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
    if (context === null) throw unreadable(name, "no canvas to draw it on", instead);
    context.drawImage(bitmap, 0, 0);
    return overwritten(context.getImageData(0, 0, bitmap.width, bitmap.height));
  } finally {
    bitmap.close();
  }
}
