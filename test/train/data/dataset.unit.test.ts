import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { tensor } from "../../../src/core/tensor.ts";
import { arrays } from "../../../src/train/data/arrays.ts";
import { cifar10 } from "../../../src/train/data/cifar10.ts";
import type { Dataset } from "../../../src/train/data/dataset.ts";
import { dataset, type GivenExample } from "../../../src/train/data/from-iterable.ts";
import { imageFolder } from "../../../src/train/data/image-folder.ts";
import { bytes, noise, refused } from "./pictures.ts";

const labelsOf = (data: Dataset) => Array.from({ length: data.size }, (_, index) => data.labelAt(index));
const namesOf = (data: Dataset) => Array.from({ length: data.size }, (_, index) => data.nameAt(index));

describe("a data set", () => {
  const data = noise(30, 4, 3);

  it("is split into two parts that hold each example once, in order", () => {
    const [first, rest] = data.split(0.8, 5);
    expect([first.size, rest.size]).toEqual([24, 6]);
    expect(labelsOf(rest).sort()).toEqual([0, 0, 1, 1, 2, 2]);
    const places = (part: Dataset) => namesOf(part).map((name) => Number(name.replace("example ", "")));
    expect(places(first)).toEqual([...places(first)].sort((a, b) => a - b));
    expect([...places(first), ...places(rest)].sort((a, b) => a - b)).toEqual([...Array(30).keys()]);
  });

  it("is split the same way by the same seed, and another way by another", () => {
    expect(namesOf(data.split(0.5, 5)[0])).toEqual(namesOf(data.split(0.5, 5)[0]));
    expect(namesOf(data.split(0.5, 5)[0])).not.toEqual(namesOf(data.split(0.5, 6)[0]));
    expect(namesOf(data.split(0.5)[0])).toEqual(namesOf(data.split(0.5, 0)[0]));
  });

  it("has every class of two or more in both parts", () => {
    const uneven = arrays(tensor(bytes(5 * 4), [5, 2, 2, 1]), [0, 0, 1, 1, 2]);
    const [first, rest] = uneven.split(0.999);
    expect([labelsOf(first), labelsOf(rest)]).toEqual([
      [0, 1, 2],
      [0, 1],
    ]);
  });

  it("gives the first of each class, as many as asked for", () => {
    const uneven = arrays(tensor(bytes(10 * 4), [10, 2, 2, 1]), [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
    expect(labelsOf(uneven.take(5))).toEqual([0, 0, 0, 1, 1]);
    expect(namesOf(uneven.take(10))).toEqual(namesOf(uneven));
    expect(labelsOf(uneven.take(1))).toEqual([0]);
  });

  it("of many examples is taken from as of few", () => {
    const many = arrays(tensor(new Uint8Array(3e5), [3e5, 1, 1, 1]), new Uint8Array(3e5), { classes: 2 });
    const first = many.take(299_999);
    expect([first.size, first.nameAt(299_998)]).toEqual([299_999, "example 299,998"]);
  });

  it("changes its pictures when they are asked for, and keeps its labels", async () => {
    const seen: string[] = [];
    const grey = data.map(({ name, label }, index) => {
      seen.push(`${name} ${label} ${index}`);
      return { width: 1, height: 1, data: Uint8Array.of(7) };
    });
    expect(seen).toEqual([]);
    expect(await grey.take(4).at(3)).toMatchObject({ label: 0, name: "example 3", image: { width: 1 } });
    expect(seen).toEqual(["example 3 0 3"]);
    const later = data.map(async (example) => example.image);
    expect(await later.at(2)).toMatchObject({ label: 2, name: "example 2" });
    expect(await refused(() => data.map(() => ({ image: 1 }) as never).at(0))).toMatch(
      /^OPTION_INVALID map: what the function gave: image: expected pixels/,
    );
  });

  it.each<[string, () => unknown, string]>([
    ["a share of all", () => data.split(1), "split: share"],
    ["a share that is none", () => data.split("0.9" as never), "split: share"],
    ["half a seed", () => data.split(0.5, 0.5), "split: seed"],
    ["more than there are", () => data.take(31), "take: count: expected at most the 30 examples there are, found 31"],
    ["none of them", () => data.take(0), "take: count"],
    ["what lies behind the end", () => data.at(30), "data set: index"],
    ["a label behind the end", () => data.labelAt(-1), "data set: index"],
    ["no function", () => data.map(3 as never), "map: change"],
  ])("refuses %s", async (_, work, text) => {
    expect(await refused(work)).toContain(`OPTION_INVALID ${text}`);
  });
});

describe("arrays", () => {
  const x = tensor(bytes(3 * 8), [3, 2, 4, 1]);

  it("give pictures by index", async () => {
    const data = arrays(x, Int32Array.of(2, 0, 1));
    expect(await data.at(1)).toEqual({
      image: { width: 4, height: 2, channels: 1, data: x.data.subarray(8, 16) },
      label: 0,
      name: "example 1",
    });
  });

  it("take shares of classes", () => {
    const y = tensor([0.5, 0.5, 1, 0, 0, 1], [3, 2]);
    const data = arrays(x, y, { classes: ["cat", "dog"] });
    expect([data.labelType, data.classes, data.labelAt(0)]).toEqual([
      "shares",
      ["cat", "dog"],
      Float32Array.of(0.5, 0.5),
    ]);
    y.data.fill(0);
    expect(data.labelAt(1)).toEqual(Float32Array.of(1, 0));
  });

  it.each<[string, () => unknown, string]>([
    [
      "too few labels",
      () => arrays(x, [0, 1]),
      "SHAPE_MISMATCH arrays: y: expected 3 labels, one for each picture of x, found 2",
    ],
    ["no tensor", () => arrays(bytes(3) as never, [0]), "OPTION_INVALID arrays: x"],
    ["three axes", () => arrays(tensor(bytes(12), [3, 2, 2]), [0, 1, 2]), "SHAPE_MISMATCH arrays: x"],
    ["five channels", () => arrays(tensor(bytes(15), [3, 1, 1, 5]), [0, 1, 2]), "SHAPE_MISMATCH arrays: x"],
    ["whole numbers", () => arrays(tensor(new Int32Array(3), [3, 1, 1, 1]), [0, 1, 2]), "DTYPE_MISMATCH arrays: x"],
    ["half a class", () => arrays(x, [0, 0.5, 1]), "OPTION_INVALID arrays: label 1"],
    ["a class below 0", () => arrays(x, [0, -1, 1]), "OPTION_INVALID arrays: label 1"],
    [
      "rows in place of a tensor",
      () =>
        arrays(x, [
          [1, 0],
          [0, 1],
          [1, 0],
        ] as never),
      "one-hot ones too, are a float32 tensor",
    ],
    ["labels beyond the classes", () => arrays(x, [0, 3, 1], { classes: 3 }), "CLASSES_MISMATCH arrays: labels"],
    ["shares above 1", () => arrays(x, tensor([2, -1, 1, 0, 0, 1], [3, 2])), "OPTION_INVALID arrays: label 0"],
    [
      "shares that do not add to 1",
      () => arrays(x, tensor([1, 0, 0.5, 0, 0, 1], [3, 2])),
      "OPTION_INVALID arrays: label 1",
    ],
    [
      "shares that are not finite",
      () => arrays(x, tensor([NaN, 1, 1, 0, 0, 1], [3, 2])),
      "OPTION_INVALID arrays: label 0",
    ],
    ["names for other shares", () => arrays(x, tensor([1, 0, 1, 0, 0, 1], [3, 2]), { classes: 3 }), "CLASSES_MISMATCH"],
    ["one name twice", () => arrays(x, [0, 1, 1], { classes: ["a", "a"] }), "OPTION_INVALID arrays: classes"],
    ["an unknown option", () => arrays(x, [0, 1, 1], { clases: 2 } as never), 'unknown option "clases"'],
  ])("refuse %s", async (_, work, text) => {
    expect(await refused(work)).toContain(text);
  });
});

describe("a data set of an iterable", () => {
  const pixel = (value: number) => ({ width: 1, height: 1, data: Uint8Array.of(value) });

  it("holds what comes, sync or async, with labels of any kind", async () => {
    const names = await dataset([
      { image: pixel(1), label: "dog" },
      { image: "a/photo.jpg", label: "cat", name: "mine" },
    ]);
    expect([names.classes, labelsOf(names), namesOf(names)]).toEqual([
      ["cat", "dog"],
      [1, 0],
      ["example 0", "mine"],
    ]);
    async function* later(): AsyncGenerator<GivenExample> {
      yield { image: pixel(1), label: [0.25, 0.75] };
      yield { image: bytes(9), label: Float32Array.of(1, 0) };
    }
    const shares = await dataset(later());
    expect([shares.labelType, shares.labelAt(0)]).toEqual(["shares", Float32Array.of(0.25, 0.75)]);
    expect(await dataset(Promise.resolve(shares))).toBe(shares);
  });

  it("copies bytes and pixels, which are the caller's again", async () => {
    const [file, image] = [bytes(9), pixel(5)];
    const data = await dataset([
      { image: file, label: 0 },
      { image, label: 1 },
    ]);
    file.fill(0);
    image.data.fill(0);
    expect((await data.at(0)).image).toEqual(bytes(9));
    expect((await data.at(1)).image).toMatchObject({ data: Uint8Array.of(5) });
  });

  it("copies shares, and the names of its classes, too", async () => {
    const [row, list, classes] = [new Float32Array(2), [0, 0], ["cat", "dog"]];
    const given = [1, 0, 0.5].map((share) => [share, 1 - share] as const);
    function* refilled(label: Float32Array | number[]): Generator<GivenExample> {
      for (const shares of given) {
        for (const [index, share] of shares.entries()) label[index] = share;
        yield { image: pixel(1), label };
        classes[0] = "cow";
      }
    }
    for (const label of [row, list]) {
      classes[0] = "cat";
      const data = await dataset(refilled(label), { classes });
      expect([data.labelAt(0), data.labelAt(1), data.labelAt(2)]).toEqual(given.map((each) => Float32Array.from(each)));
      expect(data.classes).toEqual(["cat", "dog"]);
    }
    const long = [{ image: pixel(1), label: new Float32Array(1e6) }];
    expect(await refused(() => dataset(long, { maxBytes: 100_000 }))).toMatch(/^MEMORY_EXCEEDED/);
  });

  it("is left at its bound, and so is one that never ends", async () => {
    let isClosed = false;
    function* endless(): Generator<GivenExample> {
      try {
        for (;;) yield { image: "a.jpg", label: 0 };
      } finally {
        isClosed = true;
      }
    }
    expect(await refused(() => dataset(endless(), { maxBytes: 100_000 }))).toMatch(
      /^MEMORY_EXCEEDED dataset: 391 examples: expected at most 100,000 bytes in memory, as maxBytes says/,
    );
    expect(isClosed).toBe(true);
    const large = [{ image: { width: 1000, height: 1000, data: new Uint8Array(1e6) }, label: 0 }];
    expect(await refused(() => dataset(large, { maxBytes: 100_000 }))).toMatch(/^MEMORY_EXCEEDED/);
  });

  it("hears the signal though the source hangs", async () => {
    const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const controller = new AbortController();
    const work = dataset(hanging, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(work).rejects.toThrow("enough");
  });

  it.each<[string, unknown, string]>([
    ["what is no iterable", 3, "dataset: data"],
    ["bytes", bytes(3), "dataset: data"],
    ["a list of pictures", [pixel(1)], "dataset: example 0: expected { image, label }"],
    ["a picture that is none", [{ image: 3, label: 0 }], "dataset: example 0: image"],
    [
      "pixels of another size",
      [{ image: { width: 2, height: 2, data: bytes(5) }, label: 0 }],
      "expected 1 to 4 values a pixel",
    ],
    [
      "names among numbers",
      [
        { image: pixel(1), label: 0 },
        { image: pixel(1), label: "a" },
      ],
      "dataset: label 1",
    ],
    [
      "numbers among names",
      [
        { image: pixel(1), label: "a" },
        { image: pixel(1), label: 0 },
      ],
      "dataset: label 1",
    ],
    [
      "rows of several lengths",
      [
        { image: pixel(1), label: [1, 0] },
        { image: pixel(1), label: [1] },
      ],
      "dataset: label 1",
    ],
  ])("refuses %s", async (_, data, text) => {
    expect(await refused(() => dataset(data as never))).toContain(`OPTION_INVALID`);
    expect(await refused(() => dataset(data as never))).toContain(text);
  });
});

describe("binary batches of CIFAR-10", () => {
  const record = (label: number) => Uint8Array.from({ length: 3073 }, (_, at) => (at === 0 ? label : at & 255));

  it.each<[string, () => unknown, string]>([
    [
      "a label of 10",
      () => cifar10(record(10)),
      "FILE_CORRUPT bytes: the label of record 0: expected 0 to 9, found 10",
    ],
    [
      "half a record",
      () => cifar10(record(1).subarray(0, 1000)),
      "FILE_TRUNCATED bytes: expected records of 3,073 bytes",
    ],
    ["an empty file", () => cifar10(new Uint8Array(0)), "FILE_EMPTY"],
    ["the packed archive", () => cifar10(Uint8Array.of(0x1f, 0x8b, 8)), "FORMAT_UNKNOWN bytes: expected records"],
    ["no file", () => cifar10([]), "OPTION_INVALID cifar10: files"],
    ["a number", () => cifar10(3 as never), "OPTION_INVALID cifar10: files"],
    ["a file that is not there", () => cifar10("/nowhere/data_batch_1.bin"), "FILE_NOT_FOUND"],
  ])("are none: %s", async (_, work, text) => {
    expect(await refused(work)).toContain(text);
  });
});

describe("a folder of pictures", () => {
  const root = mkdtempSync(join(tmpdir(), "image-folder-"));
  afterAll(() => rmSync(root, { recursive: true }));
  const put = (path: string) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "x");
  };
  for (const path of ["good/b/2.JPG", "good/b/10.jpeg", "good/a/x.png", "good/a/notes.txt", "good/B/z.webp"]) put(path);
  for (const path of ["good/.hidden/x.png", "good/a/.x.png", "good/README.md", "good/loose.jpg"]) put(path);
  for (const path of ["nested/train/a/x.png", "nested/test/a/x.png", "flat/x.png", "flat/y.png", "file.png"]) put(path);
  for (const path of ["none/a", "none/b", "good/c"]) mkdirSync(join(root, path), { recursive: true });
  symlinkSync(join(root, "file.png"), join(root, "good/a/linked.png"));
  symlinkSync(join(root, "nowhere"), join(root, "good/a/broken.png"));

  it("has a class a folder, in an order that no language decides", async () => {
    const data = await imageFolder(join(root, "good"));
    expect(data.classes).toEqual(["B", "a", "b", "c"]);
    expect(namesOf(data)).toEqual(["B/z.webp", "a/linked.png", "a/x.png", "b/10.jpeg", "b/2.JPG"]);
    expect(labelsOf(data)).toEqual([0, 1, 1, 2, 2]);
    expect((await data.at(4)).image).toBe(join(root, "good/b/2.JPG"));
  });

  it.each([
    [
      "a folder of parts",
      "nested",
      'CLASSES_MISMATCH imageFolder: "test" in "ROOT/nested": expected the pictures of one class, found no picture, but folders: a. If those are the classes, pass "ROOT/nested/test".',
    ],
    ["pictures without folders", "flat", "found no folder and 2 pictures beside them. Put the pictures of each class"],
    ["folders without pictures", "none", "found no picture in a, b."],
    ["a file", "file.png", "FILE_UNREADABLE ROOT/file.png: it is a file, not a folder."],
    ["nothing", "nowhere", "FILE_NOT_FOUND ROOT/nowhere: there is no such folder. Pass a folder that holds"],
  ])("is refused: %s", async (_, path, text) => {
    expect((await refused(() => imageFolder(join(root, path)))).replaceAll(root, "ROOT")).toContain(text);
  });

  it("is a path, and its reading can be ended", async () => {
    expect(await refused(() => imageFolder(3 as never))).toContain("OPTION_INVALID imageFolder: directory");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(imageFolder(join(root, "good"), { signal })).rejects.toThrow("enough");
  });
});
