/**
 * `depthwise batch` of the packed package, killed again and again at random moments, its workers, itself, or all at once:
 * what is there in the end are the bytes of a run that nothing disturbed. `DEPTHWISE_KILLS=100` kills it so often.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { emptyProject, type Project } from "./project.ts";

const KILLS = Number(process.env["DEPTHWISE_KILLS"] ?? 25);
const ROWS = 400;
const SHARDS = 20;
const COMMAND = "node_modules/depthwise/dist/cli/depthwise.js";
const ASK = ["batch", "list.jsonl", "--weights", "cifar10", "--task", "both", "--format", "npy"];
const HOW = [`--shards=${SHARDS}`, "--workers=2", "--simd=plain"];

let project: Project;
beforeAll(() => {
  project = emptyProject("batch-kills", [`sharp@${manifest.devDependencies.sharp}`]);
  const drawings = "node_modules/depthwise/examples/drawings";
  const names = readdirSync(join(project.path, drawings)).filter((name) => name.endsWith(".png"));
  // Some that nobody can read: they are rows too.
  const path = (id: number) => (id % 97 === 5 ? "absent.png" : `${drawings}/${names[id % names.length]}`);
  const lines = Array.from({ length: ROWS }, (_, id) => JSON.stringify({ id, path: path(id) }));
  project.write("list.jsonl", `${lines.join("\n")}\n`);
});
afterAll(() => project?.[Symbol.dispose]());

const partsIn = (out: string) =>
  readdirSync(join(project.path, out)).filter((name) => /^part-.*\.(jsonl|npy|stats\.json)$/.test(name));

/** Of each file of a part but its statistics, which tell of seconds. */
function hashesIn(out: string): Readonly<Record<string, string>> {
  const names = partsIn(out).filter((name) => !name.endsWith(".stats.json"));
  const hashed = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(project.path, out, name)))
      .digest("hex");
  return Object.fromEntries(names.sort().map((name) => [name, hashed(name)]));
}

/** Processes that a process started. */
function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Starts the command, and kills after a while what is chosen; waits until all of it has ended. */
async function disturbed(out: string, afterMs: number, whom: "all" | "itself" | "a worker"): Promise<void> {
  const child = spawn("node", [COMMAND, ...ASK, ...HOW, "--out", out], { cwd: project.path, stdio: "ignore" });
  const ended = new Promise((done) => child.once("close", done));
  await Promise.race([ended, sleep(afterMs)]);
  const workers = childrenOf(child.pid ?? 0);
  if (whom !== "itself") for (const worker of whom === "all" ? workers : workers.slice(0, 1)) kill(worker);
  if (whom === "a worker") await ended;
  else kill(child.pid);
  await ended;
  // Workers of one that is gone end by themselves.
  for (const worker of workers) {
    await expect.poll(() => childrenOf(worker).length === 0 && !isThere(worker), { timeout: 20_000 }).toBe(true);
  }
}

function isThere(pid: number): boolean {
  try {
    // One that has ended and that nobody has asked about is none.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

it("leaves the bytes of a run that nothing disturbed, no row lost or doubled", { timeout: 1_800_000 }, async () => {
  const started = performance.now();
  const whole = project.run("node", COMMAND, ...ASK, ...HOW, "--out", "whole");
  expect(whole).toMatchObject({
    status: 0,
    output: expect.stringContaining(`${SHARDS} parts, ${ROWS} pictures, 5 errors`),
  });
  // The kills are spread over all that it does, its start too.
  const latest = (performance.now() - started) / 2;
  const wanted = hashesIn("whole");
  expect(Object.keys(wanted)).toHaveLength(2 * SHARDS);

  let seed = 20;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  // The first may be killed before it makes it.
  mkdirSync(join(project.path, "killed"));
  let [midway, whole20] = [0, 0];
  for (let round = 0; round < KILLS; round++) {
    await disturbed("killed", random() * latest, (["all", "itself", "a worker"] as const)[round % 3] ?? "all");
    const made = partsIn("killed").filter((name) => name.endsWith(".stats.json"));
    if (made.length === SHARDS) {
      whole20++;
      // All done: some shards are to be run again. What has no statistics does not exist.
      for (const name of made.filter(() => random() < 0.7)) rmSync(join(project.path, "killed", name));
    } else midway++;
  }
  console.log(`${KILLS} kills, ${midway} of them before the run was whole, ${whole20} after`);
  expect(midway).toBeGreaterThan(0);
  expect(project.run("node", COMMAND, ...ASK, ...HOW, "--out", "killed").status).toBe(0);
  expect(hashesIn("killed")).toEqual(wanted);
  expect(project.run("node", COMMAND, "batch", "--status", "killed")).toMatchObject({
    status: 0,
    output: expect.stringContaining(`${SHARDS} of ${SHARDS} parts, ${ROWS} of ${ROWS} pictures`),
  });
  const merged = project.run("node", COMMAND, "batch", "--out", "killed", "--merge", "all.npy");
  expect(merged.status).toBe(0);
  const ids = readFileSync(join(project.path, "all.jsonl"), "utf8").trim().split("\n");
  expect(ids.map((line) => JSON.parse(line).id)).toEqual(Array.from({ length: ROWS }, (_, id) => String(id)));
});
