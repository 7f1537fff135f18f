/** @slow: reads what was built, and trains on 200 pictures. `bench/goals.mjs`, and how a run is learnt and kept. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { writePictures } from "../train/paper/fixture.ts";
import { ABOUT, bench, fileOfBench, filesIn, type KeptRuns, madeUp, type Run, type Task } from "./fixture.ts";

interface Goal {
  readonly minutes: number;
  readonly right: number;
  readonly alpha: number;
  readonly epochs: number;
}

interface Settings {
  readonly simd: string;
  readonly data: { readonly sha256: string; readonly examples: number; readonly tests: number };
}

interface Time {
  readonly minutes: number;
  readonly alpha: number;
  readonly simd: string;
  readonly threads: number;
  readonly imagesPerSecond: number;
  readonly about: Run["about"];
}

const folder = mkdtempSync(join(tmpdir(), "bench-goals-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, "cifar10");
writePictures(data, 200);

const { goals } = await fileOfBench<{
  goals(args: readonly string[], places: { results: string; cache: string }, all?: readonly Goal[]): Promise<void>;
}>("goals.mjs");
const { GOALS, taskOf } = await fileOfBench<{
  GOALS: readonly Goal[];
  taskOf(goal: Goal, seed: number, settings: Settings): Task;
}>("goals/task.mjs");
const { goalsPage } = await fileOfBench<{
  goalsPage(runs: readonly Run[], times: readonly Time[], goals: readonly Goal[], settings: Settings): string;
}>("goals/page.mjs");
const { keepTime, readTimes } = await fileOfBench<{
  keepTime(path: string, time: Time): void;
  readTimes(path: string): readonly Time[];
}>("goals/times.mjs");
const { keyOf, runPath, readRun, keepRun } = await fileOfBench<KeptRuns>("harness/kept-runs.mjs");
const { learn } = await fileOfBench<{ learn(task: Task, how: object): Promise<string> }>("harness/learn.mjs");

const major = process.versions.node.split(".")[0];
const small: readonly Goal[] = [
  { minutes: 20, right: 0, alpha: 0.25, epochs: 1 },
  { minutes: 60, right: 1, alpha: 0.25, epochs: 2 },
];
const common = ["--data", data, "--threads", "1", "--simd", "plain"];
const settings: Settings = { simd: "plain", data: { sha256: "ab", examples: 200, tests: 30 } };

let projects = 0;
const freshPlaces = () => {
  const into = join(folder, `project-${++projects}`);
  return { results: join(into, "results"), cache: join(into, "cache"), runs: join(into, `results/goals-node${major}`) };
};

/** What it prints. */
async function printed(work: () => Promise<void>): Promise<string> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(`${line}\n`));
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    await work();
  } finally {
    log.mockRestore();
    write.mockRestore();
  }
  return lines.join("");
}

it("a task has another key for each goal, seed, SIMD and data, and is plain data", () => {
  const goal = GOALS[0] as Goal;
  const tasks = [
    ...GOALS.map((one) => taskOf(one, 1, settings)),
    taskOf({ ...goal, alpha: 0.25 }, 1, settings),
    taskOf({ ...goal, epochs: 3 }, 1, settings),
    taskOf(goal, 2, settings),
    taskOf(goal, 1, { ...settings, simd: "wide" }),
    taskOf(goal, 1, { ...settings, data: { ...settings.data, sha256: "cd" } }),
  ];
  expect(new Set(tasks.map(keyOf)).size).toBe(GOALS.length + 5);
  for (const task of tasks) expect(JSON.parse(JSON.stringify(task))).toEqual(task);
});

describe("the page", () => {
  const [first, second] = GOALS as readonly [Goal, Goal];
  const run = (goal: Goal, seed: number, right: number, of = settings) => madeUp(taskOf(goal, seed, of), right);
  const time = ({ minutes, alpha }: Goal, imagesPerSecond: number): Time => ({
    ...{ minutes, alpha, simd: "plain", threads: 2, imagesPerSecond, about: ABOUT },
  });
  const rowsOf = (runs: readonly Run[], times: readonly Time[]) =>
    goalsPage(runs, times, GOALS, { ...settings, data: { ...settings.data, examples: 50_000 } })
      .split("\n")
      .filter((line) => line.startsWith("| ≥"));
  const big = { ...settings, data: { ...settings.data, examples: 50_000 } };

  it("has a goal a row, met by the mean of the seeds and the minutes", () => {
    const runs = [run(first, 2, 0.875, big), run(first, 1, 0.886, big), run(second, 1, 0.9, big)];
    expect(rowsOf(runs, [time(first, 750), time(second, 500)])).toEqual([
      "| ≥ 88.00 % in 20 minutes | 0.375 | 18 | 88.05 % | 88.60 %, 87.50 % | 750 (plain, 2 threads) | 20.0 | yes |",
      "| ≥ 91.00 % in 60 minutes | 0.5 | 36 | 90.00 % | 90.00 % | 500 (plain, 2 threads) | 60.0 | no |",
    ]);
  });

  it("says no where it takes too long, though the mean is met, and that it is not known where no time was taken", () => {
    const own = [run(first, 1, 0.9, big)];
    expect(rowsOf(own, [time(first, 745)])[0]).toContain("| 20.1 | no |");
    expect(rowsOf(own, [time({ ...first, alpha: 0.25 }, 900)])[0]).toContain("| not taken yet |  | not known |");
    const low = [run(first, 1, 0.1, big)];
    expect(rowsOf(low, [])[0]).toContain("| not taken yet |  | no |");
  });

  it("goes by the fastest time of its SIMD, and names the machine of no other", () => {
    const own = [run(first, 1, 0.9, big)];
    const of = (threads: number, imagesPerSecond: number, date: string, simd = "plain"): Time => ({
      ...{ ...time(first, imagesPerSecond), threads, simd, about: { ...ABOUT, date } },
    });
    const times = [
      of(1, 400, "2026-01-01"),
      of(2, 750, "2026-01-02"),
      of(2, 1500, "2026-01-03", "wide"),
      { ...of(2, 500, "2026-01-04"), minutes: second.minutes, alpha: second.alpha },
    ];
    expect(rowsOf(own, times)[0]).toContain("| 750 (plain, 2 threads) | 20.0 | yes |");
    const page = goalsPage([run(first, 1, 0.9)], times, GOALS, settings);
    expect([...page.matchAll(/2026-01-0\d/g)].map(([date]) => date)).toEqual(["2026-01-02"]);
  });

  it("has no run of another key in it", () => {
    const others = [run(first, 1, 0.1, { ...settings, simd: "relaxed" }), run({ ...first, alpha: 0.5 }, 1, 0.1)];
    const own = run(first, 1, 0.886);
    expect(goalsPage([...others, own], [], GOALS, settings)).toBe(goalsPage([own], [], GOALS, settings));
  });

  it("says on what its runs were made", () => {
    expect(goalsPage([run(first, 1, 0.9)], [time(first, 800)], GOALS, settings)).toMatch(
      /\n\nMade on:\n\n- 20 minutes \(seed 1\): Node v24\.1\.0 .*\n\nTimed on:\n\n- 20 minutes: Node v24\.1\.0 .*\n$/,
    );
  });
});

describe("goals.mjs", () => {
  it("trains what is missing, keeps it, removes the checkpoints, and the next time changes nothing", async () => {
    const places = freshPlaces();
    const args = [...common, "--seeds", "2", "--only", "20"];
    const output = await printed(() => goals(args, places, small));
    expect(output).toMatch(/^20 minutes, seed 1: epoch 1 of 1: loss [\d.]+, \d+ images\/s\n/);
    expect(output).toMatch(/\n20 minutes, seed 2: [\d.]+ % of the test pictures\n\n## goals\n\nFrom nothing, on 200 /);
    const page = join(places.results, `goals-node${major}.md`);
    expect(readFileSync(page, "utf8")).toMatch(
      /\n\| ≥ 0\.00 % in 20 minutes \| 0\.25 \| 1 \| .* \| not taken yet \| {2}\| not known \|\n/,
    );
    const before = filesIn(places.results);
    expect(Object.keys(before)).toHaveLength(3);
    expect(filesIn(places.cache)).toEqual({});
    for (const path of Object.keys(before).filter((name) => name !== page)) {
      const { about, task, runtime, minutes } = JSON.parse(readFileSync(path, "utf8")) as Run;
      expect(about).toMatchObject({
        node: process.version,
        v8: process.versions.v8,
        loadBefore: [0, 0, 0].map(() => expect.any(Number)),
      });
      expect(task).toMatchObject({ minutes: 20, simd: "plain", data: { examples: 200, tests: 30 } });
      expect(runtime).toEqual({ simd: "plain", threads: 1 });
      expect(minutes).toBeGreaterThanOrEqual(0);
    }
    const again = await printed(() => goals(args, places, small));
    expect(again).toBe(`\n## goals\n\n${readFileSync(page, "utf8")}`);
    expect(filesIn(places.results)).toEqual(before);
    const other = goals([...common.slice(0, -1), "relaxed", "--only", "20"], places, small);
    await expect(other).rejects.toThrow('simd: expected "relaxed", found "plain"');
    expect(filesIn(places.results)).toEqual(before);
  });

  it("takes times, and says by them whether a goal is met", async () => {
    const places = freshPlaces();
    const args = [...common, "--only", "20"];
    expect(await printed(() => goals([...args, "--time"], places, small))).toMatch(/^20 minutes: \d+ images\/s\n$/);
    await printed(() => goals(args, places, small));
    const page = readFileSync(join(places.results, `goals-node${major}.md`), "utf8");
    expect(page).toMatch(/\n\| ≥ 0\.00 % in 20 minutes \| .* \| \d+ \(plain, 1 thread\) \| [\d.]+ \| yes \|\n/);
  });

  it("keeps a time of each goal, alpha, SIMD and number of threads", () => {
    const path = join(folder, "times.json");
    const taken: readonly Time[] = [
      { minutes: 20, alpha: 0.25, simd: "wide", threads: 2, imagesPerSecond: 900, about: ABOUT },
      { minutes: 20, alpha: 0.25, simd: "plain", threads: 2, imagesPerSecond: 400, about: ABOUT },
      { minutes: 20, alpha: 0.25, simd: "plain", threads: 1, imagesPerSecond: 200, about: ABOUT },
      { minutes: 20, alpha: 0.5, simd: "plain", threads: 1, imagesPerSecond: 100, about: ABOUT },
      { minutes: 60, alpha: 0.5, simd: "plain", threads: 1, imagesPerSecond: 100, about: ABOUT },
    ];
    for (const time of taken) keepTime(path, time);
    expect(readTimes(path)).toEqual(taken);
    const again = { ...(taken[1] as Time), imagesPerSecond: 410 };
    keepTime(path, again);
    expect(readTimes(path).filter(({ simd, threads }) => simd === "plain" && threads === 2)).toEqual([again]);
    expect(readTimes(path)).toHaveLength(taken.length);
  });

  it.each([
    "",
    "{",
    "{}",
    "null",
    "[null]",
    '[{"minutes":20}]',
    '[{"minutes":20,"alpha":1,"threads":2,"simd":"wide","imagesPerSecond":3}]',
  ])("tells of a file of times that is %j before it trains", async (text) => {
    const places = freshPlaces();
    const path = join(places.results, `goals-node${major}-times.json`);
    mkdirSync(places.results, { recursive: true });
    writeFileSync(path, text);
    for (const more of [[], ["--time"]]) {
      const told = goals([...common, "--only", "20", ...more], places, small);
      await expect(told).rejects.toThrow(`${path} holds no times of goals. Remove it to take them anew: --time.`);
    }
    expect(Object.keys(filesIn(places.results))).toEqual([path]);
  });

  it("of two processes takes different runs, and has all", async () => {
    const places = freshPlaces();
    const output = await printed(async () => {
      await Promise.all([goals(common, places, small), goals(common, places, small)]);
    });
    expect(Object.keys(filesIn(places.runs))).toHaveLength(2);
    expect(readFileSync(join(places.results, `goals-node${major}.md`), "utf8")).toMatch(/\n\| .*\n\| .*60 minutes/);
    // The one that comes second goes to the next run.
    expect(output).toMatch(/^20 minutes, seed 1: in work elsewhere$/m);
    expect(output.match(/20 minutes, seed 1: epoch 1 of 1/g)).toHaveLength(1);
  });

  it.each<[readonly string[], string]>([
    [["--only", "45"], '--only: there is no goal "45". There are: 20, 60, 150.'],
    [["--only", "20,x"], '--only: there is no goal "x". There are: 20, 60, 150.'],
    [["--seeds", "two"], '--seeds: expected a whole number of at least 1, found "two".'],
    [["--seeds", ""], '--seeds: expected a whole number of at least 1, found "".'],
    [["--threads", "0"], '--threads: expected a whole number of at least 1, found "0".'],
    [["--simd", "fast"], '--simd: expected one of auto, relaxed, plain, wide, found "fast".'],
    [["--sedes", "2"], "Unknown option '--sedes'. Flags: --data, --only, --seeds, --threads, --simd, --time."],
    [["20"], "Unexpected argument '20'. Flags: --data, --only, --seeds, --threads, --simd, --time."],
    [
      ["--data", join(folder, "none")],
      `${join(folder, "none", "data_batch_1.bin")} is not there: npm run data:cifar10 makes data/cifar10.`,
    ],
  ])("%j is refused, before anything is written", async (args, words) => {
    const places = freshPlaces();
    await expect(goals([...common, ...args], places)).rejects.toThrow(new Error(words));
    expect(existsSync(places.results)).toBe(false);
  });
});

it("a bench tells what can be mended in a line, and keeps the stack of its own faults", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(bench, "goals.mjs"), "--only", "45"], {
    encoding: "utf8",
  });
  expect({ status, stdout, stderr }).toEqual({
    ...{ status: 1, stdout: "", stderr: '--only: there is no goal "45". There are: 20, 60, 150.\n' },
  });
  const program = join(folder, "program.mjs");
  const [harness, library] = [join(bench, "harness/program.mjs"), join(bench, "../dist/esm/index.js")];
  const throwing = (what: string) => {
    writeFileSync(
      program,
      `import { asProgram } from ${JSON.stringify(harness)};\nimport { mobileNetV1 } from ${JSON.stringify(library)};\nawait asProgram(import.meta.url, async () => { ${what} });`,
    );
    return spawnSync(process.execPath, [program], { encoding: "utf8" });
  };
  expect(throwing("mobileNetV1({ alpha: -1 });").stderr).toMatch(/^mobileNetV1: alpha: .*\n$/);
  expect(throwing("undefined.x;").stderr).toContain("    at ");
  expect(throwing("undefined.x;").status).toBe(1);
});

describe("a run", () => {
  const [goal] = small as readonly [Goal];
  const sets = async () => {
    const { cifar10 } = (await import(join(bench, "../dist/esm/train.js"))) as {
      cifar10(paths: string | readonly string[]): Promise<object>;
    };
    const train = await cifar10([1, 2, 3, 4, 5].map((number) => join(data, `data_batch_${number}.bin`)));
    return { train, judges: await cifar10(join(data, "test_batch.bin")) };
  };
  const task = taskOf(goal, 1, settings);

  it("that another process has is left to it", async () => {
    const { runs, cache } = freshPlaces();
    mkdirSync(cache, { recursive: true });
    const lock = join(cache, ".depthwise-lock");
    writeFileSync(lock, JSON.stringify({ id: "other", pid: process.ppid, host: hostname() }));
    expect(await learn(task, { runs, checkpoint: cache, ...(await sets()) })).toBe("elsewhere");
    expect(existsSync(lock)).toBe(true);
    expect(existsSync(runs)).toBe(false);
  });

  it("that another process ended meanwhile is not trained again", async () => {
    const { runs, cache } = freshPlaces();
    const how = { runs, checkpoint: cache, ...(await sets()) };
    const learning = learn(task, how);
    keepRun(runs, madeUp(task, 0.5));
    expect(await learning).toBe("there");
    expect(readRun(runs, task)?.right).toBe(0.5);
    expect(existsSync(cache)).toBe(false);
    expect(await learn(task, how)).toBe("there");
  });

  it("that cannot be written keeps its checkpoint, and goes on from it", async () => {
    const { runs, cache, results } = freshPlaces();
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, "file"), "");
    const how = { checkpoint: cache, ...(await sets()) };
    await expect(learn(task, { ...how, runs: join(results, "file") })).rejects.toThrow(/ENOTDIR|EEXIST/);
    expect(existsSync(join(cache, "checkpoint.json"))).toBe(true);
    const said: string[] = [];
    expect(await learn(task, { ...how, runs, say: (line: string) => said.push(line) })).toBe("made");
    expect(said).toEqual([]);
    expect(readRun(runs, task)?.about["hasGoneOn"]).toBe(true);
    expect(existsSync(cache)).toBe(false);
  });

  it("does not go on from the checkpoint of another", async () => {
    const { runs, cache, results } = freshPlaces();
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, "file"), "");
    const how = { checkpoint: cache, ...(await sets()) };
    await expect(learn(task, { ...how, runs: join(results, "file") })).rejects.toThrow();
    const before = filesIn(cache);
    const other = taskOf(goal, 2, settings);
    await expect(learn(other, { ...how, runs })).rejects.toMatchObject({ code: "CHECKPOINT_MISMATCH" });
    expect(existsSync(runPath(runs, other))).toBe(false);
    // Unless somebody made the run meanwhile: then its checkpoint may be in any state.
    const learning = learn(other, { ...how, runs });
    keepRun(runs, madeUp(other, 0.5));
    expect(await learning).toBe("there");
    expect(filesIn(cache)).toEqual(before);
  });
});
