/** @slow: it runs the built command. Runs of shards as schedulers start them, killed and started again. */

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashesIn, rowsIn, writePictures } from "../batch/fixture.ts";
import { tarOf } from "../batch/tars.ts";
import { command, run, shell } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-batch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SHARDS = 20;
let wanted: Readonly<Record<string, string>>;
let outs = 0;
const freshOut = () => `out-${++outs}`;
/** Undisturbed by what the machine that tests may be. */
const ENGINES = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX", "CLOUD_RUN_TASK_INDEX"];
for (const name of ENGINES) delete process.env[name];
const batch = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  run(["batch", ...args], { cwd: folder, env: more });
const common = ["--weights", "cifar10", "--simd", "plain", "--shards", String(SHARDS)];
const visibleIn = (out: string) => readdirSync(join(folder, out)).filter((name) => !name.startsWith("."));

beforeAll(async () => {
  const paths = await writePictures(join(folder, "photos"), 60);
  const archive = tarOf(...paths.map((path) => ({ name: basename(path), content: readFileSync(path) })));
  writeFileSync(join(folder, "photos.tar"), archive);
  writeFileSync(join(folder, "photos.tar.gz"), gzipSync(archive));
  writeFileSync(join(folder, "cut.tar"), archive.subarray(0, 9000));
  const { code, stdout, stderr } = await batch(["photos", ...common, "--out", "wanted", "--workers", "1"]);
  expect([code, stderr]).toEqual([0, `depthwise: all 20 shards (no scheduler says otherwise); 60 pictures in all\n`]);
  expect(stdout).toMatch(/^20 parts, 60 pictures, no errors, [\d.]+ s, \d+ pictures\/s\n$/);
  wanted = hashesIn(join(folder, "wanted"));
});

describe("depthwise batch", () => {
  it("gives the same bytes by seven workers", async () => {
    const out = freshOut();
    const { code, stderr } = await batch(["photos", ...common, "--out", out, "--workers", "7"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/; 7 workers\n$/)]);
    expect(hashesIn(join(folder, out))).toEqual(wanted);
    expect(visibleIn(out).filter((name) => name.endsWith(".stats.json"))).toHaveLength(SHARDS);
  });

  it("runs the shard that a scheduler says, and says so first", async () => {
    const out = freshOut();
    const tasks: [NodeJS.ProcessEnv, string][] = [
      [{ JOB_COMPLETION_INDEX: "0" }, "shard 0 of 20 (JOB_COMPLETION_INDEX=0 of Kubernetes)"],
      [
        { SLURM_ARRAY_TASK_ID: "2", SLURM_ARRAY_TASK_COUNT: "20", SLURM_ARRAY_TASK_MIN: "1" },
        "shard 1 of 20 (SLURM_ARRAY_TASK_ID=2 of Slurm, the first being 1)",
      ],
      [
        { AWS_BATCH_JOB_ARRAY_INDEX: "2", AWS_BATCH_JOB_ARRAY_SIZE: "20" },
        "shard 2 of 20 (AWS_BATCH_JOB_ARRAY_INDEX=2 of AWS Batch)",
      ],
      [
        { CLOUD_RUN_TASK_INDEX: "3", CLOUD_RUN_TASK_COUNT: "20" },
        "shard 3 of 20 (CLOUD_RUN_TASK_INDEX=3 of Cloud Run)",
      ],
    ];
    for (const [more, words] of tasks) {
      const { code, stderr } = await batch(["photos", ...common, "--out", out], more);
      expect([code, stderr]).toEqual([0, `depthwise: ${words}; 60 pictures in all\n`]);
    }
    expect(hashesIn(join(folder, out))).toEqual(Object.fromEntries(Object.entries(wanted).slice(0, 4)));
    const { code, stdout } = await batch(["--status", out]);
    expect([code, stdout]).toEqual([
      1,
      "4 of 20 parts, 12 of 60 pictures, no errors\nlabels by mobilenet_v1_0.37_32, jsonl\nmissing: 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, … and 6 more\n",
    ]);
    const explicit = await batch(["photos", ...common, "--out", out, "--shard", "4-5"], { JOB_COMPLETION_INDEX: "19" });
    expect([explicit.code, explicit.stderr]).toEqual([
      0,
      expect.stringMatching(/^depthwise: shards 4 to 5 of 20 \(--shard\)/),
    ]);
  });

  it("gives of a tar what it gives of the folder, by workers, shard by shard, in one file", async () => {
    const out = freshOut();
    const one = await batch(["photos.tar", ...common, "--out", out, "--shard", "3"]);
    expect([one.code, one.stderr]).toEqual([0, "depthwise: shard 3 of 20 (--shard); 60 pictures in all\n"]);
    expect((await batch(["--status", out])).stdout).toMatch(/^1 of 20 parts, 3 of 60 pictures, no errors\n/);
    const { code, stderr } = await batch(["photos.tar", ...common, "--out", out, "--workers", "3"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/20 shards .*, 1 of them there already.*; 3 workers\n$/)]);
    expect(hashesIn(join(folder, out))).toEqual(wanted);
    expect((await batch(["--status", out])).code).toBe(0);
    expect((await batch(["--out", out, "--merge", "of-tar.jsonl"])).code).toBe(0);
    const merged = readFileSync(join(folder, "of-tar.jsonl"), "utf8").trim().split("\n");
    expect(merged.map((line) => JSON.parse(line))).toEqual(rowsIn(join(folder, "wanted")));
  });

  it("joins the parts, and refuses while some are missing", async () => {
    const { code, stdout } = await batch(["--out", "wanted", "--merge", "all.jsonl"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^all\.jsonl: [\d,]+ bytes, sha256 [0-9a-f]{64}\n$/)]);
    const lines = readFileSync(join(folder, "all.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(rowsIn(join(folder, "wanted")));
    const out = freshOut();
    await batch(["photos", ...common, "--out", out, "--shard", "3"]);
    const refused = await batch(["--out", out, "--merge", "some.jsonl"]);
    expect(refused.stderr).toContain("shards without a part: 0, 1, 2, 4");
    expect([refused.code, readdirSync(folder).includes("some.jsonl")]).toEqual([42, false]);
  });

  it("makes a damaged part again, and joins then", async () => {
    const out = freshOut();
    const args = ["photos", "--weights", "cifar10", "--shards", "2", "--out", out, "--workers", "1"];
    expect((await batch(args)).code).toBe(0);
    rmSync(join(folder, out, "part-00001-of-00002.jsonl"));
    const status = await batch(["--status", out]);
    expect([status.code, status.stdout]).toEqual([1, expect.stringMatching(/\ndamaged: 1\n$/)]);
    expect((await batch(["--out", out, "--merge", "mended.jsonl"])).code).toBe(42);
    const again = await batch(args);
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^1 part, 30 pictures/)]);
    expect((await batch(["--out", out, "--merge", "mended.jsonl"])).code).toBe(0);
  });

  it("takes no more threads than there can be, on however many cores", async () => {
    const many = 'const os = require("node:os"); os.availableParallelism = () => 100;';
    writeFileSync(join(folder, "many.cjs"), `${many} require("node:module").syncBuiltinESMExports();\n`);
    const args = ["photos", ...common, "--out", freshOut(), "--shard", "0", "--backend", "plain"];
    const { code, stderr } = await batch(args, { NODE_OPTIONS: `--require ${join(folder, "many.cjs")}` });
    expect([code, stderr]).toEqual([0, "depthwise: shard 0 of 20 (--shard); 60 pictures in all\n"]);
  });

  it("says in its help what it does where nobody says", async () => {
    const { stdout } = await batch(["--help"]);
    const words = stdout.replace(/\s+/g, " ");
    expect(words).toContain("images in one run (default 8)");
    expect(words).toContain("(default all cores, shared by the workers)");
  });

  it("takes a list from a pipe, with all that lists have", async () => {
    const out = freshOut();
    const lines = [
      "\ufeffphotos/0003.png\r",
      "",
      '{"id": "a\\nb", "path": "photos/0004.png"}',
      "photos/none.png",
      "{no",
      "photos/0003.png",
    ];
    writeFileSync(join(folder, "list.txt"), lines.join("\n"));
    const args = ["batch", "-", "--weights", "cifar10", "--out", out, "--max-errors", "2", "--top-k", "1"];
    const { code, stderr, stdout } = await shell('"$@" < list.txt', args, folder);
    expect([code, stderr]).toEqual([0, "depthwise: the one shard (no scheduler says otherwise); 5 pictures in all\n"]);
    expect(stdout).toMatch(/^1 part, 5 pictures, 2 errors \(FILE_NOT_FOUND 1, LINE_INVALID 1\)/);
    const rows = rowsIn(join(folder, out));
    expect(rows.map(({ id }) => id)).toEqual(["photos/0003.png", "a\nb", "photos/none.png", "{no", "photos/0003.png"]);
    expect(rows[4]).toEqual(rows[0]);
    writeFileSync(join(folder, "list.txt"), "photos/0003.png\n");
    expect((await shell('"$@" < list.txt', args, folder)).code).toBe(42);
  });

  it.each<[string, readonly string[], NodeJS.ProcessEnv, number, RegExp]>([
    ["no weights", ["photos", "--out", "x"], {}, 42, /weights: expected a network: --weights FILE/],
    ["no directory", ["photos", "--weights", "cifar10"], {}, 42, /out: expected a directory: --out DIR/],
    ["an unknown flag", ["photos", "--wieghts", "cifar10"], {}, 42, /unknown option '--wieghts'/],
    [
      "no count",
      ["photos", "--weights", "cifar10", "--out", "x"],
      { JOB_COMPLETION_INDEX: "1" },
      42,
      /Say it: --shards/,
    ],
    ["a shard too many", ["photos", ...common, "--out", "x", "--shard", "20"], {}, 42, /a number up to 19/],
    [
      "a shard of nobody knows how many",
      ["photos", "--weights", "cifar10", "--out", "x", "--shard", "1"],
      {},
      42,
      /shards/,
    ],
    [
      "no workers",
      ["photos", ...common, "--out", "x", "--workers", "0"],
      {},
      42,
      /workers: expected a positive integer/,
    ],
    ["half a worker", ["photos", ...common, "--out", "x", "--workers", "2.5"], {}, 42, /workers: expected a positive/],
    [
      "weights that several processes would read",
      ["photos", "--weights", "-", "--out", "x", "--shards", "4", "--workers", "2"],
      {},
      42,
      /weights: expected a file, since several processes read it/,
    ],
    ["one input for two", ["-", "--weights", "-", "--out", "x"], {}, 42, /weights and pictures from it/],
    [
      "too many shards",
      ["photos", "--weights", "cifar10", "--out", "x", "--shards", "1e9"],
      {},
      42,
      /at most 1,000,000/,
    ],
    ["weights that are not there", ["photos", "--weights", "none.h5", "--out", "x"], {}, 42, /none\.h5/],
    [
      "pictures that are not there",
      ["none", "--weights", "cifar10", "--out", "x"],
      {},
      42,
      /none: the source is not there/,
    ],
    ["a packed tar", ["photos.tar.gz", ...common, "--out", "x"], {}, 42, /gunzip --keep photos\.tar\.gz/],
    ["a tar that is cut off", ["cut.tar", ...common, "--out", "x"], {}, 42, /FILE_TRUNCATED: cut\.tar/],
    [
      "a tar in place of the folder",
      ["photos.tar", ...common, "--out", "wanted"],
      {},
      42,
      /input\.kind: there "folder"/,
    ],
    [
      "another network",
      ["photos", "--weights", "digits", "--out", "wanted", "--shards", "20"],
      {},
      42,
      /model\.sha256: there/,
    ],
    [
      "a directory that cannot be made",
      ["photos", ...common, "--out", "photos/0001.png/x"],
      {},
      1,
      /a file is in the way/,
    ],
  ])("%s ends with %s", async (_name, args, more, wantedCode, words) => {
    const { code, stdout, stderr } = await batch(args, more);
    expect([code, stdout]).toEqual([wantedCode, ""]);
    expect(stderr).toMatch(words);
  });

  it("ends with 42 where too many pictures cannot be read, and leaves no part", async () => {
    const out = freshOut();
    writeFileSync(join(folder, "holes.txt"), "photos/0000.png\na.png\nb.png\n");
    const { code, stderr } = await batch(["holes.txt", "--weights", "cifar10", "--out", out, "--max-errors", "1"]);
    expect([code, stderr]).toEqual([42, expect.stringContaining("TOO_MANY_ERRORS: batch: 2 of the first 3 pictures")]);
    expect(visibleIn(out)).toEqual(["input.json", "run.json"]);
  });
});

describe("a run that is killed", () => {
  /** Starts a run, and ends it so many milliseconds after it began, or after it said its first line. */
  /** @param begun a source, if it is killed so long after it said what it will do */
  function killed(out: string, afterMs: number, signal: NodeJS.Signals, begun?: string): Promise<number | null> {
    const isBegun = begun !== undefined;
    const args = ["batch", begun ?? "photos", ...common, "--out", out, "--workers", "2"];
    const stdio = ["ignore", "ignore", "pipe"] as const;
    const child = spawn(process.execPath, [command, ...args], { cwd: folder, detached: true, stdio: [...stdio] });
    const { pid = 0 } = child;
    // A scheduler tells the process alone; a kill takes all there is.
    const end = () => setTimeout(() => process.kill(signal === "SIGKILL" ? -pid : pid, signal), afterMs);
    let timer = isBegun ? undefined : end();
    child.stderr?.once("data", () => {
      if (isBegun) timer = end();
    });
    return new Promise((done) => {
      child.once("exit", (code) => {
        clearTimeout(timer);
        done(code);
      });
    });
  }

  it("goes on to the bytes of one that was not, with no row lost or doubled", async () => {
    const out = freshOut();
    // At moments that differ on every machine; whatever they hit, the end is the same.
    for (let turn = 0; turn < 8; turn++) await killed(out, 200 + 150 * turn, "SIGKILL");
    const { code } = await batch(["photos", ...common, "--out", out]);
    expect(code).toBe(0);
    expect(hashesIn(join(folder, out))).toEqual(wanted);
    expect((await batch(["--status", out])).code).toBe(0);
  });

  it("is out soon after SIGTERM, and leaves nothing half-named", async () => {
    const out = freshOut();
    // So many that it cannot have ended by itself before.
    const paths = Array.from({ length: 20_000 }, (_, i) => `photos/${String(i % 60).padStart(4, "0")}.png`);
    writeFileSync(join(folder, "long.txt"), `${paths.join("\n")}\n`);
    expect(await killed(out, 300, "SIGTERM", "long.txt")).toBe(143);
    const hidden = readdirSync(join(folder, out)).filter((name) => name.startsWith("."));
    expect(hidden).toEqual([]);
    // What has its name is whole.
    const { stdout } = await batch(["--status", out]);
    expect(stdout).not.toMatch(/damaged/);
  });

  it("is given up where workers die before they take a shard", async () => {
    const out = freshOut();
    // Of all processes only the workers have somebody to speak with.
    writeFileSync(join(folder, "dies.cjs"), 'if (process.send) process.kill(process.pid, "SIGKILL");\n');
    const { code, stderr } = await batch(["photos", ...common, "--out", out, "--workers", "2"], {
      NODE_OPTIONS: `--require ${join(folder, "dies.cjs")}`,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("3 workers died one after the other")]);
  });

  it("two runs of the same shards at once make the same parts", async () => {
    const out = freshOut();
    const both = await Promise.all([1, 2].map(() => batch(["photos", ...common, "--out", out, "--workers", "1"])));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(hashesIn(join(folder, out))).toEqual(wanted);
    const hidden = readdirSync(join(folder, out)).filter((name) => name.startsWith("."));
    expect(hidden).toEqual([]);
  });
});
