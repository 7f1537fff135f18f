/** What `depthwise train` says of runs that went wrong, and of those that are over. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readHistory, runPlaces } from "../../src/cli/training-files.ts";
import { endWords, fewUpdatesWords, interruptedWords, recipeWords } from "../../src/cli/training-words.ts";
import type { FitResult } from "../../src/train/index.ts";
import { run } from "./command.ts";
import { writePictures } from "./tiny-data.ts";

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-train-said-"));
  await writePictures(join(folder, "pets"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (...args: readonly string[]) => run(["train", ...args], { cwd: folder });
const SMALL = ["--alpha", "0.1", "--resolution", "12", "--batch", "4", "--threads", "1", "--simd", "plain"] as const;

describe("depthwise train", () => {
  it("says of a loss far above that of guessing that the run has come to nothing, in numbers that can be read", async () => {
    const { code, stdout } = await train("pets", ...SMALL, "--epochs", "1", "--rate", "1e5", "--out", "high");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^epoch 1\/1 {2}loss \d\.\de\+\d+ .* validation \d\.\de\+\d+ /m);
    expect(stdout).toMatch(
      /^The loss, \d\.\de\+\d+, is far above that of guessing, 0\.6931 \(ln 2\): .* a lower --rate/m,
    );
    expect(stdout).not.toMatch(/\d{9}/);
    expect(readFileSync(join(folder, "high/report.html"), "utf8")).not.toMatch(/\d{9}/);
    const small = await train("pets", ...SMALL, "--epochs", "1", "--out", "low");
    expect(small.stdout).not.toContain("guessing");
  });

  it("of numbers that are none says what to do in its own words", async () => {
    const { code, stderr } = await train("pets", ...SMALL, "--epochs", "2", "--rate", "1e15", "--out", "spoilt");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^depthwise: VALUES_NOT_FINITE: fit: mobilenet_v1_0\.1_12: update \d+: .* a lower --rate/);
    expect(stderr).not.toMatch(/restore|load it anew/);
  });

  it("of a run that stopped early says that nothing is left to train", async () => {
    const schedule = { type: "constant", rate: 1e-9 };
    writeFileSync(join(folder, "early.json"), JSON.stringify({ patience: 1, epochs: 9, schedule }));
    const first = await train("pets", ...SMALL, "--recipe", "early.json", "--out", "early");
    expect(first.stdout).toContain("It stopped early");
    const { code, stdout } = await train("--resume", "--out", "early");
    expect(code).toBe(0);
    expect(stdout).toContain("\nnothing is left to train\n");
    expect(stdout).not.toMatch(/goes on in|^epoch /m);
  });

  it("of a run with patience that came to its end says how good the epoch is whose weights it took", () => {
    const epochs = [0.9, 0.6].map((accuracy, index) => ({
      epoch: index + 1,
      isBest: index === 0,
      validation: { accuracy, loss: 1 + index },
    }));
    const result = {
      history: epochs.map((each) => ({ ...each, time: { seconds: 1 } })),
      best: 1,
    } as unknown as FitResult;
    const places = runPlaces("out");
    expect(endWords(places, 2, { patience: 9 }, result)).toContainEqual(
      expect.stringMatching(/^accuracy 90\.0 % on the validation data, in /),
    );
    expect(endWords(places, 2, {}, result)).toContainEqual(
      expect.stringMatching(/^accuracy 60\.0 % on the validation data, in /),
    );
    const better = 'Epoch 1 was better (90.0 %): "patience" in a file for --recipe takes the weights of the best one.';
    expect(endWords(places, 2, {}, result)).toContain(better);
    expect(endWords(places, 2, { patience: 9 }, result)).not.toContain(better);
  });

  it("of little data says that few updates teach little", () => {
    expect(fewUpdatesWords({ batch: 32, epochs: 1 }, 20)).toEqual([
      "1 update in all teaches little: a smaller --batch makes more of them, and so do more --epochs",
    ]);
    expect(fewUpdatesWords({ batch: 8, epochs: 10 }, 39)).toEqual([]);
  });

  it("of a recipe without a batch says how many pictures an update has", () => {
    expect(recipeWords("own", {}, 20)).toBe("recipe own: 10 epochs of 1 update, 20 pictures each");
    expect(recipeWords("own", {}, 65)).toBe("recipe own: 10 epochs of 3 updates, 32 pictures each");
    expect(recipeWords("own", { batch: 8, epochs: 1 }, 20)).toBe("recipe own: 1 epoch of 3 updates, 8 pictures each");
  });

  it("of a run that is broken off says how to go on with the data that it went on with", () => {
    const places = runPlaces("out");
    expect(interruptedWords(places, [], true, 2, 6)).toMatch(/; go on: depthwise train --resume --out out$/);
    expect(interruptedWords(places, ["new data", "b"], true, 2, 6)).toMatch(
      /; go on: depthwise train 'new data' b --resume --out out$/,
    );
  });

  it.runIf(process.platform !== "win32")("reads no pipe in place of a history", async () => {
    execFileSync("mkfifo", [join(folder, "history.jsonl")]);
    expect(await readHistory(runPlaces(folder).history)).toEqual([]);
  });

  it("of fine-tuning that has ended says so once", async () => {
    await train("pets", ...SMALL, "--epochs", "1", "--out", "base");
    const tuned = await train(
      "pets",
      "--from",
      "base/model.safetensors",
      "--epochs",
      "2",
      "--batch",
      "5",
      "--out",
      "tuned",
    );
    expect(tuned.code).toBe(0);
    const { code, stdout } = await train("--resume", "--out", "tuned");
    expect(code).toBe(0);
    expect(stdout).toContain("\nall epochs are done\n");
    expect(stdout).not.toMatch(/goes on in|^epoch /m);
  });
});
