/** Images belong to the caller again when the call returns, or when the source is asked for the next. */

import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type ClassifierOptions, createClassifier, type ImageSource } from "../../src/classify/index.ts";
import { tensor } from "../../src/core/tensor.ts";
import { decodeImage } from "../../src/images/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

const LABELS = ["a", "b", "c", "d"];
const tiny = () => mobileNetV1({ alpha: 0.25, resolution: 32, classes: 4, labels: LABELS });
const SEEDS = [10, 60, 120, 180, 240];

/** Pixels that differ enough for other answers. */
function pixels(seed: number, width = 40, height = 30) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < data.length; i++) data[i] = i % 4 === 3 ? 255 : (i * seed + (i >> 5) * 3 + seed) % 256;
  return { width, height, data };
}

const files = new Map<number, Uint8Array>();
beforeAll(async () => {
  for (const seed of SEEDS) {
    const { width, height, data } = pixels(seed);
    files.set(
      seed,
      new Uint8Array(
        await sharp(data, { raw: { width, height, channels: 4 } })
          .png()
          .toBuffer(),
      ),
    );
  }
});
afterEach(() => vi.unstubAllGlobals());

const bytesOf = (seed: number) => files.get(seed)!.slice();
/** A buffer as long as the longest file; what is behind the end of a PNG is not looked at. */
const room = () => new Uint8Array(Math.max(...[...files.values()].map(({ length }) => length)));

const transfer = (view: Uint8Array | Uint8ClampedArray) =>
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });

describe.each<[string, ClassifierOptions]>([
  ["one at a time", {}],
  ["three in a batch", { batch: 3 }],
])("a classifier, %s", (_name, options) => {
  const answers = async () => {
    using classifier = await createClassifier(tiny(), options);
    const results = [];
    for (const seed of SEEDS) results.push(await classifier.classify(pixels(seed)));
    return results;
  };

  it("classify reads pixels at the call, alone and in a list", async () => {
    using classifier = await createClassifier(tiny(), options);
    const expected = await answers();
    const image = pixels(SEEDS[0]!);
    const runs = SEEDS.map((seed) => {
      image.data.set(pixels(seed).data);
      return classifier.classify(image);
    });
    transfer(image.data);
    expect(await Promise.all(runs)).toEqual(expected);

    const list = SEEDS.map((seed) => pixels(seed));
    const together = classifier.classify(list);
    for (const { data } of list) data.fill(0);
    list.length = 1;
    expect(await together).toEqual(expected);
  });

  it("classify reads bytes at the call, alone and in a list", async () => {
    using classifier = await createClassifier(tiny(), options);
    const expected = await answers();
    const buffer = room();
    const runs = SEEDS.map((seed) => {
      buffer.set(bytesOf(seed));
      return classifier.classify(buffer);
    });
    buffer.fill(0);
    expect(await Promise.all(runs)).toEqual(expected);

    const list: ImageSource[] = SEEDS.map((seed) => bytesOf(seed));
    const held = [...list] as Uint8Array[];
    const together = classifier.classify(list);
    for (const bytes of held) transfer(bytes);
    list.fill("nowhere.png");
    expect(await together).toEqual(expected);
  });

  it("classifyAll reads them when the source yields them, so that it may refill one buffer", async () => {
    using classifier = await createClassifier(tiny(), options);
    const expected = await answers();
    const image = pixels(SEEDS[0]!);
    const buffer = room();
    function* ofPixels() {
      for (const seed of SEEDS) {
        image.data.set(pixels(seed).data);
        yield image;
      }
      image.data.fill(0);
    }
    async function* ofBytes() {
      for (const seed of SEEDS) {
        buffer.set(bytesOf(seed));
        yield buffer;
      }
      buffer.fill(0);
    }
    for (const source of [ofPixels(), ofBytes()]) {
      const results = [];
      for await (const { predictions } of classifier.classifyAll<ImageSource>(source)) results.push(predictions);
      expect(results).toEqual(expected);
    }
  });

  it("embed reads its image at the call", async () => {
    using classifier = await createClassifier(tiny(), options);
    const expected = await classifier.embed(pixels(60));
    const image = pixels(60);
    const bytes = bytesOf(60);
    const runs = [classifier.embed(image), classifier.embed(bytes)];
    image.data.fill(0);
    bytes.fill(0);
    for (const run of runs) expect(await run).toEqual(expected);
  });

  it("is made of the model, the labels and the preprocessing of the call", async () => {
    const [expected] = await answers();
    const model = tiny();
    const labels = [...LABELS];
    const range: [number, number] = [-1, 1];
    const making = createClassifier(model, { ...options, labels, preprocessing: { range } });
    model.parameters.set("conv_preds/bias", tensor([9, 9, 9, 9], [4]));
    labels.fill("x");
    range[0] = 0;
    using classifier = await making;
    expect(await classifier.classify(pixels(SEEDS[0]!))).toEqual(expected);
  });
});

describe("what is no signal", () => {
  it.each([{}, "signal", { aborted: false }])(
    "%j is refused by classify, embed, classifyAll and decodeImage",
    async (signal) => {
      using classifier = await createClassifier(tiny());
      const options = { signal } as never;
      const calls = [
        async () => classifier.classify(pixels(10), options),
        async () => classifier.embed(pixels(10), options),
        async () => classifier.classifyAll([pixels(10)], options).next(),
        async () => decodeImage(bytesOf(10), options),
      ];
      for (const call of calls) {
        await expect(call()).rejects.toMatchObject({ code: "OPTION_INVALID", fields: { option: "signal" } });
      }
    },
  );

  it("labels that are no strings are refused", async () => {
    for (const labels of ["abcd", [1, 2, 3, 4], { length: 4 }]) {
      await expect(createClassifier(tiny(), { labels: labels as never })).rejects.toMatchObject({
        code: "OPTION_INVALID",
      });
    }
  });
});

describe("decodeImage", () => {
  it.each([
    ["a Uint8Array", (bytes: Uint8Array) => bytes],
    ["an ArrayBuffer", (bytes: Uint8Array) => bytes.buffer as ArrayBuffer],
    ["a DataView", (bytes: Uint8Array) => new DataView(bytes.buffer)],
  ])("reads %s at the call", async (_name, as) => {
    const expected = await decodeImage(bytesOf(10));
    const overwritten = bytesOf(10);
    const first = decodeImage(as(overwritten));
    overwritten.fill(0);
    expect(await first).toEqual(expected);
    const moved = bytesOf(10);
    const second = decodeImage(as(moved));
    transfer(moved);
    expect(await second).toEqual(expected);
    const error = await decodeImage(moved).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "OPTION_INVALID" });
    expect((error as Error).message).toContain("transferred");
  });

  it("reads a URL at the call", async () => {
    const fetched: string[] = [];
    vi.stubGlobal("fetch", async (input: URL) => {
      fetched.push(String(input));
      return new Response(bytesOf(10) as Uint8Array<ArrayBuffer>);
    });
    using classifier = await createClassifier(tiny());
    const address = new URL("http://127.0.0.1/first.png");
    const run = classifier.classify([pixels(10), address]);
    address.pathname = "/second.png";
    await run;
    expect(fetched).toEqual(["http://127.0.0.1/first.png"]);
  });
});

it("pixels of what a page shows become the input within the call, and wait for nothing", async () => {
  const image = pixels(SEEDS[0]!);
  class Canvas {
    readonly [Symbol.toStringTag] = "OffscreenCanvas";
    readonly width = 40;
    readonly height = 30;
    getContext = () => ({ drawImage: () => undefined, getImageData: () => image });
  }
  vi.stubGlobal("OffscreenCanvas", Canvas);
  using classifier = await createClassifier(tiny());
  const expected = await classifier.classify(pixels(SEEDS[0]!));
  const run = classifier.classify([bytesOf(10), new Canvas() as object as ImageSource]);
  // RGBA has become RGB where it stood, though a file stands before it.
  expect([...image.data.subarray(0, 6)]).toEqual([...rgbOf(pixels(SEEDS[0]!)).subarray(0, 6)]);
  expect((await run)[1]).toEqual(expected);
});

function rgbOf({ data }: ReturnType<typeof pixels>): Uint8ClampedArray {
  return data.filter((_, i) => i % 4 !== 3);
}
