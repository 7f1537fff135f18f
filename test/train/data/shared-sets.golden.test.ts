/** The data sets beside the project, by the figures that their READMEs give. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { completePreprocessing } from "../../../src/core/preprocessing.ts";
import { decodeImage } from "../../../src/images/decode.ts";
import { preprocess } from "../../../src/images/preprocess.ts";
import { batches } from "../../../src/train/data/batches.ts";
import { cifar10 } from "../../../src/train/data/cifar10.ts";
import type { Dataset } from "../../../src/train/data/dataset.ts";
import type { PixelImage } from "../../../src/train/data/example.ts";
import { idx } from "../../../src/train/data/idx.ts";
import { imageFolder } from "../../../src/train/data/image-folder.ts";
import { describeShared, sharedRoot } from "../../shared.ts";
import { inputOf } from "./pictures.ts";

const folder = (name: string) => resolve(sharedRoot ?? "", "datasets", name);

function counts(data: Dataset): number[] {
  const found = data.classes.map(() => 0);
  for (let index = 0; index < data.size; index++) found[data.labelAt(index) as number]!++;
  return found;
}

async function pixelsAt(data: Dataset, index: number): Promise<Uint8Array> {
  return ((await data.at(index)).image as PixelImage).data as Uint8Array;
}

describeShared("MNIST", () => {
  const part = (name: string) =>
    idx(
      resolve(folder("mnist"), `${name}-images-idx3-ubyte.gz`),
      resolve(folder("mnist"), `${name}-labels-idx1-ubyte.gz`),
    );

  it("has the digits that it is known to have", async () => {
    const [train, test] = [await part("train"), await part("t10k")];
    expect([train.size, test.size]).toEqual([60_000, 10_000]);
    expect(counts(train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(counts(test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([0, 1, 2, 3, 4].map((index) => train.labelAt(index))).toEqual([5, 0, 4, 1, 9]);
    expect([0, 1, 2, 3, 4].map((index) => test.labelAt(index))).toEqual([7, 2, 1, 0, 4]);
    // Of the first picture, a five, the first row with ink.
    const first = await pixelsAt(train, 0);
    expect([...first.subarray(5 * 28 + 12, 5 * 28 + 24)]).toEqual([
      3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127,
    ]);
  });

  it("has the mean pixel that it is known to have, and every example once an epoch", async () => {
    const test = await part("t10k");
    let sum = 0;
    let count = 0;
    const labels = new Array<number>(10).fill(0);
    for await (const batch of batches(test, { input: inputOf(28, 1, { range: [0, 1] }), batch: 128, seed: 3 })) {
      for (const value of batch.x) sum += value;
      for (const label of batch.labels ?? []) labels[label]!++;
      count += batch.count;
      batch.release();
    }
    expect(count).toBe(10_000);
    expect(sum / (count * 784)).toBeCloseTo(0.13251, 5);
    expect(labels).toEqual(counts(test));
  });

  it("is split by class, the same way each time", async () => {
    const test = await part("t10k");
    const [train, rest] = test.split(0.9, 4);
    expect(counts(train)).toEqual([882, 1022, 929, 909, 884, 803, 862, 925, 877, 908]);
    expect(train.size + rest.size).toBe(10_000);
    expect((await rest.at(17)).name).toBe((await test.split(0.9, 4)[1].at(17)).name);
    expect(counts(test.take(100))).toEqual([10, 11, 10, 10, 10, 9, 10, 10, 10, 10]);
  });
});

describeShared("CIFAR-10, a sample", () => {
  const path = (name: string) => resolve(folder("cifar-sample"), name);

  it("has the records that it is known to have", async () => {
    const train = await cifar10(path("data_batch_1_first200.bin"));
    const test = await cifar10([path("test_batch_first100.bin")]);
    expect(train.classes.join("\n")).toBe(readFileSync(path("batches.meta.txt"), "utf8").trim());
    expect(counts(train)).toEqual([14, 28, 22, 21, 19, 19, 18, 21, 15, 23]);
    expect(counts(test)).toEqual([10, 6, 8, 10, 7, 8, 16, 11, 13, 11]);
    expect([0, 1, 2, 3, 4].map((index) => train.labelAt(index))).toEqual([6, 9, 9, 4, 1]);
    const red = (pixels: Uint8Array) => [0, 1, 2, 3, 4].map((pixel) => pixels[3 * pixel]);
    expect(red(await pixelsAt(train, 0))).toEqual([59, 43, 50, 68, 98]);
    expect(red(await pixelsAt(test, 0))).toEqual([158, 159, 165, 166, 160]);
  });

  it("has its planes beside each other, in files behind each other", async () => {
    const files = [path("data_batch_1_first200.bin"), path("test_batch_first100.bin")];
    const both = await cifar10(files);
    expect(both.size).toBe(300);
    const record = readFileSync(files[1] ?? "").subarray(7 * 3073, 8 * 3073);
    const pixels = await pixelsAt(both, 207);
    for (const pixel of [0, 31, 500, 1023]) {
      expect([...pixels.subarray(3 * pixel, 3 * pixel + 3)]).toEqual(
        [0, 1, 2].map((plane) => record[1 + 1024 * plane + pixel]),
      );
    }
  });
});

describeShared("flowers", () => {
  it("are five folders of 150, and in parts as large as asked for", async () => {
    const flowers = await imageFolder(folder("flowers"));
    expect([flowers.size, flowers.classes]).toEqual([750, ["daisy", "dandelion", "roses", "sunflowers", "tulips"]]);
    expect(counts(flowers)).toEqual([150, 150, 150, 150, 150]);
    expect(flowers.nameAt(0)).toBe("daisy/102841525_bd6628ae3c.jpg");
    const [train, test] = flowers.split(0.7, 20260101);
    expect([counts(train), counts(test)]).toEqual([
      [105, 105, 105, 105, 105],
      [45, 45, 45, 45, 45],
    ]);
    const names = [train, test].flatMap((part) => Array.from({ length: part.size }, (_, index) => part.nameAt(index)));
    expect(new Set(names).size).toBe(750);
  });

  it("become in a batch what preprocess makes of each", async () => {
    const flowers = (await imageFolder(folder("flowers"))).take(20);
    const input = completePreprocessing([64, 64, 3]);
    let index = 0;
    for await (const { x, count } of batches(flowers, { input, batch: 8, shuffle: false })) {
      for (let row = 0; row < count; row++, index++) {
        const pixels = await decodeImage((await flowers.at(index)).image as string);
        expect(x.subarray(row * 12_288, (row + 1) * 12_288)).toEqual(preprocess(pixels, input));
      }
    }
    expect(index).toBe(20);
  });
});
