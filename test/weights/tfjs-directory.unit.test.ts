/** @slow: it takes 4 seconds. */

/** A directory of `saveTfjs` that many read and write at once, on a disk that fills up, by processes that are killed. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { saveTfjs } from "../../src/weights/write-tfjs.ts";
import { modelOf } from "../fixtures/one-value-model.ts";

/** The value that a directory's model was made with, if its weights say what its label says. */
async function valueIn(directory: string): Promise<number> {
  const { info, parameters } = await loadModel(directory);
  const value = Number(info.labels?.[0]);
  for (const { data } of parameters.values()) {
    const other = data.find((weight) => weight !== value);
    if (other !== undefined) throw new Error(`labels of ${value}, weights of ${other}`);
  }
  return value;
}

let folder = "";
let directory = "";
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "depthwise-directory-"));
  await build({
    stdin: { contents: CHILD, resolveDir: resolve(import.meta.dirname, "../.."), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile: join(folder, "child.mjs"),
  });
});
beforeEach(() => {
  directory = join(folder, `model${count++}`);
});
afterAll(() => rm(folder, { recursive: true }));

const CHILD = `
import { saveTfjs } from "./src/weights/write-tfjs.ts";
import { modelOf } from "./test/fixtures/one-value-model.ts";
process.on("SIGXFSZ", () => {});
const [directory, times, ...values] = process.argv.slice(2);
const models = values.map((value) => modelOf(Number(value)));
console.log("begins");
for (let turn = 0; turn < Number(times); turn++) {
  await saveTfjs(models[turn % models.length], directory).catch((error) => console.log(error.code, error.message));
}
`;

const shardsOf = (names: readonly string[]) => names.filter((name) => name.endsWith(".bin"));

function writer(times: number, ...values: number[]): ChildProcess {
  const args = [join(folder, "child.mjs"), directory, times, ...values].map(String);
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

describe("a directory of saveTfjs", () => {
  it("gives a reader one model whole while two processes write four", async () => {
    await saveTfjs(modelOf(1), directory);
    const writers = [writer(40, 1, 2), writer(40, 3, 4)];
    let isOver = false;
    const ended = Promise.all(writers.map((child) => once(child, "exit"))).finally(() => {
      isOver = true;
    });
    const seen = new Set<number>();
    let looks = 0;
    while (!isOver) {
      seen.add(await valueIn(directory));
      looks += 1;
    }
    expect((await ended).map(([code]) => code)).toEqual([0, 0]);
    seen.add(await valueIn(directory));
    expect(looks).toBeGreaterThan(10);
    expect(seen.size).toBeGreaterThan(1);
    // Each content once, whoever wrote it and how often.
    expect(shardsOf(await readdir(directory))).toHaveLength(8);
    expect((await readdir(directory)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("holds one model whole after saves at once", async () => {
    for (let round = 0; round < 3; round++) {
      await Promise.all([1, 2, 3, 4].map((value) => saveTfjs(modelOf(value), directory)));
      expect([1, 2, 3, 4]).toContain(await valueIn(directory));
    }
  });

  it("holds one model whole whenever a save is killed", async () => {
    await saveTfjs(modelOf(1), directory);
    const random = mulberry32(7);
    for (let round = 0; round < 8; round++) {
      const child = writer(1000, 2, 3);
      await once(child.stdout as NodeJS.ReadableStream, "data");
      await new Promise((done) => setTimeout(done, 80 * random()));
      child.kill("SIGKILL");
      await once(child, "exit");
      expect([1, 2, 3]).toContain(await valueIn(directory));
    }
    // An hour later nothing is left of them.
    const old = Date.now() / 1000 - 3700;
    for (const name of await readdir(directory)) await utimes(join(directory, name), old, old);
    await saveTfjs(modelOf(4), directory);
    const names = await readdir(directory);
    expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(shardsOf(names)).toHaveLength(4);
    expect(await valueIn(directory)).toBe(4);
  });

  it("keeps shards for a minute after they were last named, and what others put there for good", async () => {
    const others = ["group1-shard1of2.bin", "group1-shard1of2-0123456789abcdef.bin.gz", "weights.bin", "old.json"];
    await mkdir(join(directory, "group1-shard9of9-0123456789abcdef.bin"), { recursive: true });
    for (const name of others) await writeFile(join(directory, name), "x");
    const foreign = [...(await readdir(directory))];
    for (const name of foreign) await utimes(join(directory, name), 0, 0);
    const shards = async () => shardsOf(await readdir(directory)).filter((name) => !foreign.includes(name));

    await saveTfjs(modelOf(1), directory);
    const first = await shards();
    for (const name of first) await utimes(join(directory, name), 0, 0);
    await saveTfjs(modelOf(2), directory);
    await saveTfjs(modelOf(3), directory);
    // Written long ago, but named until just now.
    expect(await shards()).toHaveLength(6);
    for (const name of first) await utimes(join(directory, name), 0, Date.now() / 1000 - 61);
    await saveTfjs(modelOf(4), directory);
    expect(await shards()).toHaveLength(6);
    expect(await shards()).not.toContain(first[0]);
    expect((await readdir(directory)).filter((name) => foreign.includes(name)).sort()).toEqual(foreign.sort());
    expect(await valueIn(directory)).toBe(4);
  });

  it("keeps the old model, and nothing of the new one, when there is no room", async () => {
    await saveTfjs(modelOf(1), directory);
    const before = await readdir(directory);
    const limited = 'ulimit -f 3000 && exec "$0" "$@"';
    const args = [process.execPath, join(folder, "child.mjs"), directory, "1", "2"];
    const { stdout, status } = spawnSync("bash", ["-c", limited, ...args]);
    expect([String(stdout), status]).toEqual([expect.stringMatching(/FILE_UNREADABLE .*EFBIG.*untouched/), 0]);
    expect(await readdir(directory)).toEqual(before);
    expect(await valueIn(directory)).toBe(1);
  });

  it("may be a link, and so may its model.json; neither is replaced, and a FIFO is refused", async () => {
    await mkdir(`${directory}-there`);
    await symlink(`${directory}-there`, directory);
    await writeFile(`${directory}.json`, "before");
    await symlink(`${directory}.json`, join(directory, "model.json"));
    await saveTfjs(modelOf(1), directory);
    expect(await valueIn(directory)).toBe(1);
    expect(await readdir(directory)).toHaveLength(3);
    await rm(join(directory, "model.json"));
    spawnSync("mkfifo", [join(directory, "model.json")]);
    await expect(saveTfjs(modelOf(2), directory)).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/model\.json.*a FIFO/),
    });
    expect(await readdir(directory)).toHaveLength(3);
  });
});
