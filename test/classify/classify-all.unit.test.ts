/** `classifyAll`: the answers of `classify`, in order, a stream at a time. */

import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { type ClassifierOptions, createClassifier, type ImageSource, type Progress } from "../../src/classify/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

const labels = ["a", "b", "c", "d"];
const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 4, labels });
const flat = (value: number, width = 40, height = 30) => ({
  width,
  height,
  data: new Uint8ClampedArray(4 * width * height).map((_, at) => (at * value) % 251),
});
const images = [flat(255), flat(128, 33, 70), flat(90), flat(200, 64, 20), flat(10), flat(3), flat(77)];

/** Files of noise, and one that is none. */
const files: Blob[] = [];

beforeAll(async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { data, width, height } = flat(seed * 17, 30 + seed, 50 - seed);
    const png = await sharp(data, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    files.push(new Blob([new Uint8Array(png)]));
  }
});

async function* later<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    await new Promise((done) => setTimeout(done, 0));
    yield item;
  }
}

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const result of results) list.push(result);
  return list;
}

describe("classifyAll", () => {
  it.each([
    [1, 1],
    [1, 4],
    [3, 1],
    [3, 4],
    [8, 2],
  ])("with batch %i and concurrency %i gives what classify gives, in order, to the bit", async (batch, concurrency) => {
    const classifier = await createClassifier(model, { batch });
    const alone = await createClassifier(model);
    const sources: ImageSource[] = [...images, ...files];
    const expected = [];
    for (const [index, image] of sources.entries()) {
      expected.push({ index, image, predictions: await alone.classify(image) });
    }
    expect(await all(classifier.classifyAll(sources, { concurrency }))).toEqual(expected);
    expect(await all(classifier.classifyAll(later(sources), { concurrency }))).toEqual(expected);
    expect(await all(classifier.classifyAll(new Set(sources).values(), { concurrency }))).toEqual(expected);
  });

  it("hands back the image itself, and the best topK", async () => {
    const classifier = await createClassifier(model, { batch: 2 });
    for await (const { index, image, predictions } of classifier.classifyAll(images, { topK: 2 })) {
      expect(image).toBe(images[index]);
      expect(predictions).toHaveLength(2);
    }
  });

  it.each<[string, ClassifierOptions]>([
    ["two threads", { threads: 2, worker: () => new Worker(resolve(import.meta.dirname, "../../dist/esm/worker.js")) }],
    ["plain SIMD", { simd: "plain" }],
    ["the plain backend", { backend: "plain" }],
  ])("runs with %s, and agrees", async (_name, options) => {
    const usual = await createClassifier(model, { batch: 2 });
    const other = await createClassifier(model, { batch: 2, ...options });
    const [expected, found] = [await all(usual.classifyAll(images)), await all(other.classifyAll(images))];
    for (const [index, { predictions }] of found.entries()) {
      expect(predictions.map(({ label }) => label)).toEqual(expected[index]?.predictions.map(({ label }) => label));
      for (const [place, { probability }] of predictions.entries())
        expect(probability).toBeCloseTo(expected[index]?.predictions[place]?.probability ?? 0, 4);
    }
    other.close();
  });

  it("is empty for nothing", async () => {
    const classifier = await createClassifier(model, { batch: 3 });
    expect(await all(classifier.classifyAll([]))).toEqual([]);
    expect(await all(classifier.classifyAll(later([])))).toEqual([]);
  });

  it("reports progress, with the total where it is known", async () => {
    const classifier = await createClassifier(model, { batch: 2 });
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => seen.push(progress);
    await all(classifier.classifyAll(images.slice(0, 3), { onProgress }));
    await all(classifier.classifyAll(new Set(images.slice(0, 1)), { onProgress }));
    await all(classifier.classifyAll(later(images.slice(0, 1)), { onProgress }));
    expect(seen).toEqual([
      { done: 1, total: 3 },
      { done: 2, total: 3 },
      { done: 3, total: 3 },
      { done: 1, total: 1 },
      { done: 1 },
    ]);
  });

  it("throws the error of a bad image in its turn", async () => {
    const classifier = await createClassifier(model, { batch: 4 });
    const sources = [...files.slice(0, 2), new Blob(["no picture at all"]), ...files.slice(2)];
    const said: number[] = [];
    const loop = async () => {
      for await (const { index } of classifier.classifyAll(sources)) said.push(index);
    };
    await expect(loop()).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
    expect(said).toEqual([0, 1]);
  });

  it("hands the errors of bad images over in their places when asked to", async () => {
    const classifier = await createClassifier(model, { batch: 2 });
    const sources: ImageSource[] = [files[0]!, new Blob([]), "nowhere.png", null as never, files[1]!];
    const seen: Progress[] = [];
    const results = await all(
      classifier.classifyAll(sources, { onError: "yield", onProgress: (progress) => seen.push(progress) }),
    );
    expect(results.map(({ index, image, error }) => [index, image, error?.code])).toEqual([
      [0, sources[0], undefined],
      [1, sources[1], "FILE_EMPTY"],
      [2, sources[2], "FILE_NOT_FOUND"],
      [3, sources[3], "OPTION_INVALID"],
      [4, sources[4], undefined],
    ]);
    expect(seen.at(-1)).toEqual({ done: 5, total: 5 });
  });

  it("hands over what nobody foresaw of an image as a typed error", async () => {
    const classifier = await createClassifier(model, { batch: 2 });
    const trap = {
      data: new Uint8Array(3),
      height: 1,
      get width(): number {
        throw new TypeError("no width today");
      },
    };
    const results = await all(classifier.classifyAll([trap, files[0]!], { onError: "yield" }));
    expect(results.map(({ error }) => error?.code)).toEqual(["IMAGE_UNREADABLE", undefined]);
    expect(results[0]?.error).toMatchObject({
      message: expect.stringContaining("image 0"),
      cause: expect.any(TypeError),
    });
    await expect(all(classifier.classifyAll([trap]))).rejects.toThrow("no width today");
  });

  it("passes maxPixels on", async () => {
    const classifier = await createClassifier(model);
    const [result] = await all(classifier.classifyAll(files.slice(0, 1), { maxPixels: 100, onError: "yield" }));
    expect(result?.error?.code).toBe("IMAGE_TOO_LARGE");
  });

  it("throws what the source throws, after the images before it", async () => {
    const classifier = await createClassifier(model, { batch: 2 });
    const said: number[] = [];
    function* breaks() {
      yield* images.slice(0, 3);
      throw new Error("the source broke");
    }
    const loop = async () => {
      for await (const { index } of classifier.classifyAll(breaks())) said.push(index);
    };
    await expect(loop()).rejects.toThrow("the source broke");
    expect(said).toEqual([0, 1, 2]);
  });

  it("ends with the signal's reason, leaves the source, and the classifier still works", async () => {
    const classifier = await createClassifier(model, { batch: 2 });
    const controller = new AbortController();
    const reason = new Error("enough");
    const seen = { pulled: 0, left: false };
    function* endless() {
      try {
        for (;;) yield files[seen.pulled++ % files.length]!;
      } finally {
        seen.left = true;
      }
    }
    const loop = async () => {
      for await (const { index } of classifier.classifyAll(endless(), { concurrency: 3, signal: controller.signal })) {
        expect(seen.pulled - index).toBeLessThanOrEqual(3 + 2);
        if (index === 6) controller.abort(reason);
      }
    };
    await expect(loop()).rejects.toBe(reason);
    expect(seen.left).toBe(true);
    expect(await classifier.classify(images[0]!)).toHaveLength(4);
  });

  it("leaves the source when the loop is left", async () => {
    const classifier = await createClassifier(model);
    const seen = { pulled: 0, left: false };
    async function* endless() {
      try {
        for (;;) yield images[seen.pulled++ % images.length]!;
      } finally {
        seen.left = true;
      }
    }
    for await (const { index } of classifier.classifyAll(endless())) if (index === 2) break;
    expect(seen.left).toBe(true);
    const { pulled } = seen;
    await new Promise((done) => setTimeout(done, 5));
    expect(seen.pulled).toBe(pulled);
  });

  it("pulls nothing until it is asked for a result", async () => {
    const classifier = await createClassifier(model);
    let pulled = 0;
    function* counted() {
      for (const image of images) {
        pulled++;
        yield image;
      }
    }
    const results = classifier.classifyAll(counted());
    await new Promise((done) => setTimeout(done, 5));
    expect(pulled).toBe(0);
    await results.next();
    expect(pulled).toBeGreaterThan(1);
    await results.return();
  });

  it("rejects when the classifier was closed", async () => {
    const classifier = await createClassifier(model);
    classifier.close();
    await expect(classifier.classifyAll(images, { onError: "yield" }).next()).rejects.toMatchObject({
      code: "SESSION_CLOSED",
    });
  });

  it.each<[string, unknown, object]>([
    ["an unknown option", images, { concurency: 2 }],
    ["concurrency 0", images, { concurrency: 0 }],
    ["concurrency Infinity", images, { concurrency: Number.POSITIVE_INFINITY }],
    ["topK 0", images, { topK: 0 }],
    ["maxPixels -1", images, { maxPixels: -1 }],
    ["an unknown onError", images, { onError: "ignore" }],
    ["onProgress that is no function", images, { onProgress: true }],
    ["a path", "cat.jpg", {}],
    ["bytes", new Uint8Array(4), {}],
    ["a Blob", new Blob([]), {}],
    ["null", null, {}],
    ["a promise", Promise.resolve(images), {}],
    ["options null", images, null as never],
  ])("refuses %s at the call", async (_name, given, options) => {
    const classifier = await createClassifier(model);
    expect(() => classifier.classifyAll(given as never, options)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });

  it("refuses a model without a top", async () => {
    const classifier = await createClassifier(
      mobileNetV1({ alpha: 0.25, resolution: 32, includeTop: false, pooling: "avg" }),
    );
    expect(() => classifier.classifyAll(images)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
  });

  it.each([
    [{ threads: 0 }, "OPTION_INVALID"],
    [{ simd: "wider" }, "OPTION_INVALID"],
    [{ worker: "worker.js" }, "OPTION_INVALID"],
    [{ thread: 2 }, "OPTION_INVALID"],
  ])("createClassifier refuses %j", async (options, code) => {
    await expect(createClassifier(model, options as never)).rejects.toMatchObject({ code });
  });

  it("needs no cast where errors are thrown, and tells results from errors where they are not", async () => {
    const classifier = await createClassifier(model);
    for await (const { predictions } of classifier.classifyAll(images)) predictions[0]!.label satisfies string;
    for await (const { predictions, error } of classifier.classifyAll(["none.png"], { onError: "yield" })) {
      if (error === undefined) predictions[0]!.label satisfies string;
      else error.code satisfies string;
    }
  });
});

describe("pixels in flight", () => {
  it("may be fewer than one image has: each is then decoded alone, and the answers are the same, in order", async () => {
    using classifier = await createClassifier(model, { threads: 1 });
    using narrow = await createClassifier(model, { threads: 1, maxPixelsInFlight: 1 });
    const many = [...files, ...files];
    const wanted = await all(classifier.classifyAll(many));
    expect(await all(narrow.classifyAll(many, { concurrency: 8 }))).toEqual(wanted);
    const each = await Promise.all(many.map((file) => narrow.classify(file)));
    expect(each).toEqual(wanted.map(({ predictions }) => predictions));
    for (const maxPixelsInFlight of [0, 1.5, "1" as unknown as number]) {
      await expect(createClassifier(model, { maxPixelsInFlight })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    }
  });
});
