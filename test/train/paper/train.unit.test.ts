/**
 * @slow: trains, in processes that are killed, on a CIFAR-10 of 200 pictures; reads what was built.
 *
 * `npm run train:paper`: killed and gone on with, several at once, stopped by signals and by the clock.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ARITHMETIC } from "../../../src/backends/training/arithmetic.ts";
import { hashOfPictures, type Runs, resultFile, script, writePictures, writeResults } from "./fixture.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "paper-again-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = join(folder, "cifar10");
writePictures(data, 200);

const { runsOf } = await script<Runs>("runs.mjs");
const [run, second] = runsOf({ epochs: 4, examples: 200 }, { only: ["0.25-32", "0.5-16"], seeds: [1] });
if (run === undefined || second === undefined) throw new Error("no such cells");

let projects = 0;
const freshProject = () => join(folder, `project-${++projects}`);
const program = join(root, "scripts/paper/train.mjs");
const trial = (into: string, ...more: readonly string[]) => [
  ...[program, "--into", into, "--data", data, "--epochs", "4", "--examples", "200", "--seeds", "1"],
  ...["--threads", "1", "--simd", "plain", ...more],
];
const both = ["--only", "0.25-32,0.5-16"];
const one = ["--only", run.cell.name];

function ran(into: string, ...more: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, trial(into, ...more), { cwd: root, encoding: "utf8" });
  return { status, stdout, stderr: stderr.replaceAll(folder, "ROOT") };
}

/** A process, what it has said, and how it ends. */
function started(args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  let seen = (): void => {};
  const hear = (part: Buffer): void => {
    said.push(String(part));
    seen();
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const ended = new Promise<{ code: number | null; signal: string | null; output: string }>((done) => {
    child.once("close", (code, signal) => done({ code, signal, output: said.join("") }));
  });
  const says = (text: string) =>
    Promise.race([
      ended,
      new Promise<void>((done) => {
        seen = () => (said.join("").includes(text) ? done() : undefined);
        seen();
      }),
    ]);
  return { child, ended, says };
}

/** A result without what depends on the machine's day. */
function stable(into: string): string {
  return readFileSync(resultFile(into, run as NonNullable<typeof run>), "utf8").replace(/"minutes": [\d.]+/, "");
}

describe("a run", () => {
  const whole = freshProject();

  it("ends with its result, and is not done again", () => {
    const { status, stdout, stderr } = ran(whole, ...one);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^0\.25-32 seed 1: plain, 1 thread\n0\.25-32 seed 1: epoch 1 of 4: loss [\d.]+, /);
    expect(stdout).toMatch(/0\.25-32 seed 1: [\d.]+ % of the test pictures, [\d.]+ minutes\n1 of 1 runs are done\./);
    const result = JSON.parse(readFileSync(resultFile(whole, run), "utf8"));
    expect(result).toMatchObject({ ...run.expected, runtime: { simd: "plain", threads: 1 }, test: { examples: 30 } });
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(result.runtime).toMatchObject({ library: version, arithmetic: ARITHMETIC });
    expect(result.history).toHaveLength(4);
    expect(result.history[3].loss).toBeLessThan(result.history[0].loss);
    const again = ran(whole, ...one);
    expect(again).toEqual({ status: 0, stderr: "", stdout: expect.stringMatching(/^1 of 1 runs are done\..*\n$/) });
  });

  it("that is killed goes on, and ends with the same bytes", async () => {
    const into = freshProject();
    const killed = started(trial(into, ...one));
    // The checkpoint of the first epoch is written by then.
    await killed.says("epoch 2 of 4");
    killed.child.kill("SIGKILL");
    expect((await killed.ended).signal).toBe("SIGKILL");
    expect(existsSync(resultFile(into, run))).toBe(false);
    const { status, stdout } = ran(into, ...one);
    expect(status).toBe(0);
    expect(stdout).toContain("goes on in epoch");
    expect(stable(into)).toBe(stable(whole));
  });

  it.each(["SIGINT", "SIGTERM"] as const)("that %s stops keeps a checkpoint, and goes on", async (signal) => {
    const into = freshProject();
    const stopped = started(trial(into, ...one));
    await stopped.says("epoch 1 of 4");
    stopped.child.kill(signal);
    const { code, output } = await stopped.ended;
    expect(code).toBe(130);
    expect(output).toContain(`Stopped by ${signal}.\n0 of 1 runs are done; left: 0.25-32 seed 1.`);
    expect(ran(into, ...one).stdout).toContain("goes on in epoch");
    expect(stable(into)).toBe(stable(whole));
  });

  it("does not go on with other pictures", async () => {
    const into = freshProject();
    const stopped = started(trial(into, ...one));
    await stopped.says("epoch 1 of 4");
    stopped.child.kill("SIGTERM");
    await stopped.ended;
    const other = join(folder, "other");
    writePictures(other, 200, 1000);
    const { status, stdout } = ran(into, ...one, "--data", other);
    expect(status).toBe(0);
    expect(stdout).toContain("epoch 1 of 4");
    expect(stdout).not.toContain("goes on");
    expect(JSON.parse(readFileSync(resultFile(into, run), "utf8")).dataSha256).toBe(hashOfPictures(other));
  });

  it("stops when the time is over, and says what is left", () => {
    const into = freshProject();
    const { status, stdout } = ran(into, ...both, "--minutes", "0.0001");
    expect(status).toBe(0);
    expect(stdout).toMatch(/The time is over\.\n0 of 2 runs are done; left: 0\.25-32 seed 1; 0\.5-16 seed 1\.\n$/);
  });
});

it("two processes take different runs", async () => {
  const into = freshProject();
  const processes = [started(trial(into, ...both)), started(trial(into, ...both))];
  const ends = await Promise.all(processes.map(({ ended }) => ended));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  const output = ends.map((end) => end.output).join("");
  for (const each of [run, second]) {
    expect(existsSync(resultFile(into, each))).toBe(true);
    expect(output.split(`${each.name}: epoch 4 of 4`)).toHaveLength(2);
  }
});

describe("a checkpoint's folder", () => {
  const lockOf = (into: string) =>
    join(into, "data/paper", run.cell.name, `seed-1-${hashOfPictures(data).slice(0, 8)}/.depthwise-lock`);

  it("that another process has is left to it; it takes the next run", () => {
    const into = freshProject();
    const holder = JSON.stringify({ id: "other", pid: process.pid, host: hostname() });
    mkdirSync(join(lockOf(into), ".."), { recursive: true });
    writeFileSync(lockOf(into), holder);
    const { status, stdout, stderr } = ran(into, ...both);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("In work elsewhere: 0.25-32 seed 1.\n1 of 2 runs are done; left: 0.25-32 seed 1.\n");
    expect(readFileSync(lockOf(into), "utf8")).toBe(holder);
  });

  it("whose lock cannot be read is told in a line, and not waited for", () => {
    const into = freshProject();
    mkdirSync(lockOf(into), { recursive: true });
    const { status, stderr } = ran(into, ...one);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\.depthwise-lock: it is no regular file\. Move what is there, or pass another path\.\n$/);
  });
});

describe("it is told in a line", () => {
  it("that there is no data", () => {
    const { status, stderr } = ran(freshProject(), ...one, "--data", join(folder, "none"));
    expect(status).toBe(1);
    expect(stderr).toBe("ROOT/none/data_batch_1.bin is not there: npm run data:cifar10 makes data/cifar10.\n");
  });

  it("that there is too little", () => {
    const { status, stderr } = ran(freshProject(), ...one, "--examples", "201");
    expect(status).toBe(1);
    expect(stderr).toBe("ROOT/cifar10 has 200 pictures to train on, and --examples says 201.\n");
  });

  it("that a checkpoint is of another run; the next run is trained", () => {
    const into = freshProject();
    expect(ran(into, ...one, "--epochs", "1").status).toBe(0);
    rmSync(resultFile(into, run));
    const { status, stdout, stderr } = ran(into, ...both);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^0\.25-32 seed 1: fit: the checkpoint in .* is of another run: /);
    expect(stderr).toMatch(/To begin anew remove ROOT\/.*seed-1-[0-9a-f]{8}\.\n$/);
    expect(stdout).toMatch(/1 of 2 runs are done; left: 0\.25-32 seed 1\.\n$/);
  });

  it("that a checkpoint is of more epochs, before anything is written", () => {
    const into = freshProject();
    const cell = ["--only", "0.5-32-paper"];
    expect(ran(into, ...cell, "--epochs", "2").status).toBe(0);
    const path = join(into, "scripts/paper/results/0.5-32-paper/seed-1.json");
    rmSync(path);
    const { status, stdout, stderr } = ran(into, ...cell, "--epochs", "1");
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^0\.5-32-paper seed 1: what was trained is no result: its history is not of all epochs\. Nothing was written: remove ROOT\/.*seed-1-[0-9a-f]{8} to train it anew\.\n$/,
    );
    expect(stdout).toMatch(/0 of 1 runs are done; left: 0\.5-32-paper seed 1\.\n$/);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    [["--epochs", "0"], '--epochs: expected a whole number of at least 1, found "0"\n'],
    [["--minutes", "soon"], '--minutes: expected a number above 0, found "soon"\n'],
    [["--seeds", "1,x"], '--seeds: expected a whole number of at least 0, found "x"\n'],
    [["--list", "--report"], "--list or --report, not both\n"],
    [["--report", "--only", "0.5-32"], "--only: --report is of all that is done\n"],
    [["--report", "--seeds", "1"], "--seeds: --report is of all that is done\n"],
    [["--fast"], "Unknown option '--fast'"],
  ])("that %j is no command line", (args, text) => {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: root, encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr.startsWith(text)).toBe(true);
    expect(stderr).toContain("Usage: npm run train:paper");
  });

  it("that there is no such cell", () => {
    const { status, stderr } = ran(freshProject(), "--only", "0.25-31");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^There is no cell "0\.25-31"\. Cells: 1\.0-32, .*0\.5-32-paper\.\n$/);
  });
});

describe("a result that is there", () => {
  it.each<[string, (text: string) => string, string]>([
    ["half of it", (text) => text.slice(0, 300), "is not the result of a run: it is no JSON object"],
    ["without its history", (text) => text.replace('"history"', '"story"'), "its history is not of all epochs"],
    ["of other bits", (text) => text.replace(/"correct": \d+/, '"correct": 29'), "test.correct says 29"],
    ["of endless time", (text) => text.replace(/"minutes": [\d.]+/, '"minutes": 1e999'), "minutes is no number"],
    ["of another alphabet", (text) => text.replace(/"right": "..../, '"right": "!!!!'), "has not 1,000 bits"],
    ["of a library of markup", (text) => text.replace('"library": "', '"library": "<b>'), "runtime is incomplete"],
    ["of threads that are none", (text) => text.replace('"threads": 2', '"threads": {}'), "runtime is incomplete"],
    [
      "of epochs that are none",
      (text) => text.replace('"epoch": 2,', '"epoch": 7,'),
      "history is not of epochs in a row",
    ],
    ["of fewer bits", (text) => text.replace(/"right": ".*"/, '"right": "AAAA"'), "test.right has not 1,000 bits"],
    [
      "of another recipe",
      (text) => text.replace('"labelSmoothing": 0.1', '"labelSmoothing": 0.2'),
      "is of another run than the list says: recipe.labelSmoothing: expected 0.1, found 0.2",
    ],
    [
      "of another network",
      (text) => text.replace('"alpha": 0.25', '"alpha": 0.5'),
      "options.alpha: expected 0.25, found 0.5",
    ],
    ["of another seed", (text) => text.replace('"seed": 1', '"seed": 2'), "seed: expected 1, found 2"],
  ])("%s, is refused and kept", (_, change, told) => {
    const into = freshProject();
    writeResults(into, [run]);
    const path = resultFile(into, run);
    const text = change(readFileSync(path, "utf8"));
    writeFileSync(path, text);
    for (const more of [[], ["--list"]]) {
      const { status, stderr } = ran(into, ...one, ...more);
      expect(status).toBe(1);
      expect(stderr).toContain(told);
      expect(stderr).toMatch(
        /^ROOT\/.*seed-1\.json is .*Remove the file, and its checkpoint below data\/paper, to train it anew\.\n$/,
      );
    }
    expect(readFileSync(path, "utf8")).toBe(text);
  });
});
