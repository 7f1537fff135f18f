/** @slow: it takes more than a second. */

/** Lists of images: read at the call, preprocessed one after the other, with the event loop's turn between them. */

import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createClassifier, type ImageSource } from "../../src/classify/index.ts";
import { InternalError } from "../../src/core/errors.ts";
import { textOf } from "../../src/core/options.ts";
import { pixelBudget } from "../../src/images/pixel-budget.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

/** How often an image was made into an input. */
const count = vi.hoisted(() => ({ preprocessed: 0 }));
vi.mock("../../src/images/preprocess.ts", async (original) => {
  const actual = await original<typeof import("../../src/images/preprocess.ts")>();
  const preprocess: typeof actual.preprocess = (...args) => {
    count.preprocessed++;
    return actual.preprocess(...args);
  };
  return { ...actual, preprocess };
});
afterEach(() => {
  count.preprocessed = 0;
});

const labels = ["a", "b"];
const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels });
const reason = new Error("enough");
const large = (seed: number, width = 1000, height = 1000) => {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < data.length; i++) data[i] = (i * seed + (i >> 5)) % 256;
  return { width, height, data };
};
/** One picture many times: 40 ms each to preprocess. */
const many = (length: number) => {
  const picture = large(7);
  return Array.from({ length }, () => picture);
};

describe("a long list of pixels", () => {
  it("does not keep the call from returning, and an abort is heard between two images", async () => {
    using classifier = await createClassifier(model);
    const controller = new AbortController();
    const images = many(60);
    const answers = classifier.classify(images, { signal: controller.signal });
    expect(count.preprocessed).toBeLessThan(20);
    setTimeout(() => controller.abort(reason), 0);
    await expect(answers).rejects.toBe(reason);
    expect(count.preprocessed).toBeLessThan(30);
  });

  it.each([1, 3])(
    "in batches of %d is the caller's own when the call returns, whatever its channels",
    async (batch) => {
      const of = (channels: 1 | 2 | 3 | 4, seed: number, Numbers: typeof Uint8Array | typeof Uint16Array) => {
        const data = new Numbers(channels * 700 * 700).map((_, at) => (at * seed + (at >> 7)) % 65_536);
        return { width: 700, height: 700, channels, data };
      };
      const images = [
        ...[1, 2, 3, 4].map((channels) => of(channels as 1, 10 + channels, Uint8Array)),
        ...[1, 2, 3, 4].map((channels) => of(channels as 1, 1000 + channels, Uint16Array)),
        { ...of(4, 3, Uint8Array), data: Buffer.from(of(4, 3, Uint8Array).data) },
        large(5, 700, 700),
        ...[1, 2, 3, 4].map((channels) => of(channels as 1, 20 + channels, Uint8Array)),
      ];
      using classifier = await createClassifier(model, { batch });
      const expected = [];
      for (const image of images) expected.push(await classifier.classify(image));
      const answers = classifier.classify(images);
      for (const image of images) {
        image.data.fill(0);
        image.width = 1;
      }
      expect(await answers).toEqual(expected);
    },
  );

  it("is checked at the call: a bad image is refused before any is looked at", async () => {
    using classifier = await createClassifier(model);
    const images = [...many(5), { width: 10, height: 10, data: new Uint8Array(7) }];
    await expect(classifier.classify(images)).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
    const start = count.preprocessed;
    const answers = classifier.classify(images);
    await expect(answers).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
    expect(count.preprocessed - start).toBeLessThan(6);
  });

  it("that classifyAll pulls ahead leaves room for others too", async () => {
    using classifier = await createClassifier(model);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 0);
    const results = classifier.classifyAll(many(60), { concurrency: 60, signal: controller.signal });
    await expect(results.next()).rejects.toBe(reason);
    expect(count.preprocessed).toBeLessThan(30);
  });
});

describe("a list with a hole", () => {
  const image = large(3, 8, 8);
  it.each<[string, unknown[]]>([
    ["a hole", Object.assign(new Array(2), { 1: image })],
    ["a hole at the end", Object.assign(new Array(2), { 0: image })],
    ["undefined", [undefined, image]],
    ["null", [image, null]],
  ])("%s is no image", async (_name, images) => {
    using classifier = await createClassifier(model);
    await expect(classifier.classify(images as ImageSource[])).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("names no labels", async () => {
    const given = new Array<string>(2);
    await expect(createClassifier(model, { labels: given })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});

describe("a fault of our own", () => {
  const trap = {
    data: new Uint8Array(3),
    height: 1,
    get width(): number {
      throw new InternalError("An invariant broke.");
    },
  };

  it("is thrown, not blamed on the image", async () => {
    using classifier = await createClassifier(model);
    await expect(classifier.classifyAll([trap], { onError: "yield" }).next()).rejects.toBeInstanceOf(InternalError);
  });

  it("is thrown, not blamed on what is formatted", () => {
    const write = () => {
      throw new InternalError("An invariant broke.");
    };
    expect(() => textOf("formatCost", "result", "a result", {}, write)).toThrow(InternalError);
  });
});

it("options are read at the call of classifyAll, not at each image", async () => {
  using classifier = await createClassifier(model);
  const options: { maxPixels?: number; onError: "yield" } = { onError: "yield" };
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGNgYGD4z8DAAAAGAAEABB0F3AAAAABJRU5ErkJggg==",
    "base64",
  );
  const results = classifier.classifyAll([png, png], options);
  options.maxPixels = 1;
  for await (const { error } of results) expect(error?.code).not.toBe("IMAGE_TOO_LARGE");
});

it("a budget of pixels listens to a signal once, however many wait", async () => {
  const budget = pixelBudget(1);
  await budget.take(1, undefined);
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = Array.from({ length: 20 }, () => budget.take(1, signal));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  controller.abort(reason);
  for (const outcome of await Promise.allSettled(waiting)) expect(outcome).toEqual({ status: "rejected", reason });
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});
