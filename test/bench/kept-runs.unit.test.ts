/** @slow: reads what was built. `bench/harness/kept-runs.mjs` and `kept-page.mjs`: a file a run, and the page made of them. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ABOUT, type Bench, fileOfBench, filesIn, type KeptRuns, madeUp, type Run, type Task } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-kept-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { keyOf, runPath, readRun, readRuns, keepRun } = await fileOfBench<KeptRuns>("harness/kept-runs.mjs");
const { madeOn, writePage } = await fileOfBench<{
  madeOn(runs: readonly Run[], nameOf: (task: Task) => string): string;
  writePage(path: string, make: () => string): string;
}>("harness/kept-page.mjs");

const taskOf = (name: string, seed: number, simd = "wide"): Task => ({ name, seed, simd, options: { epochs: 3 } });
const bench: Bench = {
  nameOf: ({ name }) => String(name),
  now: ({ name, seed }) => (name === "gone" ? undefined : taskOf(String(name), seed)),
};
const one = madeUp(taskOf("one", 1), 0.5);
const two = madeUp(taskOf("two", 1), 0.6);

let folders = 0;
const freshFolder = () => join(folder, `runs-${++folders}`);

describe("runs that were made", () => {
  it("are those of the folder, none without one", () => {
    const runs = freshFolder();
    expect(readRuns(runs, bench)).toEqual([]);
    expect(readRun(runs, one.task)).toBeUndefined();
    expect(existsSync(runs)).toBe(false);
    keepRun(runs, one);
    keepRun(runs, two);
    expect(readRuns(runs, bench)).toEqual([one, two].sort((a, b) => (keyOf(a.task) < keyOf(b.task) ? -1 : 1)));
    expect(readRun(runs, two.task)).toEqual(two);
  });

  it("of two processes that looked before the other wrote are both there", () => {
    const runs = freshFolder();
    const looked = [readRuns(runs, bench), readRuns(runs, bench)];
    keepRun(runs, one);
    keepRun(runs, two);
    expect(looked).toEqual([[], []]);
    expect(readRuns(runs, bench)).toHaveLength(2);
  });

  it("are not overwritten by the same one made again", () => {
    const runs = freshFolder();
    keepRun(runs, one);
    const before = filesIn(runs);
    keepRun(runs, { ...one, right: 0.9 });
    expect(filesIn(runs)).toEqual(before);
  });

  it("do not count while they are being written", () => {
    const runs = freshFolder();
    keepRun(runs, one);
    writeFileSync(`${runPath(runs, two.task)}.77.tmp`, "{");
    expect(readRuns(runs, bench)).toEqual([one]);
  });

  it.each<[string, Run, string]>([
    [
      "other settings",
      madeUp(taskOf("one", 2, "plain"), 0.5),
      'one, seed 2, but not as it is now: simd: expected "wide", found "plain"',
    ],
    [
      "what was changed since",
      madeUp({ ...taskOf("one", 2), options: { epochs: 4 } }, 0.5),
      "one, seed 2, but not as it is now: options.epochs: expected 3, found 4",
    ],
    ["more than is asked for", madeUp({ ...taskOf("one", 2), threads: 2 }, 0.5), "threads: expected nothing, found 2"],
    [
      "the same in another order",
      madeUp({ simd: "wide", seed: 2, name: "one", options: { epochs: 3 } }, 0.5),
      "but not as it is now: its keys have another order",
    ],
    ["what is not asked for any more", madeUp(taskOf("gone", 1), 0.5), "gone, seed 1, which is not asked for any more"],
  ])("of %s are refused in words, and stay", (_, other, words) => {
    const runs = freshFolder();
    keepRun(runs, one);
    keepRun(runs, other);
    const before = filesIn(runs);
    expect(() => readRuns(runs, bench)).toThrow(words);
    expect(() => readRuns(runs, bench)).toThrow(`${runPath(runs, other.task)} is a run of `);
    expect(() => readRuns(runs, bench)).toThrow(`Ask for what was, or move ${runs} away to begin anew.`);
    expect(filesIn(runs)).toEqual(before);
  });

  const whole = JSON.stringify(one);
  const without = (changed: object) => JSON.stringify({ ...one, ...changed });
  it.each<[string, string, string]>([
    ["half a file", whole.slice(0, 60), "it is no JSON object"],
    ["a list", "[]", "it is no JSON object"],
    ["nothing of what was asked", without({ task: undefined }), "task is none"],
    ["a task without a seed", without({ task: { name: "one" } }), "task is none"],
    ["too much that is right", without({ right: 81.2 }), "right is no share"],
    ["a share in words", without({ right: "0.5" }), "right is no share"],
    ["half of the training", without({ training: { loss: 1 } }), "training is incomplete"],
    ["no time", without({ minutes: null }), "minutes is no number"],
    ["no threads", without({ runtime: { simd: "wide" } }), "runtime is incomplete"],
    ["no machine", without({ about: { ...ABOUT, cpu: undefined } }), "about is incomplete"],
    ["another task", without({ task: two.task }), "its task has another name"],
  ])("with %s are refused in words, and stay", (_, text, words) => {
    const runs = freshFolder();
    mkdirSync(runs);
    const path = runPath(runs, one.task);
    writeFileSync(path, text);
    const said = `${path} is no run that was kept: ${words}. Remove the file to make that run anew.`;
    expect(() => readRun(runs, one.task)).toThrow(said);
    expect(() => readRuns(runs, bench)).toThrow(said);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("that are none are not written", () => {
    const runs = freshFolder();
    const none = madeUp(one.task, Number.NaN);
    expect(() => keepRun(runs, none)).toThrow("what was trained is no run: right is no share. Nothing was written.");
    expect(existsSync(runs)).toBe(false);
  });
});

describe("the page", () => {
  it("is written if it is another than there is", () => {
    const path = join(freshFolder(), "page.md");
    expect(writePage(path, () => "a")).toBe("a");
    const before = filesIn(join(path, ".."));
    expect(writePage(path, () => "a")).toBe("a");
    expect(filesIn(join(path, ".."))).toEqual(before);
    expect(writePage(path, () => "b")).toBe("b");
    expect(readFileSync(path, "utf8")).toBe("b");
  });

  it("has what another process added while it was written", () => {
    const path = join(freshFolder(), "page.md");
    const seen = ["one run", "two runs"];
    expect(writePage(path, () => seen.shift() ?? "two runs")).toBe("two runs");
    expect(readFileSync(path, "utf8")).toBe("two runs");
  });

  it("says on what which runs were made", () => {
    const later = { ...ABOUT, date: "2026-12-02T00:00:00.000Z", node: "v24.2.0", hasGoneOn: true };
    const runs = [
      madeUp(taskOf("two", 3), 0.5, { about: later }),
      madeUp(taskOf("one", 1), 0.5),
      madeUp(taskOf("two", 1), 0.5),
      madeUp(taskOf("one", 2), 0.5),
    ];
    expect(madeOn(runs, bench.nameOf)).toBe(`Made on:

- one (seeds 1, 2); two (seed 1): Node v24.1.0 (V8 13.6), a processor, 2 cores, load 1.00 before, 2.00 after, 2026-11-30. depthwise 0.1.0.
- two (seed 3): Node v24.2.0 (V8 13.6), a processor, 2 cores, load 1.00 before, 2.00 after, 2026-12-02. depthwise 0.1.0. It was stopped and went on: the load before is that of its last part.`);
    const shared = madeUp(taskOf("one", 1), 0.5, { about: { ...ABOUT, isOfLast: true } });
    expect(madeOn([shared], bench.nameOf)).toMatch(/0\.1\.0\. Load and date are those of the last of these runs\.$/);
  });
});
