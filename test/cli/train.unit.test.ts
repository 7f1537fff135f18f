/** `depthwise train`: what it writes, prints and refuses, and that a run goes on as if it had never stopped. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { probeFeatures } from "../../src/kernels/wasm/features.ts";
import { loadModel } from "../../src/weights/index.ts";
import { interrupt, run, shell } from "./command.ts";
import { writeIdxFolder, writePictures } from "./tiny-data.ts";

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-train-"));
  await writePictures(join(folder, "pets"));
  writeIdxFolder(join(folder, "digits"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (...args: readonly string[]) => run(["train", ...args], { cwd: folder });
const SMALL = ["--alpha", "0.1", "--resolution", "12", "--batch", "4", "--threads", "1"] as const;
const read = (...path: readonly string[]) => readFileSync(join(folder, ...path));
const json = (...path: readonly string[]) => JSON.parse(read(...path).toString("utf8"));

interface Line {
  readonly epoch: number;
  readonly time: object;
}

/** The history without what depends on the machine. */
function numbers(out: string): readonly object[] {
  const lines = read(out, "history.jsonl").toString("utf8").trim().split("\n");
  return lines.map((line) => {
    const { time, ...rest } = JSON.parse(line) as Line;
    expect(Object.keys(time).sort()).toEqual(["imagesPerSecond", "seconds", "waitedForData"]);
    return rest;
  });
}

describe("depthwise train", () => {
  it("makes of folders of pictures a network that classify takes, a history, a report and its options", async () => {
    const { code, stdout, stderr } = await train("pets", ...SMALL, "--epochs", "3", "--out", "runs/a");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "pets: 20 pictures in 2 classes",
      "validation on 2 of them, trained on 18",
      expect.stringMatching(
        /^mobilenet_v1_0.1_12: input 12 × 12, colour; [\d,]+ parameters.*; the stem, block 2, block 4 and block 6 have stride 1/,
      ),
    ]);
    expect(stdout).toContain("recipe fast: 3 epochs of 5 updates, 4 pictures each, sgd, rate oneCycle up to 0.00625");
    expect(stdout.match(/^epoch [123]\/3 {2}loss [\d.]+ +[\d.]+ % {2}validation [\d.]+ +[\d.]+ %/gm)).toHaveLength(3);
    // No bar and nothing of a terminal in a pipe.
    expect(stdout).not.toContain("\u001b");
    expect(readdirSync(join(folder, "runs/a")).sort()).toEqual(
      ["checkpoint", "history.jsonl", "model.safetensors", "options.json", "report.html"].sort(),
    );
    expect(numbers("runs/a").map((line) => (line as Line).epoch)).toEqual([1, 2, 3]);
    const model = await loadModel(join(folder, "runs/a/model.safetensors"));
    expect(model.info).toMatchObject({ labels: ["cat", "dog"], preprocessing: { resize: "stretch" } });
    const weights = ["--weights", "runs/a/model.safetensors"];
    const said = await run(["classify", "pets/cat/0.png", ...weights, "--json"], { cwd: folder });
    expect(JSON.parse(said.stdout).predictions).toHaveLength(2);
    const options = json("runs/a/options.json");
    expect(options).toMatchObject({
      data: [join(folder, "pets")],
      asked: { alpha: 0.1, resolution: 12, batch: 4, epochs: 3 },
      network: { alpha: 0.1, resolution: 12, inputChannels: 3, classes: 2 },
      recipe: { epochs: 3, batch: 4, labelSmoothing: 0.1 },
      seed: 1,
    });
    const report = read("runs/a/report.html").toString("utf8");
    for (const text of ["<svg", "Loss", "Accuracy", "Learning rate", "dog", "recipe.", "prefers-color-scheme: dark"])
      expect(report).toContain(text);
    expect(report).not.toMatch(/<script|https?:|NaN|undefined/);
  });

  it("takes the options of a run as a recipe, and says so again", async () => {
    const recipe = ["--recipe", "runs/a/options.json", "--epochs", "1", "--rate", "0.5", "--validation", "none"];
    const { code, stdout } = await train("pets", "--alpha", "0.1", "--resolution", "12", ...recipe, "--out", "runs/b");
    expect(code).toBe(0);
    expect(stdout).toContain("no validation");
    expect(stdout).toMatch(/accuracy [\d.]+ % in training/);
    const { schedule, ...rest } = json("runs/a/options.json").recipe;
    expect(json("runs/b/options.json").recipe).toEqual({ ...rest, epochs: 1, schedule: { ...schedule, peak: 0.5 } });
  });

  it("makes of MNIST's files a grey network, tested on their test part", async () => {
    const args = ["--alpha", "0.1", "--epochs", "1", "--recipe", "paper", "--threads", "1", "--out", "runs/digits"];
    const { code, stdout, stderr } = await train("digits", ...args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("digits: IDX, 24 pictures of 12 × 12 in 3 classes\n");
    expect(stdout).toContain("validation on digits/t10k-images-idx3-ubyte: 9 pictures\n");
    expect(stdout).toContain("input 12 × 12, grey");
    expect(json("runs/digits/options.json").recipe).toMatchObject({
      optimizer: { type: "rmsprop", epsilon: 1 },
      // Digits have a left and a right.
      augment: { paddedCrop: { padding: 1, fill: "reflect" } },
    });
    expect(json("runs/digits/options.json").recipe.augment).not.toHaveProperty("flip");
    const evaluated = await run(["evaluate", "runs/digits/model.safetensors", "digits", "--json"], { cwd: folder });
    const validation = (numbers("runs/digits")[0] as { validation: { loss: number; accuracy: number } }).validation;
    const result = JSON.parse(evaluated.stdout);
    expect(result).toMatchObject({ examples: 9, skipped: 0, accuracy: validation.accuracy });
    expect(result.loss).toBeCloseTo(validation.loss, 4);
    expect(result.confusion.flat().reduce((sum: number, count: number) => sum + count)).toBe(9);
  });

  it("after Ctrl-C says how to go on, exits 130, and ends with the bytes of a run that never stopped", async () => {
    const args = ["pets", ...SMALL, "--epochs", "6"];
    expect((await train(...args, "--out", "whole")).code).toBe(0);
    const when = (stdout: string) => stdout.includes("epoch 2/6");
    const broken = await interrupt(["train", ...args, "--out", "broken"], { cwd: folder, when });
    expect([broken.code, broken.signal]).toEqual([130, null]);
    expect(broken.stderr).toMatch(
      /^depthwise: interrupted in epoch [3-6] of 6; go on: depthwise train --resume --out broken\n$/,
    );
    expect(broken.stdout).not.toContain("epoch 6/6");
    expect(existsSync(join(folder, "broken/model.safetensors"))).toBe(false);
    expect(read("broken/report.html").toString("utf8")).toContain(" of 6");
    // With other threads, and the data that it began with.
    const { code, stdout, stderr } = await train("--resume", "--threads", "2", "--out", "broken");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^goes on in epoch [3-6]/m);
    expect(stdout).not.toContain("epoch 1/6");
    expect(numbers("broken")).toEqual(numbers("whole"));
    expect(read("broken/model.safetensors").equals(read("whole/model.safetensors"))).toBe(true);
  });

  it("goes on with the instructions that it began with, and refuses others", async () => {
    const args = ["pets", ...SMALL, "--epochs", "4", "--simd", "plain"];
    expect((await train(...args, "--out", "plain-whole")).code).toBe(0);
    const when = (stdout: string) => stdout.includes("epoch 1/4");
    expect((await interrupt(["train", ...args, "--out", "plain"], { cwd: folder, when })).code).toBe(130);
    if (probeFeatures().relaxed) {
      const { code, stderr } = await train("--resume", "--simd", "relaxed", "--out", "plain");
      expect(stderr).toMatch(/CHECKPOINT_MISMATCH: .*plain.*relaxed|CHECKPOINT_MISMATCH: .*relaxed.*plain/);
      expect(code).toBe(1);
    }
    expect((await train("--resume", "--out", "plain")).code).toBe(0);
    expect(read("plain/model.safetensors").equals(read("plain-whole/model.safetensors"))).toBe(true);
  });

  it("goes on from another directory, with the validation data and the weights that it began with", async () => {
    const args = [
      "pets",
      "--from",
      "whole/model.safetensors",
      "--validation",
      "pets",
      "--epochs",
      "1",
      "--threads",
      "1",
    ];
    const when = (stdout: string) => stdout.includes("epoch 1/2");
    const begun = await interrupt(["train", ...args, "--out", "moved"], { cwd: folder, when });
    expect([begun.code, begun.stdout.includes("epoch 2/2")]).toEqual([130, false]);
    const elsewhere = join(folder, "pets/cat");
    const resume = ["train", "--resume", "--out", "../../moved", "--validation", "../../pets"];
    const { code, stderr } = await run(resume, { cwd: elsewhere });
    expect([code, stderr]).toEqual([0, ""]);
    expect(numbers("moved")).toHaveLength(2);
    expect(json("moved/options.json")).toMatchObject({
      data: [join(folder, "pets")],
      directory: folder,
      asked: { from: "whole/model.safetensors", validation: "pets" },
    });
  });

  it("can be resumed when the disk was full at the first checkpoint", async () => {
    // Room for the model, none for what the optimizer keeps: three times as much. A block has 512 or 1024 bytes.
    const blocks = Math.ceil(read("whole/checkpoint/model.safetensors").length / 512) + 1;
    const args = ["train", "pets", ...SMALL, "--epochs", "6", "--out", "full"];
    const full = await shell(`ulimit -f ${blocks}; exec "$@"`, args, folder);
    expect(full.stderr).toMatch(/FILE_UNREADABLE: .*state-a\.safetensors: it cannot be written \(EFBIG\)\. Make room/);
    expect(readdirSync(join(folder, "full/checkpoint")).sort()).toEqual(["history.jsonl", "model.safetensors"]);
    const { code, stderr } = await train("--resume", "--out", "full");
    expect([code, stderr]).toEqual([0, ""]);
    expect(numbers("full")).toEqual(numbers("whole"));
    expect(read("full/model.safetensors").equals(read("whole/model.safetensors"))).toBe(true);
  });

  it("that has ended is not trained again by --resume, and gives the same files", async () => {
    const before = read("whole/model.safetensors");
    const { code, stdout } = await train("--resume", "--out", "whole");
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/^epoch /m);
    expect(stdout).toContain("\nall epochs are done\n");
    expect(read("whole/model.safetensors").equals(before)).toBe(true);
    expect(numbers("whole")).toHaveLength(6);
  });

  it("fine-tunes a trained network to other classes, and goes on with that too", async () => {
    await writePictures(join(folder, "birds"), ["owl", "tit", "wren"]);
    const from = ["--from", "whole/model.safetensors", "--threads", "1", "--batch", "5"];
    const whole = await train("birds", ...from, "--epochs", "3", "--out", "tuned");
    expect([whole.code, whole.stderr]).toEqual([0, ""]);
    expect(whole.stdout).toContain(
      "from whole/model.safetensors, with a new classifier of 3 classes, which learns alone for 1 epoch before the rest, at twice the highest rate",
    );
    // Of the network that is made, not of the one that it comes from.
    const { totals } = cost(await loadModel(join(folder, "tuned/model.safetensors")));
    expect(whole.stdout).toContain(`; ${totals.parameters.toLocaleString("en-US")} parameters`);
    expect(whole.stdout).toContain("recipe tune: 3 epochs of 6 updates, 5 pictures each, adamw");
    expect(whole.stdout).toContain("epoch 4/4");
    expect((await loadModel(join(folder, "tuned/model.safetensors"))).info.labels).toEqual(["owl", "tit", "wren"]);
    const when = (stdout: string) => stdout.includes("epoch 1/4");
    const args = ["birds", ...from, "--epochs", "3", "--out", "tuned-again"];
    const { code } = await interrupt(["train", ...args], { cwd: folder, when });
    expect(code).toBe(130);
    expect((await train("--resume", "--out", "tuned-again")).code).toBe(0);
    expect(numbers("tuned-again")).toEqual(numbers("tuned"));
    expect(read("tuned-again/model.safetensors").equals(read("tuned/model.safetensors"))).toBe(true);
  });

  it("leaves out a picture that cannot be read, and says so once", async () => {
    writeFileSync(join(folder, "pets/cat/broken.png"), "no picture");
    const { code, stderr } = await train("pets", ...SMALL, "--epochs", "2", "--out", "runs/skips");
    rmSync(join(folder, "pets/cat/broken.png"));
    expect(code).toBe(0);
    expect(stderr.match(/^depthwise: left out: cat\/broken.png: /gm)).toHaveLength(1);
  });

  it.each([
    [
      ["--resume", "--out", "whole", "--epochs", "9"],
      /^depthwise: OPTION_INVALID: train: --resume with --epochs: expected --epochs 6, found 9\. A run goes on/,
    ],
    [
      ["pets", "--out", "whole"],
      /OPTION_INVALID: train: --out: expected a directory without a run, found whole\/options.json\. Go on with that run by --resume/,
    ],
    [["pets", "--out", "x", "--alpha", "-1"], /OPTION_INVALID: mobileNetV1: alpha/],
    [
      ["pets", "--out", "x", "--alpha", "wide"],
      /^error: option '--alpha <number>' argument 'wide' is invalid\. It is not a number/,
    ],
    [
      ["pets", "--out", "x", "--epochs", "1.5"],
      /OPTION_INVALID: recipe: epochs: expected a positive integer, found 1.5/,
    ],
    [["pets", "--out", "x", "--batch", "100"], /OPTION_INVALID: .*batch/],
    [["pets", "--out", "x", "--validation", "1.5"], /neither a share above 0 and below 1, nor none, nor a path/],
    [["pets", "--out", "x", "--simd", "avx"], /Allowed choices are auto, relaxed, plain, wide/],
    [["--out", "x"], /OPTION_INVALID: train: data: expected what to train on, found nothing/],
    [["pets"], /required option '--out <directory>' not specified/],
  ])("refuses %j with exit code 2, and writes nothing", async (args, message) => {
    const { code, stdout, stderr } = await train(...args);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
    expect(existsSync(join(folder, "x"))).toBe(false);
  });

  it.each([
    [
      ["--resume", "--out", "nowhere"],
      /FILE_NOT_FOUND: nowhere\/options.json: there is no such file\. Pass the --out of a run/,
    ],
    [["missing", "--out", "x"], /FILE_NOT_FOUND: missing: there is no such file or folder\. DATA is a folder/],
    [
      ["pets/cat", "--out", "x"],
      /FORMAT_UNKNOWN: pets\/cat: data: .*found 10 pictures without a folder for their class\. Put the pictures/,
    ],
    [
      ["pets", "--out", "x", "--recipe", "quick"],
      /FILE_NOT_FOUND: quick: there is no such file\. --recipe is one of paper, fast, tune, or a JSON file/,
    ],
    [["pets", "--out", "x", "--recipe", "pipe"], /FILE_UNREADABLE: pipe: it is no regular file/],
    [["pets", "--out", "x", "--validation", "pipe"], /FILE_UNREADABLE: pipe: it is no regular file/],
    [["pets", "--out", "x", "--recipe", "pets/cat/0.png"], /FORMAT_UNKNOWN: pets\/cat\/0.png: expected JSON/],
    [
      ["pets", "--out", "x", "--validation", "digits"],
      /CLASSES_MISMATCH: digits: classes: expected those of the training data: cat, dog/,
    ],
    [
      ["pets", "--out", "pets/cat/0.png/x"],
      /FILE_UNREADABLE: pets\/cat\/0.png\/x: the directory cannot be made \(ENOTDIR\)\. A file is in the way/,
    ],
  ])("fails on %j with exit code 1, and leaves no run", async (args, message) => {
    const { code, stderr } = await train(...args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
    expect(existsSync(join(folder, "x"))).toBe(false);
  });

  it.each([
    [
      '{ "epochs": 2, "augmnt": {} }',
      2,
      /OPTION_INVALID: recipe recipe\.json: unknown option "augmnt"\. Did you mean "augment"/,
    ],
    [
      '{ "optimizer": { "type": "sdg" } }',
      2,
      /OPTION_INVALID: fit: optimizer\.type: expected one of .*Did you mean "sgd"/,
    ],
    [
      '{ "schedule": { "type": "cosine", "rate": -1 } }',
      2,
      /OPTION_INVALID: fit: schedule\.rate: expected a finite number above 0/,
    ],
    [
      '{ "augment": { "flip": "often" } }',
      2,
      /OPTION_INVALID: fit: augment\.flip: expected one of "random", "alternating"/,
    ],
    ["[1, 2]", 1, /FORMAT_UNKNOWN: recipe\.json: expected a JSON object, found \[1, 2\]/],
    ["{", 1, /FORMAT_UNKNOWN: recipe\.json: expected JSON/],
    ['{ "epochs": 1, "epochs": 2 }', 1, /FORMAT_UNKNOWN: recipe\.json: expected each key once/],
  ])("refuses the recipe %j with exit code %i, before anything is written", async (text, expected, message) => {
    writeFileSync(join(folder, "recipe.json"), text);
    const { code, stdout, stderr } = await train("pets", ...SMALL, "--recipe", "recipe.json", "--out", "x");
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([expected, ""]);
    expect(existsSync(join(folder, "x"))).toBe(false);
  });

  it("says what is wrong with the options of a run that were changed", async () => {
    mkdirSync(join(folder, "spoiled"));
    writeFileSync(join(folder, "spoiled/options.json"), '{ "data": "pets" }');
    const { code, stderr } = await train("--resume", "--out", "spoiled");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^depthwise: FILE_CORRUPT: spoiled\/options\.json: expected the options of a run: data, asked and recipe, found an object with data\./,
      ),
    ]);
  });

  it("names in its help what data may be and where the files go", async () => {
    const { code, stdout } = await train("--help");
    expect(code).toBe(0);
    for (const text of ["--recipe <name>", "--resume", "--from <weights>", "MNIST's four files", "model.safetensors"])
      expect(stdout.replaceAll(/\s+/g, " ")).toContain(text);
  });
});
