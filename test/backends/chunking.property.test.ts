/** How training cuts a batch: nothing lost, nothing too large, and threads with nearly the same to do. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunked, GROUPS } from "../../src/backends/training/chunking.ts";

/** Pixels of each group of chunks. */
function pixelsOfGroups(each: number, batch: number, { words, units, per }: ReturnType<typeof chunked>): number[] {
  const { pixels, perImage, chunk } = words;
  const all = batch * each;
  return Array.from({ length: units / per }, (_, group) => {
    let sum = 0;
    for (let unit = group * per; unit < (group + 1) * per; unit++) {
      const imageStart = Math.min(all, Math.floor(unit / perImage) * pixels);
      const imageEnd = Math.min(all, imageStart + pixels);
      const start = Math.min(imageEnd, imageStart + (unit % perImage) * chunk);
      sum += (unit % perImage === perImage - 1 ? imageEnd : Math.min(imageEnd, start + chunk)) - start;
    }
    return sum;
  });
}

describe("chunked", () => {
  const cases = fc.record({
    each: fc.integer({ min: 1, max: 3000 }),
    batch: fc.integer({ min: 1, max: 300 }),
    most: fc.integer({ min: 8, max: 2048 }),
  });

  it("covers each pixel once, in chunks no larger than they may be", () => {
    fc.assert(
      fc.property(cases, ({ each, batch, most }) => {
        const chunks = chunked(each, batch, most);
        expect(pixelsOfGroups(each, batch, chunks).reduce((a, b) => a + b, 0)).toBe(each * batch);
        expect(chunks.units / chunks.per).toBe(GROUPS);
        expect(chunks.most).toBeLessThanOrEqual(most);
        // Small images lie together: a chunk is not much smaller than it may be, unless threads would have none.
        if (2 * each <= most) {
          expect(chunks.images).toBeGreaterThanOrEqual(
            Math.min(Math.ceil(Math.floor(most / each) / 2), Math.ceil(batch / GROUPS)),
          );
        }
      }),
    );
  });

  // 128 images of 16 pixels were 11 chunks of 12 images: one of two threads had 8 of them, the other 3.
  it("gives two threads the same to do where a batch divides by eight", () => {
    for (const each of [1, 4, 16, 49, 64, 196, 256, 784, 1024]) {
      for (const batch of [8, 16, 32, 64, 128, 256]) {
        for (const most of [96, 192, 384, 768, 1024]) {
          const groups = pixelsOfGroups(each, batch, chunked(each, batch, most));
          const half = (from: number) => groups.slice(from, from + GROUPS / 2).reduce((a, b) => a + b, 0);
          expect(half(0) / (each * batch), `${batch} × ${each}, ${most}`).toBeLessThanOrEqual(0.55);
          expect(half(0) + half(GROUPS / 2)).toBe(each * batch);
        }
      }
    }
  });
});
