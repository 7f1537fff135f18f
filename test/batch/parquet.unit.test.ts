/** @slow: several runs of a network a test. */

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BatchOptions, mergeParts, nearest, runShard } from "../../src/batch/index.ts";
import { createClassifier } from "../../src/classify/index.ts";
import { hashesIn, labels, model, rowsIn, runAll, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-parquet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const photos = join(folder, "photos");
const list = join(folder, "list.txt");
let paths: readonly string[];
beforeAll(async () => {
  paths = await writePictures(photos, 23);
  writeFileSync(list, [...paths.slice(0, 7), "not there.png", ...paths.slice(7)].join("\n"));
});

let outs = 0;
const asked = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ source: list, model, labels, out: join(folder, `out-${++outs}`), shards: 4, simd: "plain" },
  ...{ task: "both", format: "parquet", maxErrors: 1 },
  ...more,
});

/** By a reader that is not ours. */
async function tableIn(path: string): Promise<readonly Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path) });
}

async function tablesIn(out: string): Promise<readonly Record<string, unknown>[]> {
  const names = readdirSync(out).filter((name) => name.endsWith(".parquet"));
  return (await Promise.all(names.sort().map((name) => tableIn(join(out, name))))).flat();
}

/** What a row of a table says, as a line says it. */
function asLine({ id, predictions, embedding, error_code: code, error_message: message }: Record<string, unknown>) {
  return {
    id,
    ...(predictions ? { predictions } : {}),
    ...(embedding ? { embedding } : {}),
    ...(code ? { error: { code, message } } : {}),
  };
}

/** Decimals of lines as the float32 that they stand for. */
function inSingle(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, each) => (typeof each === "number" ? Math.fround(each) : each));
}

/** Runs what is asked for, and gives it back. */
async function made(options: BatchOptions, order?: readonly number[]): Promise<BatchOptions> {
  await runAll(options, order);
  return options;
}

describe("parts as tables", () => {
  it.each(["labels", "embeddings", "both"] as const)("say what lines say, of %s", async (task) => {
    const tables = await made(asked({ task }));
    const lines = await made(asked({ task, format: "jsonl" }));
    const rows = await tablesIn(tables.out);
    expect(rows.length).toBe(24);
    expect(rows.map(asLine)).toEqual(inSingle(rowsIn(lines.out)));
    const best = rows.map(({ label, probability }) => [label, probability]);
    const wanted = rows.map(({ predictions }) => {
      const [first] = (predictions ?? []) as { label: string; probability: number }[];
      return [first?.label ?? null, first?.probability ?? null];
    });
    if (task !== "embeddings") expect(best).toEqual(wanted);
    expect(Object.keys(rows[0] ?? {})).toEqual([
      ...["id"],
      ...(task === "embeddings" ? [] : ["label", "probability", "predictions"]),
      ...["error_code", "error_message"],
      ...(task === "labels" ? [] : ["embedding"]),
    ]);
    expect(rows[7]).toMatchObject({ id: "not there.png", error_code: "FILE_NOT_FOUND" });
  });

  it("have the same bytes in any order, with any threads and batch, and by runShard alone", async () => {
    const first = await made(asked());
    const other = await made(asked({ threads: 2, concurrency: 1, batch: 3 }), [3, 0, 2, 1]);
    expect(hashesIn(other.out)).toEqual(hashesIn(first.out));
    expect(Object.keys(hashesIn(first.out)).length).toBe(4);
    const alone = asked({ batch: 1 });
    for (const shard of [2, 1, 0, 3]) {
      const { output } = await runShard({ ...alone, shard });
      for (const { file, sha256 } of output) expect(hashesIn(first.out)[file]).toBe(sha256);
    }
  });

  it("are whole tables where a shard has no picture", async () => {
    const options = await made(asked({ shards: 30 }));
    expect((await tablesIn(options.out)).length).toBe(24);
    const merged = join(folder, "of-thirty.parquet");
    await mergeParts(options.out, merged);
    expect((await tableIn(merged)).map(asLine)).toEqual((await tablesIn(options.out)).map(asLine));
  });

  it("are not mixed with lines, and nothing is left of one that was ended", async () => {
    const options = asked({ shards: 1 });
    const controller = new AbortController();
    const reason = new Error("enough");
    const run = runShard(
      { ...options, shard: 0 },
      { signal: controller.signal, onProgress: ({ done }) => done === 3 && controller.abort(reason) },
    );
    await expect(run).rejects.toBe(reason);
    expect(readdirSync(options.out).filter((name) => name.includes("part-"))).toEqual([]);
    await expect(runShard({ ...options, format: "jsonl", shard: 0 })).rejects.toMatchObject({
      code: "RUN_MISMATCH",
      message: expect.stringMatching(/options\.format: there "parquet", now "jsonl"/),
    });
    const again = await runShard({ ...options, shard: 0 });
    const whole = await made(asked({ shards: 1 }));
    expect(hashesIn(whole.out)).toEqual({ "part-00000-of-00001.parquet": again.output[0]?.sha256 });
  });
});

describe("tables joined", () => {
  it("have the rows of all parts, and of one part its bytes", async () => {
    const options = await made(asked());
    const target = join(folder, "all.parquet");
    const [written] = await mergeParts(options.out, target);
    const rows = await tableIn(target);
    expect(rows).toEqual(await tablesIn(options.out));
    const { row_groups: groups, num_rows: count } = await parquetMetadataAsync(await asyncBufferFromFile(target));
    expect([groups.map(({ num_rows: own }) => Number(own)), Number(count)]).toEqual([[6, 6, 6, 6], 24]);
    const [again] = await mergeParts(options.out, join(folder, "again.parquet"));
    expect(again?.sha256).toBe(written?.sha256);
    const one = await made(asked({ shards: 1 }));
    const [same] = await mergeParts(one.out, join(folder, "one.parquet"));
    expect(same?.sha256).toBe(hashesIn(one.out)["part-00000-of-00001.parquet"]);
  });

  it("want a name that ends as their format does", async () => {
    const options = await made(asked({ shards: 1 }));
    await expect(mergeParts(options.out, join(folder, "all.jsonl"))).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(/merge: expected a name that ends with \.parquet, as the parts are parquet/),
    });
    const lines = await made(asked({ shards: 1, format: "jsonl" }));
    await expect(mergeParts(lines.out, join(folder, "lines.parquet"))).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    expect(readdirSync(folder)).not.toContain("all.jsonl");
    expect(readdirSync(folder)).not.toContain("lines.parquet");
  });

  it.each([
    ["in its rows", 40],
    ["in its end", -40],
  ])("refuse a part that was changed %s", async (_name, place) => {
    const options = await made(asked());
    const path = join(options.out, "part-00002-of-00004.parquet");
    const bytes = readFileSync(path);
    bytes[(place + bytes.length) % bytes.length] = 255;
    writeFileSync(path, bytes);
    const target = join(folder, "damaged.parquet");
    await expect(mergeParts(options.out, target)).rejects.toMatchObject({
      code: "FILE_CORRUPT",
      message: expect.stringMatching(/part-00002.*Remove its \.stats\.json/s),
    });
    expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toEqual([]);
  });
});

describe("nearest in tables", () => {
  it("finds in parts and in the joined file what it finds in matrices", async () => {
    const tables = await made(asked());
    const matrices = await made(asked({ format: "npy" }));
    const joined = join(folder, "for-nearest.parquet");
    await mergeParts(tables.out, joined);
    const classifier = await createClassifier(model, { labels, simd: "plain" });
    const query = (await classifier.embed(paths[9] as string)).data;
    classifier.close();
    const wanted = await nearest(matrices.out, query, 24);
    expect(wanted.length).toBe(23);
    expect(wanted[0]).toMatchObject({ index: 10, id: paths[9] });
    expect(await nearest(tables.out, query, 24)).toEqual(wanted);
    expect(await nearest(joined, query, 24)).toEqual(wanted);
    const named = join(folder, "a table by another name");
    copyFileSync(joined, named);
    expect(await nearest(named, query, 3)).toEqual(wanted.slice(0, 3));
  });

  it("refuses tables without embeddings, queries of another length, and runs of labels", async () => {
    const options = await made(asked({ task: "labels" }));
    const query = new Float32Array(256).fill(1);
    await expect(nearest(options.out, query, 1)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(
        /expected parts of embeddings, of format npy or parquet, found "labels as parquet"/,
      ),
    });
    const path = join(options.out, "part-00000-of-00004.parquet");
    await expect(nearest(path, query, 1)).rejects.toMatchObject({
      code: "FORMAT_UNKNOWN",
      message: expect.stringMatching(
        /found columns "id", "label", "probability", "predictions", "error_code", "error_message"/,
      ),
    });
    const both = await made(asked());
    await expect(nearest(both.out, query.subarray(1), 1)).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
    await expect(nearest(both.out, new Float32Array(257), 1)).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
  });
});
