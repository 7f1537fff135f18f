import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { completePreprocessing, type Preprocessing } from "../../src/core/preprocessing.ts";
import { mulberry32 } from "../../src/core/random.ts";
import type { Pixels } from "../../src/images/pixels.ts";
import { cropAndResize, normalize, preprocess } from "../../src/images/preprocess.ts";
import { resizeAntialiased, resizePlain } from "../../src/images/resize.ts";

function noise(width: number, height: number): Pixels {
  const random = mulberry32(width * 1000 + height);
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, () => 256 * random()) };
}

function crop({ width, data }: Pixels, left: number, top: number, toWidth: number, toHeight: number): Pixels {
  const rows = Array.from({ length: toHeight }, (_, y) => {
    const from = 3 * ((top + y) * width + left);
    return [...data.subarray(from, from + 3 * toWidth)];
  });
  return { width: toWidth, height: toHeight, data: Uint8Array.from(rows.flat()) };
}

const BYTES = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));

describe("the range", () => {
  it("defaults to [-1, 1]: byte / 127.5 − 1, rounded once", () => {
    const values = normalize(BYTES, completePreprocessing([16, 16, 3]));
    for (let byte = 0; byte < 256; byte++) expect(values[3 * byte]).toBe(Math.fround(byte / 127.5 - 1));
  });

  it("[0, 1] is byte / 255 and [0, 255] the byte itself", () => {
    const unit = normalize(BYTES, completePreprocessing([16, 16, 3], { range: [0, 1] }));
    const whole = normalize(BYTES, completePreprocessing([16, 16, 3], { range: [0, 255] }));
    for (let byte = 0; byte < 256; byte++) {
      expect(unit[3 * byte]).toBe(Math.fround(byte / 255));
      expect(Math.abs((whole[3 * byte] ?? Number.NaN) - byte)).toBeLessThan(2 ** -16);
    }
  });

  it("is replaced by mean and deviation of each channel", () => {
    const description = completePreprocessing([1, 1, 3], {
      mean: [0.485, 0.456, 0.406],
      deviation: [0.229, 0.224, 0.225],
    });
    expect([...normalize(Uint8Array.of(10, 100, 200), description)]).toEqual(
      [(10 / 255 - 0.485) / 0.229, (100 / 255 - 0.456) / 0.224, (200 / 255 - 0.406) / 0.225].map(Math.fround),
    );
  });

  it("with bgr, blue comes first, and the first mean is blue's", () => {
    const description = completePreprocessing([1, 1, 3], {
      channelOrder: "bgr",
      mean: [1, 0, 0],
      deviation: [1, 1, 1],
    });
    expect([...normalize(Uint8Array.of(0, 51, 255), description)]).toEqual([0, Math.fround(0.2), 0]);
  });
});

describe("one channel", () => {
  const description = completePreprocessing([2, 2, 1], { range: [0, 255], resize: "stretch" });

  it("is the luma in fixed point, as Pillow has it", () => {
    const grey = normalize(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30), description);
    expect([...grey].map(Math.round)).toEqual([76, 150, 29, 18]);
  });

  it("takes grey bytes as they are", () => {
    expect([...normalize(Uint8Array.of(0, 255, 255, 0), description)]).toEqual([0, 255, 255, 0]);
  });

  it("is made before the resize, with either filter", () => {
    const image = noise(7, 5);
    const grey = { ...image, data: image.data.slice() };
    for (let i = 0; i < grey.data.length; i += 3) {
      const [r = 0, g = 0, b = 0] = image.data.subarray(i, i + 3);
      grey.data.fill((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16, i, i + 3);
    }
    expect(cropAndResize(image, description)).toEqual(resizeAntialiased(grey, 2, 2).data);
    const plain = { ...description, filter: "plain", range: [0, 1] } as const;
    const expected = resizePlain(grey, 2, 2).filter((_, i) => i % 3 === 0);
    expect(preprocess(image, plain)).toEqual(expected.map((value) => value / 255));
  });
});

describe("size and crop", () => {
  it.each([
    [50, 40, 16, 16, 23, 18],
    [40, 50, 16, 16, 18, 23],
    [40, 40, 16, 16, 18, 18],
    [50, 40, 8, 16, 18, 14],
    [50, 40, 16, 8, 23, 18],
    [9, 200, 10, 7, 8, 178],
  ])(
    "shorterSide takes %i × %i to %i rows of %i over %i × %i",
    (width, height, toHeight, toWidth, fullWidth, fullHeight) => {
      const image = noise(width, height);
      const full = resizeAntialiased(image, fullWidth, fullHeight);
      const left = Math.floor((fullWidth - toWidth) / 2);
      const top = Math.floor((fullHeight - toHeight) / 2);
      const actual = cropAndResize(image, completePreprocessing([toHeight, toWidth, 3]));
      expect(actual).toEqual(crop(full, left, top, toWidth, toHeight).data);
    },
  );

  it("stretch does not keep the aspect and cuts nothing off", () => {
    const image = noise(30, 11);
    const actual = cropAndResize(image, completePreprocessing([6, 9, 3], { resize: "stretch" }));
    expect(actual).toEqual(resizeAntialiased(image, 9, 6).data);
  });

  it("cropThenStretch leaves TensorFlow's margins on both sides", () => {
    // 213 · 0.875 = 186.375: margins of ⌊13.31⌋, so 187 rows stay, not 186.
    const image = noise(40, 213);
    const actual = cropAndResize(image, completePreprocessing([12, 12, 3], { resize: "cropThenStretch" }));
    expect(actual).toEqual(resizeAntialiased(crop(image, 2, 13, 36, 187), 12, 12).data);
  });

  it("the plain filter is not rounded", () => {
    const image = noise(13, 9);
    const actual = preprocess(
      image,
      completePreprocessing([4, 4, 3], { resize: "stretch", filter: "plain", range: [0, 1] }),
    );
    expect(actual).toEqual(resizePlain(image, 4, 4).map((value) => value / 255));
  });

  it.each([
    [65_500, 1],
    [1, 65_500],
  ])("a strip of %i × %i pixels needs no memory for what is cut off", (width, height) => {
    const strip = { width, height, data: new Uint8Array(3 * width * height).fill(77) };
    const values = preprocess(strip, completePreprocessing([224, 224, 3], { range: [0, 255] }));
    expect(values.length).toBe(224 * 224 * 3);
    expect(values.every((value) => value === values[0])).toBe(true);
  });
});

describe("what cannot be meant is refused", () => {
  const code = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (error) {
      return isDepthwiseError(error) ? error.code : error;
    }
  };

  const wrong: readonly (readonly [string, object])[] = [
    ["a crop of nothing", { cropFraction: 0 }],
    ["a crop beyond the image", { cropFraction: 1.01 }],
    ["a crop of NaN", { cropFraction: Number.NaN }],
    ["a range of one number", { range: [1] }],
    ["an infinite range", { range: [0, Number.POSITIVE_INFINITY] }],
    ["a mean without deviation", { mean: [0, 0, 0] }],
    ["a deviation without mean", { deviation: [1, 1, 1] }],
    ["two means for three channels", { mean: [0, 0], deviation: [1, 1, 1] }],
    ["a deviation of 0", { mean: [0, 0, 0], deviation: [1, 0, 1] }],
    ["a filter there is not", { filter: "bicubic" }],
    ["a resize there is not", { resize: "fit" }],
    ["an order there is not", { channelOrder: "gbr" }],
    ["an option there is not", { cropfraction: 0.5 }],
  ];
  it.each(wrong)("%s", (_name, description) => {
    expect(code(() => completePreprocessing([8, 8, 3], description as Preprocessing))).toBe("OPTION_INVALID");
  });

  it.each([[[8, 8]], [[8, 8, 2]], [[0, 8, 3]], [[8.5, 8, 3]]])("the input shape %j", (shape) => {
    expect(code(() => completePreprocessing(shape))).toBe("OPTION_INVALID");
  });

  it("values that are no whole pixels", () => {
    expect(code(() => normalize(new Uint8Array(10), completePreprocessing([2, 2, 3])))).toBe("SHAPE_MISMATCH");
  });

  it("of preprocess under its own name, having read the description once", () => {
    expect(() => preprocess({} as never, completePreprocessing([2, 2, 3]))).toThrow(/^preprocess: /);
    expect(() => preprocess(noise(2, 2), 5 as never)).toThrow(/^preprocess: description/);
    let reads = 0;
    const { range, ...rest } = completePreprocessing([2, 2, 3]);
    const counted = Object.defineProperty({ ...rest, range }, "range", {
      enumerable: true,
      get: () => ++reads && range,
    });
    preprocess(noise(3, 3), counted);
    expect(reads).toBe(1);
  });
});
