/** DATA of `train` and `evaluate`: recognised by content, refused with what was found and what is expected. */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openData } from "../../src/cli/training-data.ts";
import { networkOf, networkPlan, networkWords } from "../../src/cli/training-network.ts";
import { encodeModel, loadModel } from "../../src/weights/index.ts";
import { cifarBytes, idxBytes, writeIdxFolder, writeIdxPair, writePictures } from "./tiny-data.ts";

let folder = "";
const { signal } = new AbortController();
const at = (...names: readonly string[]) => join(folder, ...names);
const opened = (...names: readonly string[]) =>
  openData(
    names.map((name) => at(name)),
    signal,
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-data-"));
  await writePictures(at("pets"));
  for (const part of ["train", "val"]) await writePictures(at("parts", part));
  for (const part of ["test", "train", "valid"]) await writePictures(at("thirds", part));
  await writePictures(at("uneven", "train"), ["cat", "dog", "fox"]);
  await writePictures(at("uneven", "test"), ["cat", "cow"]);
  writeIdxFolder(at("digits"));
  for (const name of ["cifar", "batches", "mixed", "bare", "loose"]) mkdirSync(at(name));
  writeFileSync(at("cifar", "data_batch_1.bin"), cifarBytes(20));
  writeFileSync(at("cifar", "data_batch_2.bin"), cifarBytes(10));
  writeFileSync(at("cifar", "test_batch.bin"), cifarBytes(10));
  writeFileSync(at("cifar", "batches.meta.txt"), "airplane\n");
  // What they are stands in them, not in their names.
  writeIdxPair(at("a.dat"), at("b.dat"), 6, true);
  writeFileSync(at("batches", "x.dat"), cifarBytes(10));
  writeFileSync(at("notes.txt"), "nothing");
  writeFileSync(at("mixed", "notes.txt"), "nothing");
  copyFileSync(at("a.dat"), at("mixed", "pictures.dat"));
  copyFileSync(at("pets", "cat", "0.png"), at("loose", "0.png"));
  writeFileSync(at("short.dat"), idxBytes([2, 12, 12], () => 0).subarray(0, 100));
  writeFileSync(
    at("labels-of-2.dat"),
    idxBytes([2], () => 1),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("data for training", () => {
  it("are folders of pictures, with the part for testing where there is one", async () => {
    const pets = await opened("pets");
    expect(pets).toMatchObject({ kind: "pictures", words: `${at("pets")}: 20 pictures in 2 classes` });
    expect([pets.train.size, pets.test, pets.testWords]).toEqual([20, undefined, undefined]);
    const parts = await opened("parts");
    expect([parts.train.size, parts.test?.size, parts.testWords]).toEqual([
      20,
      20,
      `${at("parts", "val")}: 20 pictures`,
    ]);
  });

  it("of three parts are judged on the one for validation in training, on the one for testing in evaluation", async () => {
    const words = async (use?: "evaluation") => (await openData([at("thirds")], signal, use)).testWords;
    expect(await words()).toBe(`${at("thirds", "valid")}: 20 pictures`);
    expect(await words("evaluation")).toBe(`${at("thirds", "test")}: 20 pictures`);
    // Of two parts there is no choice.
    expect((await openData([at("parts")], signal, "evaluation")).testWords).toBe(`${at("parts", "val")}: 20 pictures`);
  });

  it.runIf(process.platform !== "win32")("are no pipe, which would be waited for", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    await expect(opened("pipe")).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("pipe: it is no regular file"),
    });
  });

  it("are IDX files: a folder with MNIST's, or a pair in any order under any names", async () => {
    const digits = await opened("digits");
    expect([digits.kind, digits.train.size, digits.test?.size]).toEqual(["idx", 24, 9]);
    expect(digits.words).toBe(`${at("digits")}: IDX, 24 pictures of 12 × 12 in 3 classes`);
    for (const pair of [
      ["a.dat", "b.dat"],
      ["b.dat", "a.dat"],
    ] as const) {
      const { kind, train } = await opened(...pair);
      expect([kind, train.size, train.labelAt(4)]).toEqual(["idx", 6, 1]);
    }
  });

  it("are CIFAR-10's files: a folder with them, one, or several", async () => {
    const all = await opened("cifar");
    expect([all.kind, all.train.size, all.test?.size]).toEqual(["cifar10", 30, 10]);
    expect(all.words).toBe(`${at("cifar")}: CIFAR-10 in 2 files, 30 pictures of 32 × 32 in 10 classes`);
    expect((await opened("batches")).train.size).toBe(10);
    const two = await opened("cifar/data_batch_1.bin", "cifar/test_batch.bin");
    expect([two.train.size, two.test?.size]).toEqual([20, 10]);
    expect((await opened("cifar/test_batch.bin")).train.size).toBe(10);
  });

  it.each([
    [
      ["missing"],
      "FILE_NOT_FOUND",
      /there is no such file or folder\. DATA is a folder with a folder of pictures for each class/,
    ],
    [["notes.txt"], "FORMAT_UNKNOWN", /found other files \(notes\.txt\)/],
    [["a.dat"], "FORMAT_UNKNOWN", /found IDX pictures \(a\.dat\)\. Pass the file of their labels too/],
    [["b.dat"], "FORMAT_UNKNOWN", /found IDX labels \(b\.dat\)\. Pass the file of their pictures too/],
    [["a.dat", "notes.txt"], "FORMAT_UNKNOWN", /IDX pictures \(a\.dat\), other files \(notes\.txt\)/],
    [["a.dat", "labels-of-2.dat"], "SHAPE_MISMATCH", /expected 6 labels, one for each picture/],
    [["short.dat", "labels-of-2.dat"], "FILE_TRUNCATED", /expected 304 bytes, as its head claims, found 100/],
    [["mixed"], "FORMAT_UNKNOWN", /found other files \(notes\.txt\), IDX pictures \(pictures\.dat\)/],
    [["bare"], "FORMAT_UNKNOWN", /found an empty folder/],
    [
      ["loose"],
      "FORMAT_UNKNOWN",
      /found 1 pictures without a folder for their class\. Put the pictures of each class into a folder/,
    ],
    [["pets/cat/0.png"], "FORMAT_UNKNOWN", /found pictures \(0\.png\)\. Put the pictures of each class/],
    [
      ["uneven"],
      "CLASSES_MISMATCH",
      /expected those of the training data: cat, dog, fox, found without dog, fox, with cow/,
    ],
  ] as const)("that are %j are refused as %s", async (names, code, message) => {
    await expect(opened(...names)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("the network for the data", () => {
  it.each([
    [8, "the stem, block 2, block 4 and block 6 have stride 1", 4],
    [16, "the stem, block 2 and block 4 have stride 1", 4],
    [28, "the stem and block 2 have stride 1", 4],
    [40, "the stem and block 2 have stride 1", 4],
    [64, "the stem has stride 1", 4],
    [65, "", 3],
    [224, "", 7],
  ])("at %i pixels leaves enough to the last layers, and says how", async (resolution, words, side) => {
    const { kind, train } = await opened("pets");
    const model = networkOf(await networkPlan(kind, train, { resolution, alpha: 0.25 }), train, 1);
    expect(Math.min(...(model.shapes.get("conv_pw_13") ?? []).slice(0, 2))).toBeGreaterThanOrEqual(side);
    if (words === "") expect(networkWords(model)).not.toContain("stride");
    else expect(networkWords(model)).toMatch(new RegExp(`; ${words}$`));
    // What a file says of it makes the same network again.
    const again = await loadModel(encodeModel(model));
    expect([...again.shapes]).toEqual([...model.shapes]);
    expect(again.info.labels).toEqual(["cat", "dog"]);
    expect(again.info.preprocessing).toEqual(model.info.preprocessing);
  });

  it("of at most 64 pixels leaves 4 × 4 to the last layers or all there are, and gives up no stride for more", async () => {
    const { train } = await opened("pets");
    for (let resolution = 1; resolution <= 64; resolution++) {
      const { layers, shapes } = networkOf({ alpha: 0.25, resolution, inputChannels: 3 }, train, 1);
      const [side = 0] = shapes.get("conv_pw_13") ?? [];
      const twos = layers.filter(({ attributes }) => "stride" in attributes && attributes.stride[0] === 2).length;
      expect([resolution, side]).toEqual([resolution, expect.toSatisfy((found) => found >= Math.min(4, resolution))]);
      // One stride more would leave fewer.
      expect([resolution, Math.ceil(resolution / 2 ** (twos + 1)) < 4]).toEqual([resolution, true]);
    }
  });

  it("has the channels and the size of pictures that have them", async () => {
    const { kind, train } = await opened("digits");
    expect(await networkPlan(kind, train, {})).toEqual({ alpha: 0.25, resolution: 12, inputChannels: 1 });
    const cifar = await opened("cifar");
    expect(await networkPlan(cifar.kind, cifar.train, {})).toEqual({ alpha: 0.25, resolution: 32, inputChannels: 3 });
  });
});
