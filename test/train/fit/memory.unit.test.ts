/**
 * Fifty epochs hold no more than a few: heap and buffers after a collection, in a process of its own. What grows at first
 * is what the engine keeps of code that becomes warm, and this process is small; a batch that is kept an epoch would be
 * seen after that.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "depthwise-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Held {
  readonly epoch: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

it("is flat over fifty epochs, with prefetch, augmentation, averages, validation and checkpoints", {
  timeout: 120_000,
}, () => {
  const script = resolve(import.meta.dirname, "run-to-kill.mjs");
  const options = { epochs: 50, patience: 50, checkpointSeconds: 60, prefetch: 3 };
  const said = execFileSync(process.execPath, ["--expose-gc", script, folder, JSON.stringify(options)], {
    encoding: "utf8",
  });
  const held = said
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Held);
  expect(held.length).toBe(50);
  // The least of some epochs: what one has under way is not what is kept.
  const least = (from: number, of: (each: Held) => number) => Math.min(...held.slice(from, from + 9).map(of));
  const heap = (each: Held) => each.heapUsed;
  const buffers = (each: Held) => each.arrayBuffers;
  expect(least(41, heap)).toBeLessThanOrEqual(1.05 * least(11, heap));
  expect(least(41, buffers)).toBeLessThanOrEqual(1.05 * least(1, buffers));
  const all = (each: Held) => each.heapUsed + each.external;
  expect(least(41, all) - least(1, all)).toBeLessThan(2 ** 21);
});
