import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DepthwiseError } from "../../../src/core/errors.ts";
import { tensor } from "../../../src/core/tensor.ts";
import { arrays } from "../../../src/train/data/arrays.ts";
import type { Augmentation } from "../../../src/train/data/augmentation.ts";
import type { BatchesOptions } from "../../../src/train/data/batch-options.ts";
import { batches } from "../../../src/train/data/batches.ts";
import type { Dataset } from "../../../src/train/data/dataset.ts";
import { dataset } from "../../../src/train/data/from-iterable.ts";
import { imageFolder } from "../../../src/train/data/image-folder.ts";
import { keepDecoded } from "../../../src/train/data/keep-decoded.ts";
import { describeShared, sharedRoot } from "../../shared.ts";
import { bytes, epochOf, inputOf, noise, refused } from "./pictures.ts";

const everything: Augmentation = {
  randomResizedCrop: {},
  flip: "random",
  colorJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 },
  cutout: { size: 3 },
  mixup: { alpha: 0.4 },
};

const root = mkdtempSync(join(tmpdir(), "batches-"));
let folder: Dataset;

/** Eleven pictures in two classes, of which three are none. */
beforeAll(async () => {
  for (let index = 0; index < 11; index++) {
    const name = join(root, index % 2 === 0 ? "even" : "odd", `${index}.jpg`);
    mkdirSync(join(name, ".."), { recursive: true });
    const raw = { width: 20 + index, height: 16, channels: 3 } as const;
    const jpeg = await sharp(bytes(raw.width * raw.height * 3, index), { raw })
      .jpeg()
      .toBuffer();
    writeFileSync(name, index === 3 ? jpeg.subarray(0, 200) : index === 6 ? "no picture" : index === 9 ? "" : jpeg);
  }
  folder = await imageFolder(root);
});
afterAll(() => rmSync(root, { recursive: true }));

describe("batches", () => {
  it("hold every example once, in an order of the epoch's own, the last one short", async () => {
    const data = arrays(
      tensor(
        Uint8Array.from({ length: 23 }, (_, at) => at),
        [23, 1, 1, 1],
      ),
      [...Array(23).keys()].map((k) => k % 2),
    );
    const options = { input: inputOf(1, 1, { range: [0, 255] }), batch: 5, seed: 9 };
    const epoch = await epochOf(data, options);
    expect(epoch.map(({ count }) => count)).toEqual([5, 5, 5, 5, 3]);
    expect(epoch.map(({ position, next }) => [position, next])).toEqual([
      [0, 5],
      [5, 10],
      [10, 15],
      [15, 20],
      [20, 23],
    ]);
    const order = epoch.flatMap(({ x }) => [...x]);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(23).keys()]);
    expect(epoch.flatMap(({ labels }) => [...(labels ?? [])])).toEqual(order.map((k) => k % 2));
    const next = (await epochOf(data, { ...options, epoch: 1 })).flatMap(({ x }) => [...x]);
    expect(next).not.toEqual(order);
    expect((await epochOf(data, { ...options, shuffle: false })).flatMap(({ x }) => [...x])).toEqual([
      ...Array(23).keys(),
    ]);
  });

  it("of image files are the same bits for any prefetch and concurrency, and once decoded", async () => {
    const options = { input: inputOf(12), batch: 3, seed: 2, epoch: 4, augment: everything };
    const expected = await epochOf(folder, { ...options, prefetch: 0, concurrency: 1 });
    expect(expected.map(({ count, skipped }) => count + skipped.length)).toEqual([3, 3, 3, 2]);
    for (const [prefetch, concurrency] of [
      [0, 8],
      [1, 1],
      [2, 4],
      [7, 3],
      [100, 100],
    ]) {
      expect(await epochOf(folder, { ...options, prefetch, concurrency } as BatchesOptions)).toEqual(expected);
    }
    const held = keepDecoded(folder);
    for (let turn = 0; turn < 2; turn++) expect(await epochOf(held, options)).toEqual(expected);
    expect(await epochOf(keepDecoded(folder, { maxBytes: 3000 }), options)).toEqual(expected);
  });

  it("of a data set that keeps its pixels ask for each file once, as far as there is room", async () => {
    const asked: number[] = [];
    const at: Dataset["at"] = (index, signal) => {
      asked.push(index);
      return folder.at(index, signal);
    };
    const options = { input: inputOf(12), batch: 11, shuffle: false } as const;
    const sound = folder.size - 3;
    const all = keepDecoded({ ...folder, at });
    for (const count of [folder.size, 3, 3]) {
      asked.length = 0;
      await epochOf(all, options);
      expect(asked).toHaveLength(count);
    }
    // The smallest has 20 × 16 pixels: two have room, whichever comes first.
    const few = keepDecoded({ ...folder, at }, { maxBytes: 3 * 16 * (30 + 28) });
    await epochOf(few, options);
    asked.length = 0;
    await epochOf(few, options);
    expect(asked).toHaveLength(3 + sound - 2);
    expect(await refused(() => epochOf(keepDecoded(folder, { maxPixels: 1 }), options))).toContain("none of the 11");
  });

  it("read no more at once than they may", async () => {
    let [inside, most] = [0, 0];
    const slow = noise(20, 6).map(async ({ image }, index) => {
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, index % 3));
      inside--;
      return image;
    });
    await epochOf(slow, { input: inputOf(6), batch: 5, concurrency: 3 });
    expect(most).toBe(3);
  });

  it("do not depend on which picture is there first", async () => {
    const slow = noise(20, 6).map(async ({ image }, index) => {
      await new Promise((done) => setTimeout(done, (7 * index) % 11));
      return image;
    });
    const options = { input: inputOf(6), batch: 4, augment: everything };
    expect(await epochOf(slow, options)).toEqual(await epochOf(noise(20, 6), options));
  });

  it("from a position on are the rest of the epoch", async () => {
    const options = { input: inputOf(6), batch: 4, seed: 5, epoch: 2, augment: everything };
    const whole = await epochOf(noise(18, 6), options);
    for (const { position } of whole) {
      const rest = whole.filter((batch) => batch.position >= position);
      expect(await epochOf(noise(18, 6), { ...options, position })).toEqual(rest);
    }
    expect(await epochOf(noise(18, 6), { ...options, position: 18 })).toEqual([]);
  });

  it("mix pictures and labels alike", async () => {
    // The picture of class c is c everywhere: so what x is mixed of can be read from it.
    const data = arrays(
      tensor(
        Float32Array.from({ length: 60 }, (_, at) => Math.floor(at / 2) % 3),
        [30, 2, 1, 1],
      ),
      Array.from({ length: 30 }, (_, k) => k % 3),
    );
    const options = {
      input: { ...inputOf(2, 1), inputShape: [2, 1, 1] as const },
      batch: 7,
      augment: { mixup: { alpha: 1 } },
    };
    for (const { x, targets, labels, count } of await epochOf(data, options)) {
      expect(labels).toBeUndefined();
      for (let row = 0; row < count; row++) {
        const shares = [...targets!.subarray(3 * row, 3 * row + 3)];
        expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 6);
        expect(shares.every((share) => share >= 0)).toBe(true);
        expect(x[2 * row]).toBeCloseTo(shares[1]! + 2 * shares[2]!, 5);
      }
    }
  });

  it("have targets where the labels are shares", async () => {
    const data = arrays(tensor(bytes(4), [4, 1, 1, 1]), tensor([1, 0, 0.25, 0.75, 0, 1, 0.5, 0.5], [4, 2]));
    const [first] = await epochOf(data, { input: inputOf(1, 1), batch: 3, shuffle: false });
    expect(first?.targets).toEqual(Float32Array.of(1, 0, 0.25, 0.75, 0, 1));
    expect(first?.labels).toBeUndefined();
  });

  it("keep what they hold until they are given back", async () => {
    const options = { input: inputOf(4), batch: 5, prefetch: 0 };
    const copies: Float32Array[] = [];
    const kept: Float32Array[] = [];
    for await (const { x } of batches(noise(20, 4), options)) {
      kept.push(x);
      copies.push(x.slice());
    }
    expect(kept).toEqual(copies);
    const buffers = new Set<unknown>();
    for await (const batch of batches(noise(20, 4), options)) {
      buffers.add(batch.x.buffer);
      batch.release();
      batch.release();
    }
    expect(buffers.size).toBe(1);
  });

  it("say how long they were waited for, and are made while the one before is in use", async () => {
    let made = 0;
    const slow = noise(6, 2).map(async ({ image }) => {
      await new Promise((done) => setTimeout(done, 30));
      made++;
      return image;
    });
    for await (const { waited, position } of batches(slow, { input: inputOf(2), batch: 3, prefetch: 1 })) {
      if (position === 0) expect(waited).toBeGreaterThan(25);
      while (made < 6) await new Promise((done) => setTimeout(done, 5));
    }
  });
});

describe("a picture that cannot be read", () => {
  it("is left out and reported, and the others keep their places", async () => {
    const options = { input: inputOf(12), batch: 4, shuffle: false } as const;
    const epoch = await epochOf(folder, options);
    const skipped = epoch.flatMap((batch) => batch.skipped);
    expect(skipped.map(({ index, name, error }) => [index, name, error.code])).toEqual([
      [4, "even/6.jpg", "IMAGE_UNREADABLE"],
      [7, "odd/3.jpg", "IMAGE_UNREADABLE"],
      [10, "odd/9.jpg", "FILE_EMPTY"],
    ]);
    expect(epoch.map(({ count, position, next }) => [count, position, next])).toEqual([
      [4, 0, 4],
      [2, 4, 8],
      [2, 8, 11],
    ]);
    const sound = await dataset(
      [5, 6, 8, 9].map((index) => ({ image: join(root, folder.nameAt(index)), label: index % 2 })),
    );
    const [all] = await epochOf(sound, options);
    expect([...epoch[1]!.x, ...epoch[2]!.x]).toEqual([...all!.x]);
    expect([...epoch[1]!.labels!, ...epoch[2]!.labels!]).toEqual([5, 6, 8, 9].map((index) => folder.labelAt(index)));
  });

  it("is thrown in its turn if that is asked for", async () => {
    const seen: number[] = [];
    const run = async () => {
      for await (const { position } of batches(folder, {
        input: inputOf(12),
        batch: 2,
        shuffle: false,
        onUnreadable: "throw",
      }))
        seen.push(position);
    };
    expect(await refused(run)).toMatch(/^IMAGE_UNREADABLE .*6\.jpg/);
    expect(seen).toEqual([0, 2]);
  });

  it("leaves an empty batch where it was alone, and an error where there was no other", async () => {
    const broken = await dataset(["a", "b", "a", "b"].map((label) => ({ image: bytes(9), label })));
    const options = { input: inputOf(4), batch: 2 };
    expect(await refused(() => epochOf(broken, options))).toMatch(
      /^IMAGE_UNREADABLE batches: none of the 4 pictures can be read; the first is example \d\. The cause says/,
    );
    const rest = await epochOf(broken, { ...options, position: 2 });
    expect(rest.map(({ count, x, skipped }) => [count, x.length, skipped.length])).toEqual([[0, 0, 2]]);
  });

  it("is one whose name is wrong, but a fault of the data set is none", async () => {
    const missing = await dataset([
      ...[0, 1].map((label) => ({ image: join(root, "even/0.jpg"), label })),
      { image: "/nowhere.jpg", label: 0 },
    ]);
    expect((await epochOf(missing, { input: inputOf(4), batch: 3 }))[0]?.skipped[0]?.error.code).toBe("FILE_NOT_FOUND");
    const faulty = noise(6, 4).map(() => {
      throw new TypeError("a fault");
    });
    await expect(epochOf(faulty, { input: inputOf(4), batch: 3 })).rejects.toThrow("a fault");
    const packageless = noise(6, 4).map(async () => {
      throw new DepthwiseError("PACKAGE_MISSING", { what: "sharp" });
    });
    await expect(epochOf(packageless, { input: inputOf(4), batch: 3 })).rejects.toThrow("sharp");
  });

  it("may be too large to be decoded", async () => {
    const [first] = await epochOf(folder, { input: inputOf(4), batch: 11, shuffle: false, maxPixels: 400 });
    expect(first?.skipped.filter(({ error }) => error.code === "IMAGE_TOO_LARGE")).toHaveLength(3);
  });
});

describe("an abort", () => {
  const hanging = noise(8, 2).map(({ image }, index) => (index < 4 ? image : new Promise<never>(() => {})));

  it("ends what is waited for at once, with its reason", async () => {
    const controller = new AbortController();
    const run = epochOf(hanging, { input: inputOf(2), batch: 2, shuffle: false, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(run).rejects.toThrow("enough");
  });

  it("before the first batch reads nothing", async () => {
    const untouched = noise(8, 2).map(() => {
      throw new Error("it was read");
    });
    const run = epochOf(untouched, { input: inputOf(2), batch: 2, signal: AbortSignal.abort(new Error("enough")) });
    await expect(run).rejects.toThrow("enough");
  });

  it("leaves nothing running, and neither does a loop that is left", async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    const signals: AbortSignal[] = [];
    const at: Dataset["at"] = (index, signal) => {
      signals.push(signal!);
      return folder.at(index, signal);
    };
    const watched: Dataset = { ...folder, at };
    for await (const { position } of batches(watched, { input: inputOf(8), batch: 2, prefetch: 3, shuffle: false })) {
      if (position === 2) break;
    }
    expect(signals.length).toBeGreaterThan(4);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    for await (const batch of batches(hanging, { input: inputOf(2), batch: 2, prefetch: 3, shuffle: false })) {
      expect(batch.count).toBe(2);
      if (batch.position === 2) break;
    }
    const controller = new AbortController();
    const failing = batches(folder, {
      input: inputOf(8),
      batch: 2,
      prefetch: 9,
      shuffle: false,
      onUnreadable: "throw",
      signal: controller.signal,
    });
    await failing.next();
    await new Promise((done) => setTimeout(done, 50));
    controller.abort(new Error("enough"));
    await expect(failing.next()).rejects.toThrow("enough");
    await new Promise((done) => setTimeout(done, 20));
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
  });
});

describe("before any work", () => {
  const input = inputOf(2);
  const oneClass = noise(8, 2, 1);
  const gap = arrays(tensor(bytes(4), [4, 1, 1, 1]), [0, 2, 0, 2], { classes: ["cat", "dog", "bird", "cow"] });

  it.each<[string, unknown, object, string]>([
    [
      "more batch than data",
      noise(8, 2),
      { batch: 9 },
      "OPTION_INVALID batches: data: expected at least one batch of 9 examples, found 8. Pass batch: 8 or less, or add examples.",
    ],
    [
      "one class",
      oneClass,
      {},
      'CLASSES_MISMATCH batches: data: expected at least two classes, found one: "0". Add examples of another class.',
    ],
    [
      "empty classes",
      gap,
      { batch: 2 },
      'CLASSES_MISMATCH batches: data: expected examples of each class, found none of "dog", "cow". Add examples of them, or leave those classes out.',
    ],
    [
      "no examples",
      { ...noise(8, 2), size: 0 },
      {},
      "OPTION_INVALID batches: data: expected at least one example, found none. Add examples.",
    ],
    [
      "a promise of a data set",
      Promise.resolve(noise(8, 2)),
      {},
      "OPTION_INVALID batches: data: expected a data set, found an object. Make one with",
    ],
    ["a list", [], {}, "OPTION_INVALID batches: data"],
    ["no input", noise(8, 2), { input: undefined }, "OPTION_INVALID batches: input"],
    [
      "an input without channels",
      noise(8, 2),
      { input: { inputShape: [2, 2] } },
      "OPTION_INVALID preprocessing: inputShape",
    ],
    ["half a batch", noise(8, 2), { batch: 0.5 }, "OPTION_INVALID batches: batch"],
    [
      "a position behind the end",
      noise(8, 2),
      { batch: 2, position: 9 },
      "OPTION_INVALID batches: position: expected a whole number of at least 0 and at most 8, found 9.",
    ],
    ["an epoch before the first", noise(8, 2), { batch: 2, epoch: -1 }, "OPTION_INVALID batches: epoch"],
    ["a seed that is none", noise(8, 2), { batch: 2, seed: Number.NaN }, "OPTION_INVALID batches: seed"],
    ["a prefetch below 0", noise(8, 2), { batch: 2, prefetch: -1 }, "OPTION_INVALID batches: prefetch"],
    ["no concurrency", noise(8, 2), { batch: 2, concurrency: 0 }, "OPTION_INVALID batches: concurrency"],
    ["a signal that is none", noise(8, 2), { batch: 2, signal: 3 }, "OPTION_INVALID batches: signal"],
    [
      "an unknown choice",
      noise(8, 2),
      { batch: 2, onUnreadable: "ignore" },
      'expected one of "skip", "throw", found "ignore"',
    ],
    ["an unknown option", noise(8, 2), { batchSize: 2 }, 'batches: unknown option "batchSize"'],
    [
      "an unknown augmentation",
      noise(8, 2),
      { batch: 2, augment: { mix: 1 } },
      'batches: augment: unknown option "mix"',
    ],
  ])("is refused: %s", async (_, data, options, text) => {
    expect(await refused(() => batches(data as Dataset, { input, ...options } as BatchesOptions))).toContain(text);
  });

  it("evaluation takes one class, empty ones, and less than a batch", async () => {
    for (const data of [oneClass, gap]) {
      const [only] = await epochOf(data, { input: inputOf(2, 3), batch: 100, shuffle: false });
      expect(only?.count).toBe(data.size);
    }
  });
});

describeShared("the corrupt pictures", () => {
  it("are skipped or read one by one, and end no epoch", async () => {
    const place = resolve(sharedRoot ?? "", "datasets/corrupt");
    const { files } = JSON.parse(readFileSync(join(place, "index.json"), "utf8")) as {
      files: { file: string; expect: { outcome: string } }[];
    };
    const data = await dataset(files.map(({ file }, index) => ({ image: join(place, file), label: index % 2 })));
    const options = { input: inputOf(16), batch: 16, shuffle: false, maxPixels: 2 ** 22 } as const;
    const skipped = (await epochOf(data, options)).flatMap((batch) => batch.skipped.map(({ index }) => index));
    for (const [index, { file, expect: wanted }] of files.entries()) {
      if (wanted.outcome !== "either") expect(skipped.includes(index), file).toBe(wanted.outcome === "error");
    }
    expect(skipped.length).toBeGreaterThan(20);
  });
});
