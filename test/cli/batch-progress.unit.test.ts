import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { PartStats, RunDescription } from "../../src/batch/index.ts";
import { batchProgress } from "../../src/cli/batch-progress.ts";

/** Four shards: of 5, 6, 6 and 6 pictures. */
const RUN = { shards: 4, input: { count: 23 } } as RunDescription;
const stats = (shard: number, rows: number, errors: PartStats["errors"] = {}) => ({ shard, rows, errors }) as PartStats;

const said: string[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  said.length = 0;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("says where there is no terminal, every ten seconds, how far the shards that were asked for are", () => {
  const progress = batchProgress([1, 3], RUN, false);
  progress.update(1, 2, 0);
  vi.advanceTimersByTime(9_999);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(1);
  progress.update(1, 4, 1);
  progress.update(3, 1, 0);
  vi.advanceTimersByTime(10_000);
  progress.done(stats(1, 6, { FILE_NOT_FOUND: 1 }));
  progress.update(3, 5, 2);
  vi.advanceTimersByTime(10_000);
  progress.stop();
  vi.advanceTimersByTime(60_000);
  const common = { shards: 2, total: 12 };
  expect(said.map((line) => JSON.parse(line))).toEqual([
    { seconds: 10, parts: 0, ...common, done: 2, errors: 0, picturesPerSecond: 0.2 },
    { seconds: 20, parts: 0, ...common, done: 5, errors: 1, picturesPerSecond: 0.3 },
    { seconds: 30, parts: 1, ...common, done: 11, errors: 3, picturesPerSecond: 0.4 },
  ]);
  expect(said.every((line) => line.endsWith("\n"))).toBe(true);
});

it("begins anew with a shard whose worker died", () => {
  const progress = batchProgress([0], RUN, true);
  progress.update(0, 4, 1);
  progress.update(0, 1, 0);
  vi.advanceTimersByTime(10_000);
  progress.stop();
  expect(said.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ done: 1, errors: 0 })]);
});
