/** @slow: it takes more than a second. */

import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { cmykToRgb } from "../../src/images/cmyk.ts";
import { type ImageDataLike, toPixels } from "../../src/images/pixels.ts";

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isDepthwiseError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return "nothing was thrown";
}

it("grey becomes three equal channels", () => {
  const { data } = toPixels({ width: 2, height: 1, data: Uint8Array.of(7, 250) });
  expect([...data]).toEqual([7, 7, 7, 250, 250, 250]);
});

it("grey with alpha is laid over white", () => {
  const { data } = toPixels({ width: 3, height: 1, data: Uint8Array.of(100, 0, 100, 255, 0, 128) });
  expect([...data]).toEqual([255, 255, 255, 100, 100, 100, 127, 127, 127]);
});

it("a browser's ImageData is laid over white, whatever colour hides under full transparency", () => {
  const data = Uint8ClampedArray.of(255, 0, 255, 0, 10, 20, 30, 255, 0, 100, 200, 51);
  expect([...toPixels({ width: 3, height: 1, data }).data]).toEqual([255, 255, 255, 10, 20, 30, 204, 224, 244]);
});

it("RGB bytes are kept, not copied", () => {
  const data = Uint8Array.of(1, 2, 3);
  expect(toPixels({ width: 1, height: 1, data }).data).toBe(data);
});

it("of 16 bits the high byte counts, of alpha too", () => {
  const data = Uint16Array.of(0x12ff, 0xff00, 0x00ff, 0x8000, 0x8000, 0x8000);
  expect([...toPixels({ width: 2, height: 1, data }).data]).toEqual([0x12, 0xff, 0, 0x80, 0x80, 0x80]);
  const clear = Uint16Array.of(0x1234, 0x5678, 0x9abc, 0x00ff);
  expect([...toPixels({ width: 1, height: 1, data: clear }).data]).toEqual([255, 255, 255]);
});

it("alpha over white is the nearest byte for every value and alpha", () => {
  for (let alpha = 0; alpha < 256; alpha++) {
    const data = new Uint8Array(512);
    for (let value = 0; value < 256; value++) data.set([value, alpha], 2 * value);
    const laid = toPixels({ width: 256, height: 1, channels: 2, data }).data;
    for (let value = 0; value < 256; value++) {
      const exact = (value * alpha + 255 * (255 - alpha)) / 255;
      expect(Math.abs((laid[3 * value] ?? Number.NaN) - exact)).toBeLessThanOrEqual(0.5);
    }
  }
});

it("sizes that do not belong to the data are refused with both numbers", () => {
  expect(refusal(() => toPixels({ width: 2, height: 2, data: new Uint8Array(5) }))).toMatchInlineSnapshot(
    `"IMAGE_UNREADABLE image of 2 × 2 pixels: expected 4, 8, 12 or 16 values for 1 to 4 channels, found 5. Pass width, height and data that belong together."`,
  );
  expect(refusal(() => toPixels({ width: 2, height: 1, channels: 3, data: new Uint8Array(8) }))).toMatchInlineSnapshot(
    `"IMAGE_UNREADABLE image of 2 × 1 pixels: expected 6 values for 3 channels, 1 to 4 of them, found 8. Pass width, height and data that belong together."`,
  );
});

it.each([
  ["a huge declared size", { width: 1e9, height: 1e9, data: new Uint8Array(3) }, "IMAGE_UNREADABLE"],
  ["no width", { width: 0, height: 1, data: new Uint8Array(0) }, "OPTION_INVALID"],
  ["a fraction of a pixel", { width: 1.5, height: 2, data: new Uint8Array(9) }, "OPTION_INVALID"],
  ["NaN", { width: Number.NaN, height: 2, data: new Uint8Array(9) }, "OPTION_INVALID"],
  ["five channels", { width: 1, height: 1, channels: 5, data: new Uint8Array(5) }, "IMAGE_UNREADABLE"],
] as const)("%s is refused before anything is allocated", (_name, image, code) => {
  expect(refusal(() => toPixels(image))).toMatch(new RegExp(`^${code} `));
});

it("floats are refused as data", () => {
  const image: unknown = { width: 1, height: 1, data: new Float32Array(3) };
  expect(refusal(() => toPixels(image as ImageDataLike))).toMatch(/^OPTION_INVALID image: data/);
});

it("CMYK follows the plain formula for every ink and black", () => {
  for (let black = 0; black < 256; black++) {
    const inks = new Uint8Array(4 * 256);
    for (let ink = 0; ink < 256; ink++) inks.set([ink, 0, 255, black], 4 * ink);
    const rgb = cmykToRgb(inks);
    const light = 255 - black;
    for (let ink = 0; ink < 256; ink++) {
      const red = light - Math.floor((ink * light) / 255 + 0.5);
      expect([...rgb.subarray(3 * ink, 3 * ink + 3)]).toEqual([red, light, 0]);
    }
  }
});
