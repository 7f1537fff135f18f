/** Pixels in flight: never more than there is room for, in order, and nobody waits for ever. */

import fc from "fast-check";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { type DecodeOptions, decodeHeld } from "../../src/images/decode.ts";
import { type PixelBudget, pixelBudget } from "../../src/images/pixel-budget.ts";
import type { Pixels } from "../../src/images/pixels.ts";

const decodeWithin = <Result>(
  budget: PixelBudget,
  image: Uint8Array,
  options: DecodeOptions,
  use: (pixels: Pixels) => Result,
) => decodeHeld(image, options, use, budget);
const tick = () => new Promise((done) => setImmediate(done));

/** Writes down who has entered. */
function visitors(budget: PixelBudget, pixels: readonly number[], signals: readonly AbortSignal[] = []) {
  const inside: number[] = [];
  const gives: (() => void)[] = [];
  const turns = pixels.map((count, index) =>
    budget.take(count, signals[index]).then((give) => {
      inside.push(index);
      gives[index] = give;
    }),
  );
  return { inside, gives, turns };
}

describe("a budget of pixels", () => {
  it("lets in what there is room for, first come, first served", async () => {
    const { inside, gives } = visitors(pixelBudget(10), [4, 6, 8, 1]);
    await tick();
    expect(inside).toEqual([0, 1]);
    gives[0]?.();
    await tick();
    // There is room for the last one, but it stands behind the third.
    expect(inside).toEqual([0, 1]);
    gives[1]?.();
    await tick();
    expect(inside).toEqual([0, 1, 2, 3]);
  });

  it("lets in what is larger than all of it, alone", async () => {
    const { inside, gives } = visitors(pixelBudget(10), [1000, 1, 1000, 1]);
    for (let i = 0; i < 4; i++) {
      await tick();
      expect(inside).toEqual([0, 1, 2, 3].slice(0, i + 1));
      gives[i]?.();
    }
  });

  it("hears an abort at once, and those behind move up", async () => {
    const control = new AbortController();
    const { inside, turns } = visitors(pixelBudget(10), [5, 8, 5], [new AbortController().signal, control.signal]);
    await tick();
    expect(inside).toEqual([0]);
    const reason = new Error("enough");
    control.abort(reason);
    await expect(turns[1]).rejects.toBe(reason);
    await tick();
    expect(inside).toEqual([0, 2]);
    await expect(pixelBudget(1).take(1, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("is never exceeded by two, and lets everybody in whatever the sizes and aborts", async () => {
    const visit = fc.record({ pixels: fc.integer({ min: 1, max: 30 }), aborts: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { maxLength: 20 }), fc.integer({ min: 1, max: 20 }), async (visits, most) => {
        const budget = pixelBudget(most);
        const inside = new Set<number>();
        let aborted = 0;
        await Promise.all(
          visits.map(async ({ pixels, aborts }, index) => {
            const control = new AbortController();
            if (aborts) setImmediate(() => control.abort());
            const give = await budget.take(pixels, control.signal).catch(() => undefined);
            if (give === undefined) return void aborted++;
            inside.add(index);
            const sum = [...inside].reduce((total, i) => total + (visits[i]?.pixels ?? 0), 0);
            expect(inside.size === 1 || sum <= most).toBe(true);
            await tick();
            inside.delete(index);
            give();
          }),
        );
        expect(aborted).toBeLessThanOrEqual(visits.filter(({ aborts }) => aborts).length);
      }),
      { numRuns: 200 },
    );
  });
});

describe("pictures", () => {
  let png = new Uint8Array();
  beforeAll(async () => {
    const create = { width: 30, height: 20, channels: 4, background: { r: 10, g: 20, b: 30, alpha: 0.5 } } as const;
    png = new Uint8Array(await sharp({ create }).png().toBuffer());
  });

  it("are counted by the size of their header before they are decoded, and free their room when they were used", async () => {
    const asked: number[] = [];
    let open = 0;
    const budget: PixelBudget = {
      async take(pixels) {
        asked.push(pixels);
        open++;
        return () => void open--;
      },
    };
    const size = await decodeWithin(budget, png, {}, ({ width, height, data }) => {
      expect(open).toBe(1);
      return [width, height, data.length];
    });
    expect([size, asked, open]).toEqual([[30, 20, 1800], [800], 0]);
    const damaged = png.slice(0, png.length - 20);
    await expect(decodeWithin(budget, damaged, {}, () => 0)).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
    const failing = () => {
      throw new Error("of the caller");
    };
    await expect(decodeWithin(budget, png, {}, failing)).rejects.toThrow("of the caller");
    await expect(decodeWithin(budget, png, { maxPixels: 599 }, () => 0)).rejects.toMatchObject({
      code: "IMAGE_TOO_LARGE",
    });
    expect([asked, open]).toEqual([[800, 800, 800], 0]);
  });

  it("have their room until what is made of them is made", async () => {
    const budget = pixelBudget(800);
    const seen: string[] = [];
    const use = async () => {
      seen.push("begins");
      for (let turn = 0; turn < 3; turn++) await tick();
      seen.push("ends");
    };
    await Promise.all([1, 2].map(() => decodeWithin(budget, png, {}, use)));
    expect(seen).toEqual(["begins", "ends", "begins", "ends"]);
  });

  it("count for the memory that decoding them takes, in pixels of 3 bytes", async () => {
    const plain = { create: { width: 30, height: 20, channels: 3, background: "#123456" } } as const;
    const clear = { create: { ...plain.create, channels: 4, background: { r: 9, g: 8, b: 7, alpha: 0.5 } } } as const;
    const cases: [() => Promise<Buffer>, number][] = [
      [() => sharp(plain).png().toBuffer(), 3],
      [() => sharp(plain).jpeg().toBuffer(), 3],
      [() => sharp(plain).toColourspace("b-w").png().toBuffer(), 3],
      [() => sharp(plain).toColourspace("rgb16").png().toBuffer(), 3],
      [() => sharp(clear).png().toBuffer(), 4],
      [() => sharp(clear).toColourspace("rgb16").png({ progressive: true }).toBuffer(), 12],
      [() => sharp(plain).jpeg({ progressive: true }).toBuffer(), 6],
      [() => sharp(plain).withMetadata({ orientation: 6 }).jpeg().toBuffer(), 6],
      [() => sharp(plain).toColourspace("cmyk").jpeg().toBuffer(), 7],
      [() => sharp(plain).webp().toBuffer(), 9],
      [() => sharp(clear).webp().toBuffer(), 12],
    ];
    for (const [make, bytes] of cases) {
      const asked: number[] = [];
      const budget: PixelBudget = { take: async (pixels) => () => void asked.push(pixels) };
      await decodeWithin(budget, new Uint8Array(await make()), {}, () => 0);
      expect(asked).toEqual([200 * bytes]);
    }
  });

  it("that wait hear an abort as what it is", async () => {
    const budget = pixelBudget(600);
    await budget.take(600, undefined);
    const control = new AbortController();
    const waiting = decodeWithin(budget, png, { signal: control.signal }, () => 0);
    const reason = new Error("enough");
    setImmediate(() => control.abort(reason));
    await expect(waiting).rejects.toBe(reason);
  });
});
