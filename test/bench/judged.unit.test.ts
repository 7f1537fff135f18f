/** @slow: reads what was built, and trains on 80 pictures. A run is judged with what it was trained with. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { writePictures } from "../train/paper/fixture.ts";
import { bench, fileOfBench, type KeptRuns, type Task } from "./fixture.ts";

const judged = vi.hoisted(() => vi.fn());
vi.mock("../../scripts/shared/evaluate.mjs", () => ({
  evaluate: async (_model: object, set: { size: number }, how: object) => {
    judged(set.size, how);
    return [
      { label: 1, said: 1 },
      { label: 2, said: 1 },
    ];
  },
}));

const folder = mkdtempSync(join(tmpdir(), "bench-judged-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("with its SIMD and threads, on the pictures that judge", async () => {
  const data = join(folder, "cifar10");
  writePictures(data, 400);
  const { cifar10 } = (await import(join(bench, "../dist/esm/train.js"))) as {
    cifar10(path: string): Promise<object>;
  };
  const { taskOf } = await fileOfBench<{ taskOf(variant: string, seed: number, settings: object): Task }>(
    "recipes/task.mjs",
  );
  const { learn } = await fileOfBench<{ learn(task: Task, how: object): Promise<string> }>("harness/learn.mjs");
  const { readRun } = await fileOfBench<KeptRuns>("harness/kept-runs.mjs");
  const settings = { epochs: 1, simd: "plain", data: { sha256: "ab", examples: 80 } };
  const task = taskOf("batch 64 with peak 0.1", 1, settings);
  const sets = {
    train: await cifar10(join(data, "data_batch_1.bin")),
    judges: await cifar10(join(data, "test_batch.bin")),
  };
  const how = { runs: join(folder, "runs"), checkpoint: join(folder, "checkpoint"), ...sets };
  const other = taskOf("batch 64 with peak 0.1", 2, settings);
  expect(await learn(other, { ...how, threads: 2 })).toBe("made");
  expect(await learn(task, how)).toBe("made");
  expect(judged.mock.calls).toEqual([
    [30, { simd: "plain", threads: 2 }],
    [30, { simd: "plain", threads: 1 }],
  ]);
  expect(readRun(how.runs, task)?.right).toBe(0.5);
});
