import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BatchOptions, openBatch, type PartStats, runShard } from "../../src/batch/index.ts";
import { createClassifier } from "../../src/classify/index.ts";
import { hashesIn, labels, model, rowsIn, runAll, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-shard-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const photos = join(folder, "photos");
let paths: readonly string[];
beforeAll(async () => {
  paths = await writePictures(photos, 23);
});

let outs = 0;
const freshOut = () => join(folder, `out-${++outs}`);
const asked = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ source: photos, model, labels, out: freshOut(), shards: 4, simd: "plain" },
  ...more,
});

const statsIn = (out: string, name: string) =>
  JSON.parse(readFileSync(join(out, `${name}.stats.json`), "utf8")) as PartStats;

describe("a run of shards", () => {
  it("has a row a picture, in order, with what a classifier says of it", async () => {
    const options = asked({ topK: 3 });
    await runAll(options);
    const rows = rowsIn(options.out);
    expect(rows.map(({ id }) => id)).toEqual(paths.map((path) => relative(photos, path)));
    const classifier = await createClassifier(model, { labels, simd: "plain" });
    const wanted = await classifier.classify(paths, { topK: 3 });
    classifier.close();
    for (const [place, { predictions }] of rows.entries()) {
      const found = predictions as { index: number; label: string; probability: number }[];
      expect(
        found.map(({ index, label, probability }) => ({ index, label, probability: Math.fround(probability) })),
      ).toEqual(wanted[place]);
    }
  });

  it("tells of each part what was run, and how it ended", async () => {
    const options = asked();
    await runAll(options);
    const stats = [0, 1, 2, 3].map((shard) => statsIn(options.out, `part-0000${shard}-of-00004`));
    expect(stats.map(({ rows }) => rows)).toEqual([5, 6, 6, 6]);
    expect(stats.map(({ input }) => input.from)).toEqual([0, 5, 11, 17]);
    expect(stats[2]).toMatchObject({
      version: 1,
      shard: 2,
      shards: 4,
      errors: {},
      runtime: { backend: "wasm", simd: "plain" },
    });
    for (const { output } of stats) {
      const hashes = hashesIn(options.out);
      for (const { file, sha256 } of output) expect(sha256).toBe(hashes[file]);
    }
  });

  it("gives the same bytes in any order, with any threads, concurrency and batch, and by runShard alone", async () => {
    const first = asked({ task: "both" });
    await runAll(first);
    const other = asked({ task: "both", threads: 2, concurrency: 1, batch: 3 });
    await runAll(other, [3, 0, 2, 1]);
    expect(hashesIn(other.out)).toEqual(hashesIn(first.out));
    const alone = asked({ task: "both", batch: 1 });
    for (const shard of [2, 1, 0, 3]) await runShard({ ...alone, shard });
    expect(hashesIn(alone.out)).toEqual(hashesIn(first.out));
  });

  it("leaves a part that is there, and refuses another run's, naming what differs", async () => {
    const options = asked({ shards: 2 });
    const one = await runShard({ ...options, shard: 1 });
    expect(one.isNew).toBe(true);
    const before = readdirSync(options.out);
    expect(await runShard({ ...options, shard: 1 })).toEqual({ ...one, isNew: false });
    expect(readdirSync(options.out)).toEqual(before);
    const { mobileNetV1 } = await import("../../src/models/index.ts");
    const others: readonly [Partial<BatchOptions>, RegExp][] = [
      [{ topK: 2 }, /options\.topK: there 5, now 2/],
      [{ shards: 3 }, /shards: there 2, now 3/],
      [{ task: "embeddings" }, /options\.task: there "labels", now "embeddings"/],
      [{ simd: "auto" }, /options\.simd: there "plain", now "auto"/],
      [{ backend: "wasm" }, /options\.backend: there "auto", now "wasm"/],
      [{ maxPixels: 10 }, /options\.maxPixels: there 268402689, now 10/],
      [
        { model: mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10, seed: 4 }) },
        /model\.sha256: there "\w+", now "\w+"/,
      ],
      [{ labels: [...labels].reverse() }, /options\.labels: there "\w+", now "\w+"/],
    ];
    for (const [more, words] of others) {
      await expect(runShard({ ...options, ...more, shard: 0 })).rejects.toMatchObject({
        code: "RUN_MISMATCH",
        message: expect.stringMatching(words),
      });
    }
    expect(readdirSync(options.out)).toEqual(before);
  });

  it("writes embeddings as a matrix that NumPy reads, NaN where there is none", async () => {
    const list = join(folder, "with-a-hole.txt");
    writeFileSync(list, [paths[0], "not there.png", paths[1]].join("\n"));
    const options = asked({ source: list, shards: 1, task: "both", format: "npy", maxErrors: 1 });
    await runAll(options);
    const bytes = readFileSync(join(options.out, "part-00000-of-00001.npy"));
    const header = bytes.subarray(10, 10 + bytes.readUInt16LE(8)).toString("latin1");
    expect([...bytes.subarray(0, 8)]).toEqual([0x93, ...Buffer.from("NUMPY"), 1, 0]);
    expect(bytes.readUInt16LE(8) + 10).toBe(128);
    expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3, 256\), \} *\n$/s);
    const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length));
    const classifier = await createClassifier(model, { labels, simd: "plain" });
    const wanted = await classifier.embed(paths[1] as string);
    classifier.close();
    expect([...numbers.subarray(512)]).toEqual([...wanted.data]);
    expect(numbers.subarray(256, 512).every(Number.isNaN)).toBe(true);
    const rows = rowsIn(options.out);
    expect(rows[1]).toMatchObject({ id: "not there.png", error: { code: "FILE_NOT_FOUND" } });
    expect(rows[0]).not.toHaveProperty("embedding");
  });
});

describe("errors", () => {
  it("are rows, up to a number; then the shard ends and nothing is left of it", async () => {
    const list = join(folder, "holes.txt");
    writeFileSync(list, [paths[0], "a.png", "b.png", paths[1]].join("\n"));
    const options = asked({ source: list, shards: 1, maxErrors: 2 });
    const stats = await runShard({ ...options, shard: 0 });
    expect(stats.errors).toEqual({ FILE_NOT_FOUND: 2 });
    const strict = asked({ source: list, shards: 1, maxErrors: 0.25 });
    await expect(runShard({ ...strict, shard: 0 })).rejects.toMatchObject({
      code: "TOO_MANY_ERRORS",
      fields: { failed: 2, seen: 3, rows: 4, errors: { FILE_NOT_FOUND: 2 } },
    });
    expect(readdirSync(strict.out).filter((name) => name.includes("part-"))).toEqual([]);
  });

  it("of all pictures are too many, where nobody says how many may be", async () => {
    const list = join(folder, "nothing.txt");
    writeFileSync(list, "a.png\nb.png\n");
    await expect(runShard({ ...asked({ source: list, shards: 1 }), shard: 0 })).rejects.toMatchObject({
      code: "TOO_MANY_ERRORS",
    });
  });

  it.each([
    [{ task: "all" as never }, /task: expected one of/],
    [{ format: "npy" as const }, /format: expected jsonl or parquet for labels/],
    [{ maxErrors: -1 }, /maxErrors/],
    [{ shards: 0 }, /shards/],
    [{ source: "" }, /source: expected a path/],
    [{ sauce: "" } as never, /sauce/],
  ])("%j is refused before anything is written", async (more, words) => {
    const options = asked(more);
    await expect(openBatch(options)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(words),
    });
    expect(existsSync(options.out)).toBe(false);
  });

  it.each([-1, 4, 1.5, Number.NaN])("shard %d of four is refused", async (shard) => {
    await expect(runShard({ ...asked(), shard })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("a source that is not there, an empty list and a folder without pictures", async () => {
    const empty = join(folder, "empty.txt");
    writeFileSync(empty, "\r\n  \n");
    await expect(openBatch(asked({ source: join(folder, "none") }))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(openBatch(asked({ source: empty }))).rejects.toMatchObject({ code: "FILE_EMPTY" });
    const bare = mkdtempSync(join(folder, "bare-"));
    await expect(openBatch(asked({ source: bare }))).rejects.toMatchObject({ code: "FILE_EMPTY" });
  });

  it("an abort ends it at once, and leaves nothing but the index", async () => {
    const options = asked({ shards: 1 });
    const controller = new AbortController();
    const reason = new Error("enough");
    const run = runShard(
      { ...options, shard: 0 },
      { signal: controller.signal, onProgress: ({ done }) => done === 3 && controller.abort(reason) },
    );
    await expect(run).rejects.toBe(reason);
    expect(readdirSync(options.out).sort()).toEqual(["input.json", "input.jsonl", "run.json"]);
  });
});
