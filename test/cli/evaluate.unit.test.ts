/** `depthwise evaluate`: counts that add up, classes matched by their names, what is refused. */

import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { run } from "./command.ts";
import { writeIdxFolder, writePictures } from "./tiny-data.ts";

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-evaluate-"));
  const small = { alpha: 0.1, resolution: 32 } as const;
  const save = (name: string, labels: readonly string[]) =>
    saveModel(mobileNetV1({ ...small, classes: labels.length, labels }), join(folder, name));
  await save("pets.safetensors", ["cat", "cow", "dog"]);
  // The same network with its first and last output called otherwise.
  await save("turned.safetensors", ["dog", "cow", "cat"]);
  await save("birds.safetensors", ["owl", "dogs"]);
  await saveModel(mobileNetV1({ ...small, classes: 4 }), join(folder, "unnamed.safetensors"));
  await saveModel(mobileNetV1({ ...small, includeTop: false }), join(folder, "headless.safetensors"));
  await saveModel(mobileNetV1({ ...small, classes: 2 }), join(folder, "two.safetensors"));
  await writePictures(join(folder, "pets"));
  await writePictures(join(folder, "numbered"), ["1", "3"]);
  writeIdxFolder(join(folder, "digits"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const evaluate = (...args: readonly string[]) => run(["evaluate", ...args], { cwd: folder });

async function evaluated(...args: readonly string[]) {
  const { code, stdout, stderr } = await evaluate(...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as {
    readonly examples: number;
    readonly accuracy: number;
    readonly top5: number;
    readonly loss: number;
    readonly labels: readonly string[];
    readonly classes: readonly { readonly label: string; readonly examples: number; readonly accuracy: number }[];
    readonly confusion: readonly (readonly number[])[];
  };
}

describe("depthwise evaluate", () => {
  it("counts what classify says, whatever batch and threads", async () => {
    const result = await evaluated("pets.safetensors", "pets");
    expect(result.confusion.map((row) => row.reduce((sum, count) => sum + count, 0))).toEqual([10, 0, 10]);
    expect(result.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ["cat", 10],
      ["dog", 10],
    ]);
    const right = (result.confusion[0]?.[0] ?? 0) + (result.confusion[2]?.[2] ?? 0);
    expect([result.examples, result.accuracy, result.top5]).toEqual([20, right / 20, 1]);
    const weights = ["--weights", "pets.safetensors", "--top-k", "1", "--json"];
    const said = (await run(["classify", "pets/cat", "pets/dog", ...weights], { cwd: folder })).stdout
      .trim()
      .split("\n");
    const isRight = said.map((line) => {
      const { file, predictions } = JSON.parse(line) as { file: string; predictions: readonly { label: string }[] };
      return file.includes(`/${predictions[0]?.label}/`);
    });
    expect(isRight.filter(Boolean)).toHaveLength(right);
    expect(await evaluated("pets.safetensors", "pets", "--batch", "3", "--threads", "2")).toEqual(result);
  });

  it("matches classes by their names, not their places", async () => {
    const [first, turned] = [
      await evaluated("pets.safetensors", "pets"),
      await evaluated("turned.safetensors", "pets"),
    ];
    expect(turned.confusion[2]).toEqual(first.confusion[0]);
    expect(turned.confusion[0]).toEqual(first.confusion[2]);
  });

  it("takes numbers for classes where a model has no names, and of MNIST's files those for testing", async () => {
    expect((await evaluated("unnamed.safetensors", "digits")).examples).toBe(9);
    const numbered = await evaluated("unnamed.safetensors", "numbered");
    expect(numbered.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ["1", 10],
      ["3", 10],
    ]);
  });

  it("shows the data's own names where a model without names has as many outputs", async () => {
    const result = await evaluated("two.safetensors", "pets");
    expect(result.labels).toEqual(["cat", "dog"]);
    expect(result.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ["cat", 10],
      ["dog", 10],
    ]);
    expect((await evaluate("two.safetensors", "pets")).stdout).toMatch(/\n {2}(cat|dog) taken for (cat|dog): /);
  });

  it("prints a line, the classes and what is confused", async () => {
    const { code, stdout, stderr } = await evaluate("pets.safetensors", "pets");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^mobilenet_v1_0.1_32 on pets: 20 pictures in 2 classes\n20 pictures: [\d.]+ % right, loss [\d.]+\n/,
    );
    expect(stdout).toMatch(/\nclass +accuracy +pictures\n/);
    expect(stdout).toMatch(/\nConfused most:\n {2}(cat|dog) taken for (cat|cow|dog): \d+, [\d.]+ % of them\n/);
  });

  it("leaves out a picture that cannot be read, says so, and exits 1", async () => {
    mkdirSync(join(folder, "some", "cat"), { recursive: true });
    mkdirSync(join(folder, "some", "dog"), { recursive: true });
    renameSync(join(folder, "pets/cat/9.png"), join(folder, "some/cat/9.png"));
    writeFileSync(join(folder, "some/dog/broken.png"), "no picture");
    const { code, stdout, stderr } = await evaluate("pets.safetensors", "some", "--json");
    renameSync(join(folder, "some/cat/9.png"), join(folder, "pets/cat/9.png"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^depthwise: left out: dog\/broken.png: /);
    expect(JSON.parse(stdout)).toMatchObject({ examples: 1, skipped: 1 });
  });

  it("hints at no class that has a folder of its own", async () => {
    mkdirSync(join(folder, "named/cat"), { recursive: true });
    mkdirSync(join(folder, "named/car"), { recursive: true });
    for (const name of ["cat", "car"])
      copyFileSync(join(folder, "pets/cat/1.png"), join(folder, `named/${name}/1.png`));
    const { code, stderr } = await evaluate("pets.safetensors", "named");
    expect(code).toBe(1);
    expect(stderr).toMatch(/CLASSES_MISMATCH: .* found "car"\. (?!Is "car" its "cat")/);
  });

  it.each([
    [["cifra10", "pets"], 1, /FILE_NOT_FOUND: cifra10: expected a file, or a network of the package, .*"cifar10"/],
    [
      ["birds.safetensors", "pets"],
      1,
      /CLASSES_MISMATCH: birds\.safetensors: classes of the data: expected those that .* knows: owl, dogs, found "cat", "dog"/,
    ],
    [
      ["unnamed.safetensors", "pets"],
      1,
      /CLASSES_MISMATCH: unnamed\.safetensors: classes of the data: expected 4, as mobilenet\S* has outputs, since it has no labels, found 2: cat, dog\. .*number/,
    ],
    [
      ["headless.safetensors", "pets"],
      1,
      /NETWORK_INVALID: evaluate: .*: expected a network that gives logits or probabilities/,
    ],
    [["missing.safetensors", "pets"], 1, /FILE_NOT_FOUND: missing\.safetensors/],
    [["pets.safetensors", "missing"], 1, /FILE_NOT_FOUND: missing: there is no such file or folder/],
    [["pets.safetensors"], 2, /missing required argument 'data'/],
    [["pets.safetensors", "pets", "--batch", "0"], 2, /OPTION_INVALID: .*batch/],
  ] as const)("refuses %j with exit code %i", async (args, expected, message) => {
    const { code, stdout, stderr } = await evaluate(...args);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([expected, ""]);
  });
});
