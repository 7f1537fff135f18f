/** @slow: reads what was built, and trains on 200 pictures. `bench/recipes.mjs`: what a run is, what is kept, and its page. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { writePictures } from "../train/paper/fixture.ts";
import { type Bench, bench, fileOfBench, filesIn, type KeptRuns, madeUp, type Run, type Task } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-recipes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const pictures = join(folder, "cifar10");
writePictures(pictures, 200);

interface Settings {
  readonly epochs: number;
  readonly simd: string;
  readonly data: { readonly sha256: string; readonly examples: number };
}

interface Places {
  readonly results: string;
  readonly quick: string;
  readonly cache: string;
}

const { recipes } = await fileOfBench<{ recipes(args: readonly string[], places: Places): Promise<void> }>(
  "recipes.mjs",
);
const { taskOf, benchOf, VARIANTS } = await fileOfBench<{
  taskOf(variant: string, seed: number, settings: Settings): Task;
  benchOf(settings: Settings): Bench;
  VARIANTS: readonly string[];
}>("recipes/task.mjs");
const { workedThrough } = await fileOfBench<{
  workedThrough<T>(
    tasks: readonly T[],
    width: number,
    work: (task: T) => Promise<void>,
    failed: (task: T, cause: unknown) => void,
  ): Promise<void>;
}>("recipes/worked-through.mjs");
const { recipesPage } = await fileOfBench<{
  recipesPage(runs: readonly Run[], settings: Settings): string;
}>("recipes/page.mjs");
const { dataOf } = await fileOfBench<{ dataOf(folder: string): Promise<Settings["data"]> }>("recipes/data.mjs");
const { keyOf, readRuns, runPath } = await fileOfBench<KeptRuns>("harness/kept-runs.mjs");

const settings: Settings = { epochs: 12, simd: "auto", data: { sha256: "ab", examples: 45_000 } };

describe("a task", () => {
  it.each(VARIANTS)("of %s is plain data", (variant) => {
    const task = taskOf(variant, 1, settings);
    expect(JSON.parse(JSON.stringify(task))).toEqual(task);
  });

  it("can be asked for: --only takes names with commas between", () => {
    expect(VARIANTS.filter((name) => name.includes(","))).toEqual([]);
  });

  it("has another key for each variant, seed, number of epochs, SIMD and data", () => {
    const { data } = settings;
    const tasks = [
      ...VARIANTS.map((variant) => taskOf(variant, 1, settings)),
      taskOf("base", 2, settings),
      taskOf("base", 1, { ...settings, epochs: 1 }),
      taskOf("base", 1, { ...settings, simd: "plain" }),
      taskOf("base", 1, { ...settings, data: { ...data, sha256: "cd" } }),
    ];
    expect(new Set(tasks.map(keyOf)).size).toBe(VARIANTS.length + 4);
    expect(keyOf(taskOf("base", 1, settings))).toBe(keyOf(taskOf("base", 1, structuredClone(settings))));
  });
});

it("the runs in results are of today's variants, and the page is made of them", () => {
  const results = join(bench, "results/recipes-10-epochs-node24");
  const found = Object.values(filesIn(results)).map((text) => JSON.parse(text.slice(text.indexOf("{"))) as Run);
  const { simd, data, options } = (found[0] as Run).task as unknown as Settings & { options: { epochs: number } };
  const own = { epochs: options.epochs, simd, data };
  const runs = readRuns(results, benchOf(own));
  expect(own.epochs).toBe(10);
  expect(runs).toHaveLength(found.length);
  expect(recipesPage(runs, own)).toBe(readFileSync(`${results}.md`, "utf8"));
});

describe("the page", () => {
  const run = (variant: string, seed: number, right: number) => madeUp(taskOf(variant, seed, settings), right);

  it("says how many seeds stand behind a difference, and how much seeds differ", () => {
    const runs = [
      ...[run("relu", 3, 0.9), run("relu", 1, 0.82), run("relu", 2, 0.81)],
      ...[run("base", 2, 0.802), run("base", 1, 0.8), run("no flip", 9, 0.7)],
    ];
    const page = recipesPage(runs, settings);
    expect(page.split("\n").filter((line) => line.startsWith("| "))).toEqual([
      "| changed | right of the held out, % | over base | seeds of both | by seed | right in training, % |",
      "| base | 80.10 | 0.00 | 2 | 80.00, 80.20 | 90.0 |",
      "| no flip | 70.00 |  | 0 | 70.00 | 90.0 |",
      "| relu | 84.33 | +1.40 | 2 | 82.00, 81.00, 90.00 | 90.0 |",
    ]);
    expect(page).toContain(" differ by 4.55 points in the mean of 4 pairs, and by 9.00 at most.\n");
    expect(page).toMatch(/\n\nMade on:\n\n- base \(seeds 1, 2\); no flip \(seed 9\); relu \(seeds 1, 2, 3\): Node /);
  });

  it("says that it does not know how much seeds differ", () => {
    const page = recipesPage([run("base", 1, 0.8), run("relu", 1, 0.8)], settings);
    expect(page).toContain("No two runs differ in the seed alone: how much that does is not known.");
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

describe("recipes.mjs", () => {
  let projects = 0;
  const freshPlaces = (): Places => {
    const into = join(folder, `project-${++projects}`);
    return { results: join(into, "results"), quick: join(into, "quick"), cache: join(into, "cache") };
  };
  const name = `recipes-1-epochs-node${process.versions.node.split(".")[0]}`;
  const variant = "2 × 2 end map (the paper's strides)";
  const args = ["--data", pictures, "--epochs", "1", "--seeds", "1", "--simd", "plain", "--only", variant];
  const ownTask = async () => taskOf(variant, 1, { epochs: 1, simd: "plain", data: await dataOf(pictures) });

  /** What it prints, and its exit code. */
  async function ran(more: readonly string[], places: Places) {
    const [out, err]: [string[], string[]] = [[], []];
    const spies = [
      vi.spyOn(console, "log").mockImplementation((line) => void out.push(`${line}\n`)),
      vi.spyOn(console, "error").mockImplementation((line) => void err.push(`${line}\n`)),
      vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0),
    ];
    try {
      await recipes([...args, ...more], places);
      return { out: out.join(""), err: err.join(""), code: process.exitCode };
    } finally {
      process.exitCode = undefined;
      for (const spy of spies) spy.mockRestore();
    }
  }

  it("trains on nine tenths, is judged by the others, keeps it, and the next time changes nothing", async () => {
    const places = freshPlaces();
    expect(await dataOf(pictures)).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), examples: 180 });
    const { out, err, code } = await ran([], places);
    expect({ err, code }).toEqual({ err: "", code: undefined });
    expect(out.slice(variant.length)).toMatch(/^, seed 1: [\d.]+ %, [\d.]+ minutes\n\n## recipes\n\nα 0\.25 /);
    const before = filesIn(places.results);
    const page = join(places.results, `${name}.md`);
    const path = runPath(join(places.results, name), await ownTask());
    expect(Object.keys(before).sort()).toEqual([page, path].sort());
    const { about, task, right, training, runtime } = JSON.parse(readFileSync(path, "utf8")) as Run;
    expect(about).toMatchObject({ node: process.version, versions: { depthwise: expect.any(String) } });
    expect(task).toEqual(await ownTask());
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((count) => count / 20)).toContain(right);
    expect(training).toEqual({ loss: expect.any(Number), accuracy: expect.any(Number) });
    expect(runtime).toEqual({ simd: "plain", threads: 1 });
    expect(filesIn(places.cache)).toEqual({});
    expect((await ran([], places)).out).toBe(`\n## recipes\n\n${readFileSync(page, "utf8")}`);
    expect(filesIn(places.results)).toEqual(before);
    await expect(ran(["--simd", "relaxed"], places)).rejects.toThrow('simd: expected "relaxed", found "plain"');
    expect(filesIn(places.results)).toEqual(before);
  });

  it("--quick keeps the page of a trial apart, and nothing else", async () => {
    const places = freshPlaces();
    expect((await ran(["--quick"], places)).code).toBeUndefined();
    const page = join(places.quick, `${name}.md`);
    expect(Object.keys(filesIn(places.quick))).toEqual([page]);
    expect(readFileSync(page, "utf8")).toMatch(/^A quick run: its numbers mean nothing\.\n\nα 0\.25 /);
    expect([places.results, places.cache].map((path) => existsSync(path))).toEqual([false, false]);
  });

  it("leaves a run to the process that has it", async () => {
    const places = freshPlaces();
    const checkpoint = join(places.cache, keyOf(await ownTask()));
    mkdirSync(checkpoint, { recursive: true });
    const holder = JSON.stringify({ id: "other", pid: process.pid, host: hostname() });
    writeFileSync(join(checkpoint, ".depthwise-lock"), holder);
    expect(await ran([], places)).toEqual({ out: `${variant}, seed 1: in work elsewhere\n`, err: "", code: undefined });
    expect(existsSync(places.results)).toBe(false);
    expect(readFileSync(join(checkpoint, ".depthwise-lock"), "utf8")).toBe(holder);
  });

  it("tells in a line which run failed", async () => {
    const places = freshPlaces();
    mkdirSync(join(places.cache, ".."), { recursive: true });
    writeFileSync(places.cache, "");
    const { out, err, code } = await ran([], places);
    expect({ out, code }).toEqual({ out: "", code: 1 });
    expect(err.slice(variant.length)).toMatch(/^, seed 1: .*: it cannot be used \(ENOTDIR\)\. .*\n$/);
  });

  it.each<[readonly string[], string]>([
    [["--only", "base,tanh"], '--only: there is no variant "tanh". There are: base, '],
    [["--side-by-side", "0"], '--side-by-side: expected a whole number of at least 1, found "0".'],
    [["--simd", "fast"], '--simd: expected one of auto, relaxed, plain, wide, found "fast".'],
    [["--fast"], "Unknown option '--fast'. Flags: --data, "],
  ])("%j is refused, before anything is written", async (more, words) => {
    const places = freshPlaces();
    await expect(ran(more, places)).rejects.toThrow(words);
    expect(existsSync(places.results)).toBe(false);
  });
});
