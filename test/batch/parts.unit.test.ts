import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BatchOptions, batchStatus, mergeParts, openBatch, runShard } from "../../src/batch/index.ts";
import { hashesIn, labels, model, runAll, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const photos = join(folder, "photos");
beforeAll(() => writePictures(photos, 9));

let outs = 0;
const asked = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ source: photos, model, labels, out: join(folder, `out-${++outs}`), shards: 3, simd: "plain" },
  ...more,
});

const stats = (out: string, shard: number) => join(out, `part-0000${shard}-of-00003.stats.json`);

describe("parts that are damaged", () => {
  it.each<[string, (out: string) => void]>([
    ["statistics without a word", (out) => truncateSync(stats(out, 1))],
    [
      "statistics of no files",
      (out) =>
        writeFileSync(
          stats(out, 1),
          readFileSync(stats(out, 1), "utf8").replace(/"output": \[[^\]]*\]/, '"output":[null]'),
        ),
    ],
    [
      "statistics of somebody else's file",
      (out) => {
        const text = readFileSync(stats(out, 1), "utf8");
        writeFileSync(join(out, "../others.npy"), readFileSync(join(out, "part-00001-of-00003.npy")));
        writeFileSync(stats(out, 1), text.replace('"part-00001-of-00003.npy"', '"../others.npy"'));
      },
    ],
    [
      "statistics of one file again and again",
      (out) => {
        const value = JSON.parse(readFileSync(stats(out, 1), "utf8"));
        writeFileSync(stats(out, 1), JSON.stringify({ ...value, output: Array(1000).fill(value.output[0]) }));
      },
    ],
    ["a matrix that is gone", (out) => rmSync(join(out, "part-00001-of-00003.npy"))],
    ["lines that are cut off", (out) => truncateSync(join(out, "part-00001-of-00003.jsonl"), 5)],
  ])("are made again: %s", async (_name, damage) => {
    const options = asked({ task: "embeddings", format: "npy" });
    await runAll(options);
    const whole = hashesIn(options.out);
    damage(options.out);
    const { missing, damaged } = await batchStatus(options.out);
    expect([...missing, ...damaged]).toEqual([1]);
    expect(await runAll(options)).toEqual([1]);
    expect(hashesIn(options.out)).toEqual(whole);
    expect(await batchStatus(options.out)).toMatchObject({ missing: [], damaged: [] });
  });

  it("are refused where they are of another run", async () => {
    const options = asked();
    await runAll(options);
    const change = (find: string | RegExp, put: string) => {
      const before = readFileSync(stats(options.out, 1), "utf8");
      writeFileSync(stats(options.out, 1), before.replace(find, put));
      return () => writeFileSync(stats(options.out, 1), before);
    };
    for (const [find, put, words] of [
      [/"topK": 5/, '"topK": 4', /other options/],
      [/"from": 3/, '"from": 4', /other input\.from/],
      [/"sha256": "\w+"/, '"sha256": "00"', /other model/],
    ] as const) {
      const restore = change(find, put);
      const mismatch = { code: "RUN_MISMATCH", message: expect.stringMatching(words) };
      await expect(runShard({ ...options, shard: 1 })).rejects.toMatchObject(mismatch);
      await expect(runAll(options)).rejects.toMatchObject(mismatch);
      restore();
    }
    expect(await runAll(options)).toEqual([]);
  });
});

describe("joined parts", () => {
  it("have a name of their format", async () => {
    const matrix = asked({ task: "embeddings", format: "npy" });
    await runAll(matrix);
    for (const name of ["x.jsonl", "x.parquet", "x"]) {
      await expect(mergeParts(matrix.out, join(folder, name))).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: expect.stringContaining("a name that ends with .npy"),
      });
    }
    const lines = asked();
    await runAll(lines);
    await expect(mergeParts(lines.out, join(folder, "x.npy"))).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(existsSync(join(folder, "x.npy"))).toBe(false);
  });
});

describe("what is looked for", () => {
  it("is the range that was asked for", async () => {
    const options = asked();
    await runShard({ ...options, shard: 1 });
    const batch = await openBatch(options);
    expect(await batch.missing()).toEqual([0, 2]);
    expect(await batch.missing([1, 2])).toEqual([2]);
    expect(await batch.missing([1, 1])).toEqual([]);
    batch.close();
  });

  it.each([
    '{"version":1,"shards":1}',
    '{"version":1,"shards":9007199254740991}',
    '{"version":1,"shards":0,"model":{},"options":{},"input":{}}',
  ])("is a run that can be understood: %s is none", async (text) => {
    const options = asked();
    await runShard({ ...options, shard: 0 });
    writeFileSync(join(options.out, "run.json"), text);
    await expect(batchStatus(options.out)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it("ends with a signal", async () => {
    const options = asked();
    await runShard({ ...options, shard: 0 });
    const reason = new Error("enough");
    await expect(batchStatus(options.out, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("a run", () => {
  it.each([
    ["that was opened", true],
    ["of one shard", false],
  ])("%s ends a shard by its own signal", async (_name, isOpened) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const options = asked({ signal: controller.signal, shards: 1 });
    const progress = { onProgress: ({ done }: { done: number }) => done === 2 && controller.abort(reason) };
    if (isOpened) {
      const batch = await openBatch(options);
      await expect(batch.runShard(0, { ...progress, signal: new AbortController().signal })).rejects.toBe(reason);
      batch.close();
    } else
      await expect(
        runShard({ ...options, shard: 0 }, { ...progress, signal: new AbortController().signal }),
      ).rejects.toBe(reason);
    expect(readdirSync(options.out).filter((name) => name.includes("part-"))).toEqual([]);
  });

  it("runs nothing after it was closed", async () => {
    const options = asked();
    const batch = await openBatch(options);
    batch.close();
    await expect(batch.runShard(0)).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    expect(existsSync(stats(options.out, 0))).toBe(false);
  });

  it("compiles again where it could not the first time", async () => {
    const options = asked({ threads: 65 });
    const batch = await openBatch(options);
    const first = await batch.runShard(0).catch((error: unknown) => error);
    const second = await batch.runShard(0).catch((error: unknown) => error);
    expect(first).toMatchObject({ code: "OPTION_INVALID" });
    expect(second).toMatchObject({ code: "OPTION_INVALID" });
    expect(second).not.toBe(first);
    batch.close();
  });

  it.each([{ isWhole: "no" as never }, { shards: 1_000_001 }])("%j is refused", async (more) => {
    await expect(openBatch(asked(more))).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});

it("a directory that goes before a part has its names is told as such", async () => {
  const options = asked({ shards: 1 });
  const onProgress = ({ done, total }: { readonly done: number; readonly total: number }) => {
    if (done === total) rmSync(options.out, { recursive: true });
  };
  await expect(runShard({ ...options, shard: 0 }, { onProgress })).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringMatching(/part-00000-of-00001\.stats\.json: the file cannot be written \(ENOENT\)/),
  });
});
