/** What augmentation may do to a picture, and what it may not. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completePreprocessing } from "../../../src/core/preprocessing.ts";
import { toPixels } from "../../../src/images/pixels.ts";
import { cropAndResize, preprocess } from "../../../src/images/preprocess.ts";
import { resizeAntialiased } from "../../../src/images/resize.ts";
import { type Augmentation, completeAugmentation } from "../../../src/train/data/augmentation.ts";
import { drawFlip, drawHole, drawMixing, drawPart, drawShift, type Occasion } from "../../../src/train/data/draws.ts";
import type { PixelImage } from "../../../src/train/data/example.ts";
import { jitter } from "../../../src/train/data/jitter.ts";
import { mixRows } from "../../../src/train/data/mixup.ts";
import { preparationOf, prepare } from "../../../src/train/data/prepare.ts";
import { shuffledOrder, uniform } from "../../../src/train/data/randomness.ts";
import { stretcher } from "../../../src/train/data/resample.ts";
import { rounds, seedOf } from "../../fuzz.ts";
import { bytes, inputOf, refused } from "./pictures.ts";

const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const occasions: fc.Arbitrary<Occasion> = fc.record({ seed: whole, epoch: fc.nat(), example: fc.nat() });
const side = fc.integer({ min: 1, max: 40 });
const unit = fc.integer({ min: 1, max: 1000 }).map((n) => n / 1000);
const params = { numRuns: rounds(200), seed: seedOf(19) };

function picture(width: number, height: number, channels: number, seed = 1): PixelImage {
  return { width, height, channels, data: bytes(width * height * channels, seed) };
}

function prepared(image: PixelImage, occasion: Occasion, augment: Augmentation | undefined, input = inputOf(8)) {
  const target = new Float32Array(input.inputShape.reduce((all, each) => all * each)).fill(Number.NaN);
  const complete = augment && completeAugmentation("batches", augment, input);
  prepare(image, occasion, preparationOf(input, complete), target, "it");
  return target;
}

const range255 = { range: [0, 255] } as const;
const first: Occasion = { seed: 1, epoch: 0, example: 0 };

describe("counted randomness", () => {
  it("is at least 0 and below 1, and the same each time", () => {
    fc.assert(
      fc.property(occasions, fc.nat(), ({ seed, epoch, example }, index) => {
        const drawn = uniform(seed, epoch, example, "crop", index);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(1);
        expect(uniform(seed, epoch, example, "crop", index)).toBe(drawn);
      }),
      params,
    );
  });

  it("depends on each of what it is counted by, the high word of a seed too", () => {
    const all = [
      ...[uniform(1, 2, 3, "crop", 4), uniform(2, 2, 3, "crop", 4), uniform(1, 3, 3, "crop", 4)],
      ...[uniform(1, 2, 4, "crop", 4), uniform(1, 2, 3, "flip", 4), uniform(1, 2, 3, "crop", 5)],
      uniform(2 ** 40 + 1, 2, 3, "crop", 4),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("is even: 16 bins of 40,000 numbers, by each of its counters", () => {
    for (const draw of [
      (k: number) => uniform(k, 0, 0, "crop"),
      (k: number) => uniform(0, k, 0, "crop"),
      (k: number) => uniform(0, 0, k, "crop"),
      (k: number) => uniform(0, 0, 0, "crop", k),
    ]) {
      const bins = new Array<number>(16).fill(0);
      for (let k = 0; k < 40_000; k++) bins[Math.floor(16 * draw(k))]!++;
      // χ² of 15 degrees of freedom is above 44.3 once in 10,000 times.
      expect(bins.reduce((sum, count) => sum + (count - 2500) ** 2 / 2500, 0)).toBeLessThan(44.3);
    }
  });

  it("puts numbers into another order each epoch, each number once", () => {
    fc.assert(
      fc.property(whole, fc.nat(), fc.nat({ max: 300 }), (seed, epoch, count) => {
        const order = shuffledOrder(seed, epoch, count);
        expect([...order].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
        expect(shuffledOrder(seed, epoch, count)).toEqual(order);
        if (count > 30) expect(shuffledOrder(seed, epoch + 1, count)).not.toEqual(order);
      }),
      params,
    );
  });
});

describe("without augmentation", () => {
  it("a picture of any size and kind becomes what preprocess makes of it, to the bit", () => {
    const rules = fc.record({
      resize: fc.constantFrom("shorterSide", "stretch", "cropThenStretch"),
      filter: fc.constantFrom("antialiased", "plain"),
      cropFraction: fc.constantFrom(1, 0.875, 0.5),
      channelOrder: fc.constantFrom("rgb", "bgr"),
    } as const);
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.constantFrom(1, 3),
        fc.constantFrom(1, 2, 3, 4),
        rules,
        fc.boolean(),
        (...given) => {
          const [width, height, wide, high, channels, ownChannels, rule, hasMean] = given;
          const mean = hasMean ? { mean: Array(channels).fill(0.4), deviation: Array(channels).fill(0.3) } : {};
          const input = completePreprocessing([high, wide, channels], { ...rule, ...mean });
          const image = picture(width, height, ownChannels, width + height);
          const expected = preprocess(toPixels(image as never), input);
          expect(prepared(image, first, undefined, input)).toEqual(expected);
        },
      ),
      params,
    );
  });
});

describe("the stretcher", () => {
  it("gives a window of a part as the resizer of images does, whatever it stretched before", () => {
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
        (width, height, wide, high, draws) => {
          const draw = (index: number, most: number) => (draws[index] ?? 0) % most;
          const part = { width: 1 + draw(0, width), height: 1 + draw(1, height), left: 0, top: 0 };
          Object.assign(part, { left: draw(2, width - part.width + 1), top: draw(3, height - part.height + 1) });
          const window = { width: 1 + draw(4, wide), height: 1 + draw(5, high), left: 0, top: 0 };
          Object.assign(window, { left: draw(6, wide - window.width + 1), top: draw(7, high - window.height + 1) });
          const image = { width, height, channels: 3, data: bytes(3 * width * height, width) };
          const cut = new Uint8Array(3 * part.width * part.height);
          for (let y = 0; y < part.height; y++) {
            const from = 3 * ((part.top + y) * width + part.left);
            cut.set(image.data.subarray(from, from + 3 * part.width), 3 * y * part.width);
          }
          const stretch = stretcher(window.width, window.height);
          stretch(image, {
            part: { left: 0, top: 0, width, height },
            full: { width: wide, height: high },
            left: 0,
            top: 0,
          });
          const full = { width: wide, height: high };
          const found = stretch(image, { part, full, left: window.left, top: window.top });
          const pixels = { width: part.width, height: part.height, data: cut };
          expect(found).toEqual(resizeAntialiased(pixels, wide, high, { window }).data);
        },
      ),
      params,
    );
  });
});

describe("a random resized crop", () => {
  it("lies inside, and has the area and the ratio that were asked for, as nearly as pixels can", () => {
    const bounds = fc.tuple(unit, unit).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    fc.assert(
      fc.property(occasions, fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), bounds, (...given) => {
        const [occasion, width, height, area] = given;
        const part = drawPart(occasion, { area, aspect: [3 / 4, 4 / 3] }, width, height);
        for (const value of Object.values(part)) expect(Number.isSafeInteger(value)).toBe(true);
        expect(Math.min(part.left, part.top)).toBeGreaterThanOrEqual(0);
        expect(Math.min(part.width, part.height)).toBeGreaterThan(0);
        expect(part.left + part.width).toBeLessThanOrEqual(width);
        expect(part.top + part.height).toBeLessThanOrEqual(height);
      }),
      params,
    );
    for (let example = 0; example < 500; example++) {
      const part = drawPart({ ...first, example }, { area: [0.25, 0.5], aspect: [0.5, 2] }, 400, 400);
      const share = (part.width * part.height) / 160_000;
      expect(share).toBeGreaterThan(0.245);
      expect(share).toBeLessThan(0.505);
      expect(part.width / part.height).toBeGreaterThan(0.49);
      expect(part.width / part.height).toBeLessThan(2.02);
    }
  });

  it("falls back to the largest part in the middle", () => {
    const crop = { area: [1, 1], aspect: [1, 1] } as const;
    expect(drawPart(first, crop, 100, 40)).toEqual({ left: 30, top: 0, width: 40, height: 40 });
  });

  it("of the whole is the picture stretched", () => {
    const image = picture(13, 13, 3);
    const input = inputOf(8, 3, { ...range255, resize: "stretch" });
    const augment = { randomResizedCrop: { area: [1, 1], aspect: [1, 1] } } as const;
    expect(prepared(image, first, augment, input)).toEqual(Float32Array.from(cropAndResize(image as never, input)));
  });

  it("is the same for a grey picture, whether it comes as grey or as colour, to a grey network", () => {
    fc.assert(
      fc.property(occasions, side, side, fc.constantFrom("antialiased", "plain"), (occasion, width, height, filter) => {
        const grey = picture(width, height, 1);
        const colour = { ...toPixels(grey as never), channels: 3 };
        const input = inputOf(8, 1, { filter });
        const augment = { randomResizedCrop: {} };
        expect(prepared(colour, occasion, augment, input)).toEqual(prepared(grey, occasion, augment, input));
      }),
      params,
    );
  });
});

describe("a padded crop", () => {
  const input = inputOf(8, 1, range255);

  it("is the picture moved by no more than the padding, with black or its mirror at its edge", () => {
    fc.assert(
      fc.property(
        occasions,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("black", "reflect"),
        (occasion, padding, fill) => {
          const image = picture(8, 8, 1);
          const [right, down] = drawShift(occasion, padding);
          expect(Math.max(Math.abs(right), Math.abs(down))).toBeLessThanOrEqual(padding);
          const found = prepared(image, occasion, { paddedCrop: { padding, fill } }, input);
          const mirrored = (place: number) => (place < 0 ? -place : place > 7 ? 14 - place : place);
          const expected = Float32Array.from({ length: 64 }, (_, at) => {
            const [y, x] = [(at >> 3) + down, (at & 7) + right];
            const isInside = x >= 0 && x < 8 && y >= 0 && y < 8;
            return isInside || fill === "reflect" ? image.data[8 * mirrored(y) + mirrored(x)]! : 0;
          });
          expect(found).toEqual(expected);
        },
      ),
      params,
    );
  });

  it("reaches every place", () => {
    const places = new Set<string>();
    for (let example = 0; example < 500; example++) places.add(String(drawShift({ ...first, example }, 2)));
    expect(places.size).toBe(25);
  });
});

describe("a flip", () => {
  const input = inputOf(8, 3, range255);
  const image = picture(8, 8, 3);
  const turned = (values: Float32Array) =>
    Float32Array.from(values, (_, at) => values[at - (at % 24) + 3 * (7 - Math.floor((at % 24) / 3)) + (at % 3)]!);

  it("is left for right, and twice is the picture again", () => {
    const plain = prepared(image, first, undefined, input);
    const occasion = {
      ...first,
      example: [...Array(50).keys()].find((example) => drawFlip({ ...first, example }, "random"))!,
    };
    const flipped = prepared(image, occasion, { flip: "random" }, input);
    expect(flipped).toEqual(turned(plain));
    const again = { ...image, data: Uint8Array.from(flipped) };
    expect(prepared(again, occasion, { flip: "random" }, input)).toEqual(plain);
  });

  it("alternates from epoch to epoch, beginning either way", () => {
    fc.assert(
      fc.property(occasions, (occasion) => {
        const flips = [0, 1, 2, 3].map((epoch) => drawFlip({ ...occasion, epoch }, "alternating"));
        expect(flips[0]).not.toBe(flips[1]);
        expect(flips.slice(2)).toEqual(flips.slice(0, 2));
      }),
      params,
    );
    const begin = Array.from({ length: 1000 }, (_, example) => drawFlip({ ...first, example }, "alternating"));
    expect(begin.filter(Boolean).length).toBeGreaterThan(430);
    expect(begin.filter(Boolean).length).toBeLessThan(570);
  });
});

describe("colour jitter", () => {
  const none = { brightness: 1, contrast: 1, saturation: 1, hue: 0 };
  const changed = (values: readonly number[], factors: object, channels = 3) => {
    const result = Float32Array.from(values);
    jitter(result, channels, { ...none, ...factors });
    return [...result].map((value) => Math.round(value * 1000) / 1000);
  };

  it("changes nothing by factors of 1, and nothing grey by saturation and hue", () => {
    expect(changed([1, 2, 3, 250, 40, 7], {})).toEqual([1, 2, 3, 250, 40, 7]);
    expect(changed([9, 9, 9], { saturation: 0.2, hue: 0.3 })).toEqual([9, 9, 9]);
    expect(changed([9, 5], { saturation: 0.2, hue: 0.3 }, 1)).toEqual([9, 5]);
  });

  it("follows the formulas", () => {
    expect(changed([100, 200, 10], { brightness: 1.5 })).toEqual([150, 255, 15]);
    expect(changed([100, 50], { contrast: 0.5 }, 1)).toEqual([87.5, 62.5]);
    expect(changed([255, 0, 0], { saturation: 0 })).toEqual([76.244, 76.244, 76.244]);
    // A third of the circle: red becomes green, green blue, blue red.
    expect(changed([255, 0, 0], { hue: 1 / 3 })).toEqual([0, 255, 0]);
    expect(changed([0, 255, 0], { hue: 1 / 3 })).toEqual([0, 0, 255]);
    expect(changed([0, 0, 255], { hue: 1 / 3 })).toEqual([255, 0, 0]);
    expect(changed([255, 0, 0], { hue: 1 / 6 })).toEqual([255, 255, 0]);
    expect(changed([200, 100, 50], { hue: 0.5 })).toEqual([50, 150, 200]);
  });

  it("stays within 0 to 255, whatever it is asked for", () => {
    const factor = fc.double({ min: 0, max: 2, noNaN: true });
    const factors = fc.record({
      brightness: factor,
      contrast: factor,
      saturation: factor,
      hue: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(
        factors,
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.constantFrom(1, 3),
        (drawn, values, channels) => {
          const result = Float32Array.from(values);
          jitter(result, channels, drawn);
          for (const value of result) expect(value >= -1e-4 && value <= 255.0001).toBe(true);
        },
      ),
      params,
    );
  });

  it("is drawn anew each epoch, and reaches the batch", () => {
    const augment = { colorJitter: { brightness: 0.5, hue: 0.1 } };
    const [a, b] = [0, 1].map((epoch) => prepared(picture(8, 8, 3), { ...first, epoch }, augment));
    expect(a).not.toEqual(b);
    expect(prepared(picture(8, 8, 3), first, augment)).toEqual(a);
  });
});

describe("cutout", () => {
  it("is a square that lies in the picture, cut at its edge, of the middle of the range", () => {
    fc.assert(
      fc.property(occasions, fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 3), (occasion, size, channels) => {
        const hole = drawHole(occasion, size, 8, 8);
        expect(Math.min(hole.left, hole.top)).toBeGreaterThanOrEqual(0);
        expect(Math.max(hole.left + hole.width, hole.top + hole.height)).toBeLessThanOrEqual(8);
        expect(hole.width >= Math.min(8, size >> 1) && hole.width <= Math.min(8, size)).toBe(true);
        const input = inputOf(8, channels, { range: [0, 300] });
        const plain = prepared(picture(8, 8, channels), occasion, undefined, input);
        const found = prepared(picture(8, 8, channels), occasion, { cutout: { size } }, input);
        for (const [at, value] of found.entries()) {
          const [y, x] = [Math.floor(at / channels / 8), Math.floor(at / channels) % 8];
          const isIn = x >= hole.left && x < hole.left + hole.width && y >= hole.top && y < hole.top + hole.height;
          expect(value).toBe(isIn ? 150 : plain[at]);
        }
      }),
      params,
    );
  });

  it("is 0 where the input has a mean", () => {
    const input = inputOf(8, 1, { mean: [0.3], deviation: [0.2] });
    expect(
      [...prepared(picture(8, 8, 1), first, { cutout: { size: 16 } }, input)].filter((value) => value === 0).length,
    ).toBe(64);
  });
});

describe("mixup", () => {
  it("draws shares of 0 to 1, of mean 1/2 and the variance of Beta(α, α)", () => {
    for (const alpha of [0.001, 0.2, 0.4, 1]) {
      let [sum, squares] = [0, 0];
      for (let example = 0; example < 20_000; example++) {
        const mixing = drawMixing({ ...first, example }, alpha);
        expect(mixing >= 0 && mixing <= 1).toBe(true);
        sum += mixing;
        squares += (mixing - 0.5) ** 2;
      }
      expect(sum / 20_000).toBeCloseTo(0.5, 1.6);
      expect(Math.abs(squares / 20_000 - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.004);
    }
  });

  it("mixes each row with the next, and the last with the first as it was", () => {
    const rows = Float32Array.of(0, 8, 4, 4, 8, 0);
    mixRows(rows, 3, Float64Array.of(0.5, 1, 0.25));
    expect([...rows]).toEqual([2, 6, 4, 4, 2, 6]);
  });
});

describe("float32 pictures", () => {
  const image: PixelImage = {
    width: 8,
    height: 8,
    channels: 1,
    data: Float32Array.from({ length: 64 }, (_, at) => at / 7),
  };

  it("are the input as it is", () => {
    expect(prepared(image, first, undefined, inputOf(8, 1))).toEqual(image.data);
    expect(prepared(image, first, { paddedCrop: { padding: 7 } }, inputOf(8, 1))).toContain(-1);
  });

  it.each<[string, () => unknown, string]>([
    ["of another size", () => prepared(image, first, undefined, inputOf(9, 1)), "SHAPE_MISMATCH it: float32 values"],
    [
      "of other channels",
      () => prepared(image, first, undefined, inputOf(8, 3)),
      "expected [8, 8, 3], found [8, 8, 1]",
    ],
    [
      "to be coloured",
      () => prepared(image, first, { colorJitter: { hue: 0.1 } }, inputOf(8, 1)),
      "OPTION_INVALID batches: augment.colorJitter",
    ],
    [
      "to be resized",
      () => prepared(image, first, { randomResizedCrop: {} }, inputOf(8, 1)),
      "OPTION_INVALID batches: augment.randomResizedCrop",
    ],
  ])("are refused: %s", async (_, work, text) => {
    expect(await refused(work)).toContain(text);
  });
});

describe("a description of augmentation", () => {
  it("is JSON", () => {
    const augment: Augmentation = {
      ...{ randomResizedCrop: { area: [0.2, 1] }, flip: "random", colorJitter: { hue: 0.1 } },
      ...{ cutout: { size: 4 }, mixup: { alpha: 0.2 } },
    };
    expect(completeAugmentation("batches", JSON.parse(JSON.stringify(augment)), inputOf(8))).toEqual({
      randomResizedCrop: { area: [0.2, 1], aspect: [3 / 4, 4 / 3] },
      paddedCrop: undefined,
      flip: "random",
      colorJitter: { brightness: 0, contrast: 0, saturation: 0, hue: 0.1 },
      cutout: { size: 4 },
      mixup: { alpha: 0.2 },
    });
  });

  it.each<[unknown, string]>([
    [{ flips: "random" }, 'batches: augment: unknown option "flips". Did you mean "flip"?'],
    [{ flip: "both" }, 'augment.flip: expected one of "random", "alternating", found "both"'],
    [{ flip: "" }, "augment.flip"],
    [{ flip: true }, "augment.flip"],
    [{ paddedCrop: { padding: 8 } }, "augment.paddedCrop.padding: expected below 8"],
    [{ paddedCrop: { padding: 0 } }, "augment.paddedCrop.padding"],
    [{ paddedCrop: { padding: 1, fill: "white" } }, "augment.paddedCrop.fill"],
    [{ paddedCrop: { padding: 1 }, randomResizedCrop: {} }, "Give one of the two: both cut the picture."],
    [
      { randomResizedCrop: { area: [0, 1] } },
      "augment.randomResizedCrop.area: expected [low, high], above 0 and at most 1",
    ],
    [{ randomResizedCrop: { area: [0.5, 0.4] } }, "augment.randomResizedCrop.area"],
    [
      { randomResizedCrop: { aspect: [1, Infinity] } },
      "augment.randomResizedCrop.aspect: expected [low, high], above 0",
    ],
    [{ randomResizedCrop: { scale: [0.5, 1] } }, 'unknown option "scale"'],
    [{ randomResizedCrop: true }, "augment.randomResizedCrop"],
    [{ colorJitter: { hue: 0.6 } }, "augment.colorJitter.hue: expected a number of 0 to 0.5, found 0.6"],
    [{ colorJitter: { brightness: "much" } }, "augment.colorJitter.brightness"],
    [{ cutout: { size: 1.5 } }, "augment.cutout.size"],
    [{ cutout: {} }, "augment.cutout.size"],
    [{ mixup: { alpha: 2 } }, "augment.mixup.alpha: expected a number above 0 and at most 1, found 2"],
    [{ mixup: null }, "augment.mixup: options: expected an object, found null"],
    [{ cutout: 0 }, "augment.cutout: options: expected an object, found 0"],
    [null, "OPTION_INVALID"],
  ])("is refused: %j", async (augment, text) => {
    expect(await refused(() => completeAugmentation("batches", augment as Augmentation, inputOf(8)))).toContain(text);
  });
});
