/** @slow: it runs the built command. Runs of shards whose parts are tables. */

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashesIn, writePictures } from "../batch/fixture.ts";
import { command, run } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-batch-tables-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** Undisturbed by what the machine that tests may be. */
const env = { SLURM_ARRAY_TASK_ID: undefined, JOB_COMPLETION_INDEX: undefined } as NodeJS.ProcessEnv;
const ask = (args: readonly string[]) => run(args, { cwd: folder, env });
const common = ["photos", "--weights", "cifar10", "--simd", "plain", "--shards", "6"];
const tables = [...common, "--task", "both", "--format", "parquet"];
let wanted: Readonly<Record<string, string>>;

beforeAll(async () => {
  await writePictures(join(folder, "photos"), 18);
  const { code } = await ask(["batch", ...tables, "--out", "wanted", "--workers", "1"]);
  expect(code).toBe(0);
  wanted = hashesIn(join(folder, "wanted"));
  expect(Object.keys(wanted)).toHaveLength(6);
});

/** Starts a run, and kills all of it so many milliseconds later. */
async function killed(out: string, afterMs: number): Promise<void> {
  const args = ["batch", ...tables, "--out", out, "--workers", "2"];
  const child = spawn(process.execPath, [command, ...args], { cwd: folder, detached: true, stdio: "ignore" });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), afterMs);
  await ended;
  clearTimeout(timer);
}

describe("depthwise batch --format parquet", () => {
  it("gives the same bytes by three workers, and where it was killed and started again", async () => {
    expect((await ask(["batch", ...tables, "--out", "three", "--workers", "3"])).code).toBe(0);
    expect(hashesIn(join(folder, "three"))).toEqual(wanted);
    for (let turn = 0; turn < 4; turn++) await killed("killed", 300 + 250 * turn);
    expect((await ask(["batch", ...tables, "--out", "killed"])).code).toBe(0);
    expect(hashesIn(join(folder, "killed"))).toEqual(wanted);
    const { stdout } = await ask(["batch", "--status", "killed"]);
    expect(stdout).toBe("6 of 6 parts, 18 of 18 pictures, no errors\nboth by mobilenet_v1_0.37_32, parquet\n");
  });

  it("is joined to a table, and to nothing else", async () => {
    const { code, stdout } = await ask(["batch", "--out", "wanted", "--merge", "all.parquet"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^all\.parquet: [\d,]+ bytes, sha256 [0-9a-f]{64}\n$/)]);
    const refused = await ask(["batch", "--out", "wanted", "--merge", "all.csv"]);
    expect([refused.code, refused.stderr]).toEqual([42, expect.stringMatching(/a name that ends with \.parquet/)]);
    expect(readdirSync(folder)).not.toContain("all.csv");
    const mixed = await ask(["batch", ...common, "--task", "both", "--out", "wanted"]);
    expect([mixed.code, mixed.stderr]).toEqual([
      42,
      expect.stringMatching(/options\.format: there "parquet", now "jsonl"/),
    ]);
  });

  it("is what nearest looks in", async () => {
    const { code, stdout } = await ask([
      "nearest",
      "wanted",
      "photos/0007.png",
      "--weights",
      "cifar10",
      "--top-k",
      "2",
    ]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^ 1\.0000 {2}0007\.png\n 0\.\d{4} {2}\d{4}\.png\n$/)]);
  });

  it("is looked in for a picture that is prepared as those of the run were", async () => {
    const other = ["--range", "0,1", "--resize", "stretch", "--crop-fraction", "1"];
    expect((await ask(["batch", ...tables, ...other, "--out", "other", "--workers", "1"])).code).toBe(0);
    const look = ["nearest", "other", "photos/0007.png", "--weights", "cifar10", "--top-k", "1"];
    for (const args of [look, [...look, ...other]]) {
      expect(await ask(args)).toMatchObject({ code: 0, stdout: " 1.0000  0007.png\n" });
    }
    const { code, stderr } = await ask([...look, "--range", "-1,1"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/RUN_MISMATCH.*range: there \[0,1\], now \[-1,1\]/)]);
  });
});
