import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { runShard } from "../../src/batch/index.ts";
import type * as preprocessing from "../../src/images/preprocess.ts";
import { labels, model, writePictures } from "./fixture.ts";

/** Turns that the event loop has had, at the beginning of each resize. */
const turns: number[] = [];
let turn = 0;
const LONG_MS = 50;

vi.mock("../../src/images/preprocess.ts", async (original) => {
  const real = await original<typeof preprocessing>();
  const { preprocess } = real;
  return {
    ...real,
    preprocess: (...given: Parameters<typeof preprocess>) => {
      turns.push(turn);
      // As long as a large picture takes: others are decoded by then.
      for (const end = performance.now() + LONG_MS; performance.now() < end; );
      return preprocess(...given);
    },
  };
});

it("has a turn of the event loop between any two pictures that take long to resize", async () => {
  const folder = mkdtempSync(join(tmpdir(), "batch-turns-"));
  let timer = setImmediate(function count() {
    turn++;
    timer = setImmediate(count);
  });
  try {
    const source = join(folder, "photos");
    await writePictures(source, 12);
    turns.length = 0;
    await runShard({ source, model, labels, out: join(folder, "out"), shard: 0, shards: 1 });
    expect(turns).toHaveLength(12);
    expect([...new Set(turns)]).toEqual(turns);
  } finally {
    clearImmediate(timer);
    rmSync(folder, { recursive: true, force: true });
  }
});
