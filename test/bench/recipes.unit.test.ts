/** @slow: reads what was built, and trains on 200 pictures. `bench/recipes.mjs`: which runs are kept, and what a run is. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writePictures } from "../train/paper/fixture.ts";

const scripts = resolve(import.meta.dirname, "../../bench/recipes");
const folder = mkdtempSync(join(tmpdir(), "bench-recipes-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Settings {
  readonly epochs: number;
  readonly simd: string;
  readonly data: { readonly sha256: string; readonly examples: number };
}

interface Kept {
  keptRuns(path: string, settings: Settings): readonly object[];
  workedThrough<Task>(
    tasks: readonly Task[],
    width: number,
    work: (task: Task) => Promise<void>,
    failed: (task: Task, cause: unknown) => void,
  ): Promise<void>;
}

const { taskOf, keyOf } = (await import(join(scripts, "task.mjs"))) as {
  taskOf(variant: string, seed: number, settings: Settings): object;
  keyOf(task: object): string;
};
const { keptRuns, workedThrough } = (await import(join(scripts, "kept.mjs"))) as Kept;
const { variants } = (await import(join(scripts, "variants.mjs"))) as { variants(updates: number): object };
const { dataOf } = (await import(join(scripts, "data.mjs"))) as {
  dataOf(folder: string): Promise<Settings["data"]>;
};

const settings: Settings = { epochs: 12, simd: "auto", data: { sha256: "ab", examples: 45_000 } };

describe("a task", () => {
  it.each(Object.keys(variants(1)))("of %s is plain data", (variant) => {
    const task = taskOf(variant, 1, settings);
    expect(JSON.parse(JSON.stringify(task))).toEqual(task);
  });

  it("can be asked for: --only takes names with commas between", () => {
    expect(Object.keys(variants(1)).filter((name) => name.includes(","))).toEqual([]);
  });

  it("has another key for each variant, seed, number of epochs, SIMD and data", () => {
    const names = Object.keys(variants(1));
    const { data } = settings;
    const tasks = [
      ...names.map((variant) => taskOf(variant, 1, settings)),
      taskOf("base", 2, settings),
      taskOf("base", 1, { ...settings, epochs: 1 }),
      taskOf("base", 1, { ...settings, simd: "plain" }),
      taskOf("base", 1, { ...settings, data: { ...data, sha256: "cd" } }),
    ];
    expect(new Set(tasks.map(keyOf)).size).toBe(names.length + 4);
    expect(keyOf(taskOf("base", 1, settings))).toBe(keyOf(taskOf("base", 1, structuredClone(settings))));
  });
});

describe("runs that were made", () => {
  const run = (variant: string, seed: number) => ({
    ...{ key: keyOf(taskOf(variant, seed, settings)), variant, seed },
    ...{ right: 0.8, training: { loss: 1, accuracy: 0.9 }, minutes: 9 },
  });
  const runs = [run("base", 1), run("relu", 1)];
  let files = 0;
  const fileOf = (text: string) => {
    const path = join(folder, `recipes-${++files}.json`);
    writeFileSync(path, text);
    return path;
  };

  it("are those of the file, none without one", () => {
    expect(keptRuns(join(folder, "none.json"), settings)).toEqual([]);
    expect(keptRuns(fileOf(JSON.stringify({ about: {}, settings, runs })), settings)).toEqual(runs);
  });

  const whole = JSON.stringify({ settings, runs });
  it.each<[string, string, Settings, string]>([
    ["epochs", whole, { ...settings, epochs: 1 }, "holds 2 runs of other settings: epochs was 12, and is 1"],
    ["SIMD", whole, { ...settings, simd: "plain" }, 'simd was "auto", and is "plain"'],
    [
      "data",
      whole,
      { ...settings, data: { sha256: "cd", examples: 45_000 } },
      'data was {"sha256":"ab","examples":45000}',
    ],
    ["an older file", JSON.stringify({ epochs: 12, runs }), settings, "epochs was undefined, and is 12"],
    ["half a file", whole.slice(0, 60), settings, "is no file of runs"],
    [
      "a variant that was changed",
      JSON.stringify({ settings, runs: [runs[0], { ...runs[1], key: "0123" }] }),
      settings,
      'holds a run of "relu", seed 1, as it was before that was changed',
    ],
    [
      "a variant that has gone",
      JSON.stringify({ settings, runs: [{ ...runs[0], variant: "tanh" }] }),
      settings,
      'holds runs of "tanh", which is no variant any more',
    ],
  ])("%s: others are refused in words, and stay", (_, text, now, words) => {
    const path = fileOf(text);
    expect(() => keptRuns(path, now)).toThrow(words);
    expect(() => keptRuns(path, now)).toThrow(`${path} `);
    expect(() => keptRuns(path, now)).toThrow("Move it away to begin anew; --quick keeps a trial apart.");
    expect(readFileSync(path, "utf8")).toBe(text);
  });
});

it("a task that fails takes no other with it", async () => {
  const [done, failures]: [number[], [number, string][]] = [[], []];
  let isSecondWaiting = (): void => {};
  const second = new Promise<void>((go) => {
    isSecondWaiting = go;
  });
  const work = async (task: number) => {
    // The first fails while the second is at work.
    if (task === 1) throw new Error("lost");
    if (task === 2) await second;
    done.push(task);
  };
  await workedThrough([1, 2, 3, 4], 2, work, (task, cause) => {
    failures.push([task, (cause as Error).message]);
    isSecondWaiting();
  });
  expect(failures).toEqual([[1, "lost"]]);
  expect(done.sort()).toEqual([2, 3, 4]);
});

it("a run trains on nine tenths, is judged by the others, and prints a line", async () => {
  const pictures = join(folder, "cifar10");
  writePictures(pictures, 200);
  const data = await dataOf(pictures);
  expect(data).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), examples: 180 });
  const task = taskOf("2 × 2 end map (the paper's strides)", 1, { epochs: 1, simd: "plain", data });
  const args = [join(scripts, "run.mjs"), pictures, JSON.stringify(task)];
  const { right, training, minutes } = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((count) => count / 20)).toContain(right);
  expect(training).toEqual({ loss: expect.any(Number), accuracy: expect.any(Number) });
  expect(minutes).toBeGreaterThanOrEqual(0);
});
