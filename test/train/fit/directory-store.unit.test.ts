/** Checkpoints in a directory: whole files or none, one run at a time. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { directoryStore } from "../../../src/train/fit/directory-store.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import { tinyData, tinyModel } from "./tiny.ts";

const root = mkdtempSync(join(tmpdir(), "depthwise-store-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(root, String(count++));
const text = (letters: string) => new TextEncoder().encode(letters);
const LOCK = ".depthwise-lock";

describe("a directory", () => {
  it("is made when it is needed, and holds files whole", async () => {
    const path = join(fresh(), "deep", "er");
    const store = directoryStore(pathToFileURL(path));
    expect(store.name).toBe(path);
    expect(await store.read("a.json")).toBeUndefined();
    await store.remove("a.json");
    await store.write("a.json", text("one"));
    await store.write("a.json", text("two"));
    expect(new TextDecoder().decode(await store.read("a.json"))).toBe("two");
    expect(await store.list?.()).toEqual(["a.json"]);
    await store.remove("a.json");
    expect(readdirSync(path)).toEqual([]);
  });

  it("that cannot be is refused with the reason", async () => {
    const path = fresh();
    writeFileSync(path, "a file");
    const run = fit(tinyModel(), tinyData(40), { epochs: 1, checkpoint: join(path, "within") });
    await expect(run.done).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("in the way"),
    });
    await expect(fit(tinyModel(), tinyData(40), { checkpoint: "http://a.example/b" }).done).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });

  it("loses what a killed run left unfinished, and nothing else", async () => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, ".depthwise-0123456789abcdef.tmp"), "half");
    writeFileSync(join(path, "notes.tmp"), "mine");
    const unlock = await directoryStore(path).lock?.();
    expect(readdirSync(path).sort()).toEqual([LOCK, "notes.tmp"]);
    await unlock?.();
    expect(readdirSync(path)).toEqual(["notes.tmp"]);
  });
});

describe("what is unfinished and cannot be removed", () => {
  it("stays, and the directory can be used", async () => {
    const path = fresh();
    mkdirSync(join(path, ".depthwise-0123456789abcdef.tmp"), { recursive: true });
    writeFileSync(join(path, ".depthwise-fedcba9876543210.tmp"), "half");
    const store = directoryStore(path);
    for (let time = 0; time < 2; time++) {
      const unlock = await store.lock?.();
      expect(readdirSync(path).sort()).toEqual([".depthwise-0123456789abcdef.tmp", LOCK]);
      await unlock?.();
    }
    expect(readdirSync(path)).toEqual([".depthwise-0123456789abcdef.tmp"]);
  });
});

describe("a second run", () => {
  it("in one process is refused, and may begin when the first has ended", async () => {
    const checkpoint = fresh();
    const options = { epochs: 3, batch: 16, checkpoint, resume: true };
    const first = fit(tinyModel(), tinyData(40), options);
    const second = fit(tinyModel(), tinyData(40), options);
    const results = await Promise.allSettled([first.done, second.done]);
    const refused = results.find((result) => result.status === "rejected");
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(refused?.reason).toMatchObject({ code: "CHECKPOINT_IN_USE", fields: { pid: process.pid } });
    expect((await fit(tinyModel(), tinyData(40), options).done).history.length).toBe(3);
    expect(existsSync(join(checkpoint, LOCK))).toBe(false);
  });

  it("beside another process is refused while that lives, and takes over when it was killed", async () => {
    const checkpoint = fresh();
    const script = resolve(import.meta.dirname, "run-to-kill.mjs");
    const child = spawn(process.execPath, [script, checkpoint, '{"epochs":100000,"patience":100000}']);
    await new Promise((begun) => child.stdout.once("data", begun));
    const store = directoryStore(checkpoint);
    await expect(store.lock?.()).rejects.toMatchObject({ code: "CHECKPOINT_IN_USE", fields: { pid: child.pid } });
    const closed = new Promise((done) => child.once("close", done));
    child.kill("SIGKILL");
    await closed;
    expect(existsSync(join(checkpoint, LOCK))).toBe(true);
    const unlock = await store.lock?.();
    expect(JSON.parse(readFileSync(join(checkpoint, LOCK), "utf8"))).toMatchObject({ pid: process.pid });
    await unlock?.();
  });

  it.each([
    ["of another machine, a moment ago", { id: "a", pid: 1, host: "elsewhere" }, 0, true],
    ["of another machine, long untouched", { id: "a", pid: 1, host: "elsewhere" }, 600, false],
    ["of a process with this number, before", { id: "a", pid: process.pid, host: hostname(), started: "1" }, 0, false],
    ["of another thread of this process, untouched", { id: "a", pid: process.pid, host: hostname() }, 600, false],
    [
      "of a process that begun at another time",
      { id: "a", pid: process.ppid, host: hostname(), started: "1" },
      0,
      process.platform !== "linux",
    ],
    ["that is no JSON", "{", 0, false],
    ["of nothing", "", 600, false],
  ])("finds a lock %s", async (_name, content, ageSeconds, isRefused) => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, LOCK), typeof content === "string" ? content : JSON.stringify(content));
    const then = Date.now() / 1000 - ageSeconds;
    utimesSync(join(path, LOCK), then, then);
    const locking = directoryStore(path).lock?.() ?? Promise.reject(new Error("no lock"));
    if (isRefused) return expect(locking).rejects.toMatchObject({ code: "CHECKPOINT_IN_USE" });
    await (await locking)();
    return expect(readdirSync(path)).toEqual([]);
  });

  it.each<[string, (lock: string) => void]>([
    ["a directory", (lock) => mkdirSync(lock)],
    ["a link that leads nowhere", (lock) => symlinkSync("nowhere", lock)],
    ["a pipe", (lock) => execFileSync("mkfifo", [lock])],
  ])(
    "finds in place of the lock %s, and says so",
    async (_name, make) => {
      if (process.platform === "win32") return;
      const path = fresh();
      mkdirSync(path);
      make(join(path, LOCK));
      const run = fit(tinyModel(), tinyData(40), { epochs: 1, checkpoint: path });
      await expect(run.done).rejects.toMatchObject({
        code: "FILE_UNREADABLE",
        message: expect.stringContaining(`${join(path, LOCK)}: it is no regular file`),
      });
      expect(readdirSync(path)).toEqual([LOCK]);
    },
    3_000,
  );

  it("does not wait for a lock of nothing, or its guard, from a time that is not yet", async () => {
    const path = fresh();
    mkdirSync(path);
    const later = Date.now() / 1000 + 3_600;
    for (const name of [LOCK, `${LOCK}-guard`]) {
      writeFileSync(join(path, name), "");
      utimesSync(join(path, name), later, later);
    }
    await (await directoryStore(path).lock?.())?.();
    expect(readdirSync(path)).toEqual([]);
  }, 3_000);

  it("does not wait for a guard that leads nowhere", async () => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, LOCK), "{");
    symlinkSync("nowhere", join(path, `${LOCK}-guard`));
    await (await directoryStore(path).lock?.())?.();
    expect(readdirSync(path)).toEqual([]);
  }, 5_000);

  it("is one of many who find a stale lock at once", async () => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, LOCK), "{");
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => directoryStore(path).lock?.()));
    expect(all.filter(({ status }) => status === "fulfilled").length).toBe(1);
  });
});

describe("a disk that is full", () => {
  it.runIf(process.platform === "linux")("leaves the checkpoint before, and says so", async () => {
    const checkpoint = fresh();
    const script = resolve(import.meta.dirname, "run-to-kill.mjs");
    const options = { epochs: 1, schedule: { type: "constant", rate: 0.003 }, resume: true };
    execFileSync(process.execPath, [script, checkpoint, JSON.stringify(options)]);
    const before = readdirSync(checkpoint).map((name) => [name, readFileSync(join(checkpoint, name), "hex")]);
    const more = JSON.stringify({ ...options, epochs: 2 });
    // Blocks of 1024 bytes; the state is larger. With the signal ignored, the system says EFBIG.
    const limited = spawnSync("bash", [
      ...["-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "bash"],
      ...[process.execPath, script, checkpoint, more],
    ]);
    expect(String(limited.stderr)).toMatch(/EFBIG.*Make room for it. What was there before is untouched/);
    expect(readdirSync(checkpoint).map((name) => [name, readFileSync(join(checkpoint, name), "hex")])).toEqual(before);
    execFileSync(process.execPath, [script, checkpoint, more]);
    expect(readFileSync(join(checkpoint, "history.jsonl"), "utf8").trim().split("\n").length).toBe(2);
  });
});
