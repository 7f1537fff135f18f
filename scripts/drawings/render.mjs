/** From SVG to pixels: drawn ten times as large, averaged, and for a colour picture with a little grain as of a sensor. */

import sharp from "sharp";
import { randomNumbers } from "./paint.mjs";

const ENLARGED = 10;

/** A digit: 28 × 28 bytes of grey. The middle of its strokes' weight lies in the middle, as in MNIST. */
export async function renderDigit(strokes) {
  const side = 28;
  const first = await averaged(strokes, side, 1);
  const pixels = await averaged(strokes, side, 1, offCentre(first, side));
  return { side, channels: 1, pixels };
}

/** A scene: 32 × 32 pixels of red, green and blue. `seed` is of the grain. */
export async function renderScene(scene, seed) {
  const side = 32;
  const pixels = await averaged(scene, side, 3);
  const random = randomNumbers(seed);
  for (let at = 0; at < pixels.length; at += 3) {
    const grain = (random() + random() - 1) * 6;
    for (let channel = 0; channel < 3; channel++) {
      const byte = pixels[at + channel] + grain + (random() - 0.5) * 3;
      pixels[at + channel] = Math.min(255, Math.max(0, Math.round(byte)));
    }
  }
  return { side, channels: 3, pixels };
}

/** `side` × `side` pixels of a drawing, of which `[left, top]` is the first corner. */
async function averaged(drawing, side, channels, [left, top] = [0, 0]) {
  const large = side * ENLARGED;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${large}" height="${large}" viewBox="${left} ${top} ${side} ${side}">${drawing}</svg>`;
  const raw = await sharp(Buffer.from(svg)).flatten({ background: "black" }).toColourspace("srgb").raw().toBuffer();
  const pixels = new Uint8Array(side * side * channels);
  for (let at = 0; at < pixels.length; at++) {
    const channel = at % channels;
    const pixel = (at - channel) / channels;
    const x = (pixel % side) * ENLARGED;
    const y = Math.floor(pixel / side) * ENLARGED;
    let sum = 0;
    for (let v = 0; v < ENLARGED; v++) {
      for (let u = 0; u < ENLARGED; u++) sum += raw[((y + v) * large + x + u) * 3 + channel];
    }
    pixels[at] = Math.round(sum / ENLARGED ** 2);
  }
  return pixels;
}

/** How far the middle of the weight is from that of the picture, `[x, y]` in pixels. */
function offCentre(pixels, side) {
  let [weight, x, y] = [0, 0, 0];
  pixels.forEach((value, at) => {
    weight += value;
    x += value * ((at % side) + 0.5);
    y += value * (Math.floor(at / side) + 0.5);
  });
  return [x / weight - side / 2, y / weight - side / 2];
}
