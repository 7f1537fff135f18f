/** The recipes of examples/many-machines on their engines: two hundred pictures in twenty shards, a worker killed. */

import { chmodSync, cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { delimiter, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import recipe from "../../examples/many-machines/bullmq/package.json" with { type: "json" };
import manifest from "../../package.json" with { type: "json" };
import { freePorts, type Program, partsIn, processesOf, signalOneAtWork, startProgram, until } from "./at-work.ts";
import { emptyProject, type Project } from "./project.ts";

const PHOTOS = 200;
const SHARDS = 20;
/** Large enough that a shard takes a while. */
const SIDE = 1000;
const DEPTHWISE = "node_modules/.bin/depthwise";

/** Debian's package of each program. */
const ENGINES = {
  parallel: "parallel",
  munged: "munge",
  slurmctld: "slurm-wlm",
  slurmd: "slurm-wlm",
  sbatch: "slurm-wlm",
  "redis-server": "redis-server",
} as const;

function needPrograms(...programs: readonly (keyof typeof ENGINES)[]): void {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  for (const program of programs) {
    if (folders.some((folder) => existsSync(join(folder, program)))) continue;
    throw new Error(`${program} is not on this machine: apt-get install ${ENGINES[program]}`);
  }
}

let project: Project;
/** Of the lines of all parts, from a run that nobody disturbed. */
let undisturbed: string;

beforeAll(async () => {
  const { bullmq, ioredis } = recipe.dependencies;
  const packages = [`sharp@${manifest.devDependencies.sharp}`, `bullmq@${bullmq}`, `ioredis@${ioredis}`];
  project = emptyProject("many-machines", packages);
  const examples = join(project.path, "node_modules/depthwise/examples");
  cpSync(join(examples, "many-machines"), join(project.path, "many-machines"), { recursive: true });
  await makePhotos(join(examples, "drawings"));
  const asked = ["photos", "--weights", "cifar10", "--shards", String(SHARDS), "--workers", "1", "--threads", "1"];
  const started = Date.now();
  const { status, output } = project.run(DEPTHWISE, "batch", ...asked, "--out", "undisturbed");
  expect([status, output]).toEqual([0, expect.stringMatching(/20 parts, 200 pictures, no errors/)]);
  tell("one process", started);
  undisturbed = expectWhole("undisturbed");
  const ids = readFileSync(join(project.path, "undisturbed.jsonl"), "utf8").trim().split("\n");
  expect(ids.map((line) => JSON.parse(line).id)).toEqual(Array.from({ length: PHOTOS }, (_, place) => photo(place)));
});
afterAll(() => {
  for (const pid of project === undefined ? [] : processesOf(project)) process.kill(pid, "SIGKILL");
  project?.[Symbol.dispose]();
});

const photo = (place: number) => `${String(place).padStart(3, "0")}.jpg`;

/** The twenty drawings as large photographs, each under ten names. */
async function makePhotos(drawings: string): Promise<void> {
  const large = join(project.path, "large");
  const photos = join(project.path, "photos");
  for (const folder of [large, photos]) mkdirSync(folder);
  const names = readdirSync(drawings).sort();
  for (const name of names) {
    await sharp(join(drawings, name))
      .resize(SIDE, SIDE)
      .jpeg()
      .toFile(join(large, `${name}.jpg`));
  }
  for (let place = 0; place < PHOTOS; place++) {
    linkSync(join(large, `${names[place % names.length]}.jpg`), join(photos, photo(place)));
  }
}

/** Tests do not depend on it. */
function tell(what: string, started: number): void {
  console.log(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s, load ${loadavg()[0]?.toFixed(1)}`);
}

/** All parts are there and joined. @returns the sha256 of all rows */
function expectWhole(out: string): string {
  const status = project.run(DEPTHWISE, "batch", "--status", out);
  expect([status.status, status.output]).toEqual([
    0,
    expect.stringMatching(/^20 of 20 parts, 200 of 200 pictures, no/),
  ]);
  const merged = project.run(DEPTHWISE, "batch", "--out", out, "--merge", `${out}.jsonl`);
  expect([merged.status, merged.output]).toEqual([0, expect.stringMatching(/sha256 [0-9a-f]{64}$/m)]);
  return /sha256 (\S+)/.exec(merged.output)?.[1] ?? "";
}

const folder = (out: string) => join(project.path, out);
const linesOf = (file: string) => readFileSync(join(project.path, file), "utf8").trim().split("\n");

it("GNU parallel repeats a shard that was killed, and not one that ended with 42", async () => {
  needPrograms("parallel");
  const script = "many-machines/gnu-parallel/run.sh";
  const started = Date.now();
  await using run = startProgram(project, [script, "photos", "by-parallel", String(SHARDS)], { JOBS: "2" });
  const killed = await signalOneAtWork(folder("by-parallel"), 5, "SIGKILL");
  expect([await run.ended, run.output()]).toEqual([0, expect.stringMatching(/20 of 20 parts/)]);
  tell(`GNU parallel, shard ${killed.shard} killed`, started);
  expect(expectWhole("by-parallel")).toBe(undisturbed);
  const exits = (log: string) => linesOf(log).flatMap((line, place) => (place === 0 ? [] : [line.split("\t")[6]]));
  expect(exits("by-parallel.log")).toEqual(Array(SHARDS).fill("0"));

  project.write("ends.sh", '#!/bin/sh\necho "$*" >>"tries-$ENDS"\nexit "$ENDS"\n');
  chmodSync(folder("ends.sh"), 0o755);
  for (const [code, tries] of [
    ["42", 1],
    ["1", 3],
  ] as const) {
    const environment = { DEPTHWISE: "./ends.sh", ENDS: code, JOBS: "2" };
    await using ending = startProgram(project, [script, "photos", `ends-${code}`, "3"], environment);
    expect(await ending.ended).not.toBe(0);
    const asked = linesOf(`tries-${code}`).flatMap((line) => /--shard (\d)/.exec(line)?.[1] ?? []);
    expect(asked.sort().join("")).toBe(["0", "1", "2"].map((shard) => shard.repeat(tries)).join(""));
    expect(exits(`ends-${code}.log`)).toEqual(Array(3).fill(code));
  }
});

/** Of a task that ended, or was queued again. */
interface Ended {
  readonly task: number;
  readonly state: string;
  readonly exit: string;
}

describe("Slurm", () => {
  let cluster: Program;
  beforeAll(async () => {
    needPrograms("munged", "slurmctld", "slurmd", "sbatch");
    const [control, node] = await freePorts(2);
    const script = "many-machines/slurm/one-node.sh";
    cluster = startProgram(project, [script, "cluster", String(control), String(node)]);
    await until("a cluster", () => cluster.output().includes("ready"), cluster.output);
  });
  afterAll(() => cluster?.stop());

  /** @returns the number of the job */
  function submit(out: string, ...options: readonly string[]): string {
    const environment = `SLURM_CONF=${folder("cluster/slurm.conf")}`;
    const command = ["sbatch", "--parsable", ...options, "many-machines/slurm/job.sh", "photos", out];
    const { status, output } = project.run("env", environment, ...command);
    expect([status, output]).toEqual([0, expect.stringMatching(/^\d+$/m)]);
    return output.trim();
  }

  /** What became of the tasks of a job, by their numbers, when so many have ended or were queued again. */
  async function ended(job: string, count: number): Promise<readonly Ended[]> {
    const now = () =>
      linesOf("cluster/jobs.log").flatMap((line): readonly Ended[] => {
        const value = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? "";
        if (value("ArrayJobId") !== job) return [];
        return [{ task: Number(value("ArrayTaskId")), state: value("JobState"), exit: value("ExitCode") }];
      });
    await until(
      `${count} ends of tasks`,
      () => now().length >= count,
      () => JSON.stringify(now()),
    );
    return now().toSorted((a, b) => a.task - b.task);
  }

  const firstLine = (job: string, task: number) => linesOf(`slurm-${job}-${task}.log`)[0];

  it("queues a task again whose process was killed", async () => {
    const started = Date.now();
    const job = submit("by-slurm");
    const { shard } = await signalOneAtWork(folder("by-slurm"), 5, "SIGKILL");
    const all = await ended(job, SHARDS + 1);
    tell(`Slurm, shard ${shard} killed`, started);
    expect(expectWhole("by-slurm")).toBe(undisturbed);
    const completed = all.filter(({ state }) => state === "COMPLETED");
    expect(completed.map(({ task }) => task)).toEqual(Array.from({ length: SHARDS }, (_, task) => task));
    expect(all.filter(({ state }) => state !== "COMPLETED")).toMatchObject([{ task: shard }]);
    const tries = linesOf(`slurm-${job}-${shard}.log`).filter((line) => line.startsWith("depthwise: shard"));
    expect(tries).toEqual(Array(2).fill(tries[0]));
    expect(tries[0]).toContain(`shard ${shard} of 20 (SLURM_ARRAY_TASK_ID=${shard} of Slurm)`);
  });

  it("runs arrays whose first task is 1", async () => {
    const started = Date.now();
    const job = submit("from-one", "--array=1-20%2");
    const all = await ended(job, SHARDS);
    tell("Slurm, tasks from 1", started);
    expect(all.map(({ task, state }) => [task, state])).toEqual(
      Array.from({ length: SHARDS }, (_, task) => [task + 1, "COMPLETED"]),
    );
    expect(expectWhole("from-one")).toBe(undisturbed);
    expect(firstLine(job, 1)).toContain("shard 0 of 20 (SLURM_ARRAY_TASK_ID=1 of Slurm, the first being 1)");
  });

  it("does not queue a task again that ended with 42", async () => {
    const job = submit("undisturbed", "--array=0-1");
    expect(await ended(job, 2)).toEqual([0, 1].map((task) => ({ task, state: "FAILED", exit: "42:0" })));
    expect(firstLine(job, 0)).toMatch(/parts of another run: shards: there 20, now 2/);
    expect(await cluster.stop()).toBe(0);
  });
});

it("BullMQ gives the shard of a dead worker to another, and goes on when Redis was killed and is back", async () => {
  needPrograms("redis-server");
  const [port] = await freePorts(1);
  mkdirSync(folder("redis"));
  const redis = () => {
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", "redis"];
    return startProgram(project, ["redis-server", ...place, "--appendonly", "yes", "--save", ""]);
  };
  const out = folder("by-bullmq");
  const asked = { PHOTOS: "photos", LABELS: "by-bullmq", SHARDS: String(SHARDS), REDIS_PORT: String(port) };
  const start = (name: string, more = {}) =>
    startProgram(project, ["node", `many-machines/bullmq/${name}.mjs`], { ...asked, LOCK_MS: "3000", ...more });

  await using before = redis();
  const working: Program[] = [];
  await using _workers = {
    async [Symbol.asyncDispose]() {
      for (const worker of working) await worker.stop();
    },
  };
  const startWorker = () => working.push(start("worker"));
  for (let count = 0; count < 3; count++) startWorker();
  const started = Date.now();
  await using producer = start("producer");
  const killed = await signalOneAtWork(out, 3, "SIGKILL");
  const given = await signalOneAtWork(out, 6, "SIGTERM");
  startWorker();
  await until("some parts more", () => partsIn(out).length >= 10);
  await before.stop("SIGKILL");
  expect(partsIn(out).length).toBeLessThan(SHARDS);
  await using after = redis();
  expect([await producer.ended, producer.output()]).toEqual([0, expect.stringMatching(/^20 parts, 0 failed$/m)]);
  tell(`BullMQ, shard ${killed.shard} killed, shard ${given.shard} given back, Redis killed`, started);
  expect(expectWhole("by-bullmq")).toBe(undisturbed);
  for (const worker of working) {
    const code = worker.pid === given.pid ? await worker.ended : await worker.stop();
    expect([code, worker.output()]).toEqual([worker.pid === killed.pid ? "SIGKILL" : 0, worker.output()]);
    console.log(worker.output().trim().split("\n").at(-1));
  }

  await using refusing = start("worker", { SHARDS: "2" });
  await using refused = start("producer", { SHARDS: "2" });
  expect([await refused.ended, refused.output()]).toEqual([1, expect.stringMatching(/^20 parts, 2 failed$/m)]);
  for (const shard of [0, 1]) {
    expect(refused.output()).toMatch(
      new RegExp(`shard ${shard}, 1 tries: .*parts of another run: shards: there 20, now 2`),
    );
  }
  expect([await refusing.stop(), await after.stop()]).toEqual([0, 0]);
});

it("leaves no process behind", async () => {
  await until("all processes to end", () => processesOf(project).length === 0);
});
