import sharp from "sharp";
import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { decodeImage } from "../../src/images/decode.ts";
import type { Pixels } from "../../src/images/pixels.ts";
import { rounds, seeded } from "../fuzz.ts";

const RAW = { width: 7, height: 5, channels: 3 } as const;

async function encode(format: "png" | "jpeg" | "gif" | "webp"): Promise<Uint8Array> {
  const random = seeded(5);
  const data = Uint8Array.from({ length: 105 }, () => 256 * random());
  return new Uint8Array(await sharp(data, { raw: RAW }).toFormat(format).toBuffer());
}

/** Pixels whose data has their size, or a typed error; anything else fails the test. */
async function settle(bytes: Uint8Array, what: string): Promise<Pixels | undefined> {
  try {
    // Small, so that a flipped size never makes the test itself ask for gigabytes.
    const pixels = await decodeImage(bytes, { maxPixels: 1 << 20 });
    expect(pixels.data.length, what).toBe(3 * pixels.width * pixels.height);
    return pixels;
  } catch (error) {
    expect(isDepthwiseError(error), `${what}: ${error}`).toBe(true);
    return undefined;
  }
}

it("every byte of a PNG, changed, gives the same pixels or a typed error", async () => {
  const bytes = await encode("png");
  const original = await decodeImage(bytes);
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ mask;
      const pixels = await settle(changed, `byte ${at} ^ ${mask}`);
      // Checksums cover all that says what the picture looks like.
      if (pixels !== undefined) expect(pixels, `byte ${at} ^ ${mask}`).toEqual(original);
    }
  }
});

it("every beginning of a PNG but the last chunk is refused", async () => {
  const bytes = await encode("png");
  for (let length = 0; length < bytes.length - 12; length++) {
    expect(await settle(bytes.subarray(0, length), `${length} bytes`), `${length} bytes`).toBeUndefined();
  }
});

it.each(["jpeg", "gif", "webp"] as const)("random damage to a %s gives pixels or a typed error", async (format) => {
  const bytes = await encode(format);
  const random = seeded(11);
  for (let round = 0; round < rounds(300); round++) {
    const changed = bytes.slice(0, 1 + Math.floor(random() * bytes.length * 1.2));
    for (let flips = Math.floor(random() * 4); flips >= 0; flips--) {
      changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
    }
    await settle(changed, `round ${round}`);
  }
});
