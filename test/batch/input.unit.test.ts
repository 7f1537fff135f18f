import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type BatchOptions, openBatch, runShard } from "../../src/batch/index.ts";
import { openPictures } from "../../src/batch/input.ts";
import { itemOf } from "../../src/batch/item.ts";
import type { RunDescription } from "../../src/batch/part.ts";
import { agreeOnRun, readRunFile } from "../../src/batch/run-file.ts";
import { spooledInput } from "../../src/cli/batch-input.ts";
import { labels, model, rowsIn, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-input-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let places = 0;
let here: string;
beforeEach(() => {
  here = join(folder, String(++places));
  mkdirSync(here);
});

const asked = (source: string): BatchOptions => ({
  ...{ source, model, labels, out: join(here, "out"), shards: 2, simd: "plain" },
});

/** A folder of files that are called as those of another folder, and are other ones. */
function likeThem(paths: readonly string[]): string {
  const other = join(here, "others");
  mkdirSync(other);
  for (const path of paths) {
    const copy = join(other, path.slice(-8));
    const bytes = readFileSync(path);
    // Of the same size, too.
    bytes[bytes.length - 1] = 0;
    writeFileSync(copy, bytes);
    utimesSync(copy, 1e9, 1e9);
  }
  return other;
}

describe("another folder with files of the same names", () => {
  it.each([
    ["a shard", false],
    ["all shards", true],
  ])("is refused by a process that runs %s", async (_name, isWhole) => {
    const source = join(here, "photos");
    const other = likeThem(await writePictures(source, 6));
    const options = asked(source);
    await runShard({ ...options, shard: 0 });
    const refused = { ...options, source: other, ...(isWhole ? { isWhole } : {}) } as BatchOptions;
    await expect(openBatch(refused)).rejects.toMatchObject({ code: "RUN_MISMATCH" });
  });

  it("leaves the run as it was, which goes on", async () => {
    const source = join(here, "photos");
    const other = likeThem(await writePictures(source, 6));
    rmSync(join(other, "0003.png"));
    const options = asked(source);
    const batch = await openBatch(options);
    await batch.runShard(0);
    const before = readdirSync(options.out).map((name) => [name, readFileSync(join(options.out, name), "utf8")]);
    await expect(openBatch({ ...options, source: other })).rejects.toMatchObject({
      code: "RUN_MISMATCH",
      message: expect.stringMatching(/input\.count: there 6, now 5/),
    });
    expect(readdirSync(options.out).map((name) => [name, readFileSync(join(options.out, name), "utf8")])).toEqual(
      before,
    );
    await batch.runShard(1);
    batch.close();
    expect(rowsIn(options.out).map(({ id }) => id)).toEqual(readdirSync(source).sort());
  });

  it("one that has been moved is the same, and so is one of which a picture is gone", async () => {
    const source = join(here, "photos");
    await writePictures(source, 6);
    const out = join(here, "out");
    mkdirSync(out);
    const first = await openPictures(source, out, false);
    const moved = join(here, "moved");
    renameSync(source, moved);
    rmSync(join(moved, "0000.png"));
    expect((await openPictures(moved, out, false)).sha256).toBe(first.sha256);
  });
});

it("a list that has changed since it was opened ends the shard, and so does one that changes while it is read", async () => {
  const list = join(here, "list.txt");
  const lines = Array.from({ length: 40 }, (_, line) => `photos/${line}.png\n`);
  writeFileSync(list, lines.join(""));
  const out = join(here, "out");
  mkdirSync(out);
  const { items } = await openPictures(list, out, false);
  const read = async (onFirst?: () => void) => {
    let isFirst = true;
    for await (const _ of items(0, 20)) {
      if (isFirst) onFirst?.();
      isFirst = false;
    }
  };
  await read();
  const change = () => writeFileSync(list, [...lines].reverse().join(""));
  await expect(read(change)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  await expect(read()).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringMatching(/changed/) });
});

it.each([
  ["9007199254740993", true],
  ["-9007199254740993", true],
  ["0.1", true],
  ["1e400", true],
  ["9007199254740991", false],
  ["-7", false],
])("an id of %s is refused: %s", (id, isRefused) => {
  const { error, id: name } = itemOf(Buffer.from(`{"id":${id},"path":"a.png"}`));
  expect(error?.code).toBe(isRefused ? "LINE_INVALID" : undefined);
  if (isRefused) expect(error?.message).toMatch(/write it as text/i);
  else expect(name).toBe(id);
});

it("a list of standard input that cannot be kept is refused with a sentence", async () => {
  const out = join(here, "file");
  writeFileSync(out, "");
  await expect(spooledInput("-", out, new AbortController().signal)).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringMatching(/A file is in the way/),
  });
});

describe("what all parts are of", () => {
  const run: RunDescription = {
    version: 1,
    shards: 2,
    model: { name: "m", sha256: "0" },
    options: {
      ...{ task: "labels", format: "jsonl", topK: 5, simd: "auto", backend: "auto", maxPixels: 9, labels: "" },
      preprocessing: {},
    },
    input: { kind: "list", count: 8, sha256: "1" },
  };

  it("is written anew where a process was killed before it wrote a letter", async () => {
    writeFileSync(join(here, "run.json"), "");
    expect(await readRunFile(here)).toBeUndefined();
    await agreeOnRun(here, run);
    expect(await readRunFile(here)).toEqual(run);
    expect(readdirSync(here)).toEqual(["run.json"]);
  });

  it("is agreed on by all that begin together, and nothing else is left", async () => {
    const asks = Array.from({ length: 8 }, (_, shard) => agreeOnRun(here, { ...run, shards: shard + 1 }));
    const ends = await Promise.allSettled(asks);
    expect(ends.filter(({ status }) => status === "fulfilled").length).toBe(1);
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "RUN_MISMATCH" });
    expect(readdirSync(here)).toEqual(["run.json"]);
  });

  it.each<[string, object]>([
    ["no shards", { shards: 0 }],
    ["a topK of words", { options: { ...run.options, topK: "5" } }],
    ["no preprocessing", { options: { ...run.options, preprocessing: undefined } }],
    ["a version to come", { version: 2 }],
  ])("is refused where it is none: %s", async (_name, more) => {
    writeFileSync(join(here, "run.json"), JSON.stringify({ ...run, ...more }));
    await expect(readRunFile(here)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });
});
