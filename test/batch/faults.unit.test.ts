/** Whose fault it is when a shard ends early, and what is left then. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BatchOptions, isFinal, mergeParts, runShard } from "../../src/batch/index.ts";
import { labels, model, runAll, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-faults-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const photos = join(folder, "photos");
let paths: readonly string[] = [];
beforeAll(async () => {
  paths = await writePictures(photos, 6);
});

let outs = 0;
const asked = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ source: photos, model, labels, out: join(folder, `out-${++outs}`), shards: 1, simd: "plain", batch: 2 },
  ...more,
});

function listOf(name: string): string {
  const list = join(folder, name);
  writeFileSync(list, `${paths.join("\n")}\n`);
  return list;
}

describe("what is not the disk's fault", () => {
  it("a list that goes while it is read", async () => {
    const source = listOf("goes.txt");
    const onProgress = () => rmSync(source, { force: true });
    const options = asked({ source, concurrency: 1 });
    await expect(runShard({ ...options, shard: 0 }, { onProgress })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringMatching(/goes\.txt: the source is not there/),
    });
    expect(readdirSync(options.out).filter((name) => name.includes("part-"))).toEqual([]);
  });

  it("what onProgress throws comes as it is", async () => {
    const thrown = new TypeError("of the caller's own");
    const onProgress = () => {
      throw thrown;
    };
    const options = asked();
    await expect(runShard({ ...options, shard: 0 }, { onProgress })).rejects.toBe(thrown);
    expect(readdirSync(options.out).filter((name) => name.includes("part-"))).toEqual([]);
  });

  it("a folder without pictures, which stays so", async () => {
    const source = join(folder, "without");
    mkdirSync(source);
    writeFileSync(join(source, "notes.txt"), "none here");
    const error = await runShard({ ...asked({ source }), shard: 0 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "FILE_EMPTY" });
    expect(isFinal(error)).toBe(true);
  });
});

describe("what killed processes left", () => {
  const token = "0123456789abcdef";
  const names = [
    `.part-00000-of-00001.jsonl.${token}.tmp`,
    `.part-00000-of-00001.stats.json.${token}.tmp`,
    `.input.jsonl.${token}.tmp`,
    `.input.txt.${token}.tmp`,
    `.depthwise-${token}.tmp`,
    ".part-00000-of-00009.publishing",
    ".input.json.making-guard",
  ];

  function leave(directory: string, all: readonly string[], secondsAgo: number): void {
    mkdirSync(directory, { recursive: true });
    const then = Date.now() / 1000 - secondsAgo;
    for (const name of all) {
      writeFileSync(join(directory, name), "");
      utimesSync(join(directory, name), then, then);
    }
  }

  const hidden = (directory: string) => readdirSync(directory).filter((name) => name.startsWith("."));

  it("goes after a day, of whatever kind", async () => {
    const options = asked();
    const others = [".notes", ".input.txt", `.input.txt.${token}.tmp.mine`, ".part-00000-of-00001.jsonl.tmp"];
    leave(options.out, [...names, ...others], 100_000);
    await runAll(options);
    expect(hidden(options.out).sort()).toEqual([...others].sort());
  });

  it.each([
    ["of whatever kind", 1800, names],
    // Small files are written at once, and swept by whoever writes the next.
    [
      "of a slow list for a day, since the disk is asked rarely",
      80_000,
      names.filter((name) => !name.startsWith(".depthwise-")),
    ],
  ])("stays before, %s: somebody may be at it", async (_name, secondsAgo, kept) => {
    const options = asked();
    leave(options.out, names, secondsAgo);
    await runAll(options);
    expect(hidden(options.out).sort()).toEqual([...kept].sort());
  });

  it("of a file that parts are joined into goes with the next one, and nothing else beside it", async () => {
    const options = asked();
    await runAll(options);
    const target = join(folder, "joined", "all.jsonl");
    const others = [`.other.jsonl.${token}.tmp`, ".all.jsonl.swp"];
    leave(join(folder, "joined"), [`.all.jsonl.${token}.tmp`, ...others], 100_000);
    await mergeParts(options.out, target);
    expect(hidden(join(folder, "joined")).sort()).toEqual(others.sort());
    expect(existsSync(target)).toBe(true);
  });
});
