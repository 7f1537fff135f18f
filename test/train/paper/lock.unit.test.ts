/** One process a run: who has the lock, and whose lock is taken over. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { script } from "./fixture.ts";

const { lockRun } = await script<{ lockRun(path: string): (() => void) | undefined }>("lock.mjs");
const folder = mkdtempSync(join(tmpdir(), "paper-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

let locks = 0;
const fresh = () => join(folder, `cell-${++locks}`, "seed-1.lock");

describe("a lock", () => {
  it("is one's own until it is given free", () => {
    const path = fresh();
    const unlock = lockRun(path);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
    expect(lockRun(path)).toBeUndefined();
    unlock?.();
    expect(readdirSync(join(path, ".."))).toEqual([]);
    const again = lockRun(path);
    expect(again).toBeDefined();
    again?.();
  });

  it("of a process that lives is respected, and left as it is", () => {
    const path = fresh();
    lockRun(path)?.();
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    try {
      writeFileSync(path, JSON.stringify({ pid: other.pid }));
      expect(lockRun(path)).toBeUndefined();
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ pid: other.pid });
    } finally {
      other.kill();
    }
  });

  const { pid: dead } = spawnSync(process.execPath, ["-e", ""]);
  it.each([
    ["a process that has ended", JSON.stringify({ pid: dead })],
    ["nobody", ""],
    ["nothing", "null"],
    ["what is no process", '{"pid":"x"}'],
    ...(process.platform === "linux"
      ? [["another process that had this number", JSON.stringify({ pid: process.pid, started: "1" })]]
      : []),
  ])("of %s is taken over", (_, text) => {
    const path = fresh();
    lockRun(path)?.();
    writeFileSync(path, text ?? "");
    const unlock = lockRun(path);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
    unlock?.();
    expect(existsSync(path)).toBe(false);
  });

  it("that another has taken over meanwhile is not removed", () => {
    const path = fresh();
    const unlock = lockRun(path);
    writeFileSync(path, '{"pid":1}');
    unlock?.();
    expect(readFileSync(path, "utf8")).toBe('{"pid":1}');
  });
});
