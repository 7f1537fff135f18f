/**
 * CMYK inks to RGB by Pillow's plain formula, for pictures without a colour profile of their own:
 *
 *     R = (255 − K) − round(C · (255 − K) / 255), G and B likewise from M and Y
 *
 * libvips would guess a press profile instead, which is up to 107 of 255 away from what networks were trained on.
 * Source: Pillow, `src/libImaging/Convert.c`, `cmyk2rgb`.
 */

/**
 * @param inks `4 · count` bytes: cyan, magenta, yellow, black; 255 is full ink
 * @returns `3 · count` bytes: red, green, blue
 */
export function cmykToRgb(inks: Uint8Array): Uint8Array {
  const count = Math.floor(inks.length / 4);
  const rgb = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    const light = 255 - (inks[4 * i + 3] ?? 0);
    for (let c = 0; c < 3; c++) {
      const product = (inks[4 * i + c] ?? 0) * light + 128;
      // (p + p/256) / 256 is p / 255, rounded, for every product of two bytes.
      rgb[3 * i + c] = light - ((product + (product >> 8)) >> 8);
    }
  }
  return rgb;
}
