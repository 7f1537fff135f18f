import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { batchStatus, checkModelOfRun, nearest, openBatch } from "../../src/batch/index.ts";
import { npyHeader } from "../../src/batch/rows.ts";
import { createClassifier } from "../../src/classify/index.ts";
import { tensor } from "../../src/core/tensor.ts";
import { model, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-nearest-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Said another way, in doubles. */
function wanted(rows: readonly (readonly number[])[], query: readonly number[], k: number) {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  return rows
    .map((row, index) => ({ index, similarity: dot(row, query) / Math.sqrt(dot(row, row) * dot(query, query)) }))
    .filter(({ similarity }) => !Number.isNaN(similarity))
    .sort((a, b) => b.similarity - a.similarity || a.index - b.index)
    .slice(0, k);
}

const matrix = fc.integer({ min: 1, max: 70 }).chain((features) => {
  const value = fc.integer({ min: -8, max: 8 });
  const row = fc.array(value, { minLength: features, maxLength: features });
  return fc.tuple(fc.array(row, { maxLength: 40 }), row, fc.integer({ min: 1, max: 12 }));
});

function npy(path: string, rows: readonly (readonly number[])[], features: number): void {
  writeFileSync(
    path,
    Buffer.concat([npyHeader([rows.length, features]), new Uint8Array(Float32Array.from(rows.flat()).buffer)]),
  );
}

describe("nearest", () => {
  it("finds what loops in doubles find, in a tensor and in a file", async () => {
    await fc.assert(
      fc.asyncProperty(matrix, async ([rows, query, k]) => {
        const expected = wanted(rows, query, k);
        const asked = Float32Array.from(query);
        const path = join(folder, "matrix.npy");
        npy(path, rows, query.length);
        const found = [await nearest(tensor(Float32Array.from(rows.flat()), [rows.length, query.length]), asked, k)];
        found.push(await nearest(path, asked, k));
        for (const list of found) {
          expect(list.length).toBe(expected.length);
          list.forEach((one, place) => {
            expect(one.similarity).toBeCloseTo(expected[place]?.similarity as number, 5);
            // Of rows with one direction rounding may change the order.
            const own = wanted(rows, query, rows.length).find(({ index }) => index === one.index);
            expect(one.similarity).toBeCloseTo(own?.similarity as number, 5);
          });
        }
        expect(found[1]).toEqual(found[0]);
      }),
      { numRuns: 150 },
    );
  });

  it("is exact where squares are more or less than float32 holds", async () => {
    const size = fc.constantFrom(1e-44, 1e-38, 1e-30, 1e-23, 1e-15, 1, 1e10, 1e18, 1e20, 3e37);
    const scaled = fc.tuple(size, fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 5, maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.array(scaled, { maxLength: 9 }), scaled, async (given, [querySize, directions]) => {
        const float = (by: number, values: readonly number[]) => values.map((value) => Math.fround(value * by));
        const rows = given.map(([by, values]) => float(by, values));
        const query = float(querySize, directions);
        const found = await nearest(
          tensor(Float32Array.from(rows.flat()), [rows.length, 5]),
          Float32Array.from(query),
          9,
        );
        const expected = wanted(rows, query, 9);
        expect(found.map(({ index }) => index).sort()).toEqual(expected.map(({ index }) => index).sort());
        for (const { index, similarity } of found) {
          expect(similarity).toBeCloseTo(expected.find((one) => one.index === index)?.similarity as number, 5);
        }
      }),
    );
  });

  it("finds names in rows of any length", async () => {
    const source = join(folder, "long.jsonl");
    const [path] = await writePictures(join(folder, "long"), 1);
    // Each letter becomes six in a row.
    const name = "\u0001".repeat(15_000);
    writeFileSync(source, [JSON.stringify({ id: "short", path }), name, ""].join("\n"));
    const out = join(folder, "long-out");
    const batch = await openBatch({
      ...{ source, model, labels: [], out, shards: 1, task: "embeddings", format: "npy", simd: "plain", maxErrors: 1 },
    });
    await batch.runShard(0);
    batch.close();
    expect(Buffer.byteLength(readFileSync(join(out, "part-00000-of-00001.jsonl")))).toBeGreaterThan(90_000);
    expect(await nearest(out, new Float32Array(256).fill(1), 2)).toMatchObject([{ id: "short" }]);
  });

  it("goes over more rows than are held at once", async () => {
    const [count, features] = [3000, 96];
    const rows = Array.from({ length: count }, (_, row) =>
      Array.from({ length: features }, (_, i) => Math.sin(row * 31 + i * i)),
    );
    const path = join(folder, "many.npy");
    npy(path, rows, features);
    const query = Float32Array.from(rows[2500] as number[]);
    const found = await nearest(path, query, 3);
    expect(found[0]?.index).toBe(2500);
    expect(found[0]?.similarity).toBeCloseTo(1, 6);
    expect(found.map(({ index }) => index)).toEqual(wanted(rows, [...query], 3).map(({ index }) => index));
  });

  it("finds a picture again among the parts of a run, by its name", async () => {
    const photos = join(folder, "photos");
    const paths = await writePictures(photos, 9);
    const out = join(folder, "out");
    const batch = await openBatch({
      source: photos,
      model,
      labels: [],
      out,
      shards: 4,
      task: "embeddings",
      format: "npy",
      simd: "plain",
    });
    for (const shard of await batch.missing()) {
      if (shard === 3)
        await expect(nearest(out, new Float32Array(256), 1)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
      await batch.runShard(shard);
    }
    batch.close();
    const classifier = await createClassifier(model, { labels: Array.from({ length: 10 }, String), simd: "plain" });
    const query = (await classifier.embed(paths[5] as string)).data;
    classifier.close();
    const [best, second] = await nearest(out, query, 2);
    expect(best).toEqual({ index: 5, id: "0005.png", similarity: expect.closeTo(1, 6) });
    expect(second?.id).toMatch(/^000\d\.png$/);
    rmSync(join(out, "part-00002-of-00004.npy"));
    await expect(nearest(out, query, 2)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringMatching(/0 of 4 parts are missing, 1 damaged/),
    });
  });

  it("knows the network of a run that was given labels, whatever its classes are called", async () => {
    const source = join(folder, "named");
    await writePictures(source, 2);
    const named = Array.from({ length: 10 }, (_, i) => `own ${i}`);
    const out = join(folder, "named-out");
    const preprocessing = { range: [0, 1], resize: "stretch" } as const;
    const options = { source, model, labels: named, out, shards: 1, preprocessing } as const;
    const batch = await openBatch({ ...options, task: "both", format: "npy", simd: "plain" });
    batch.close();
    const { run } = await batchStatus(out);
    expect(checkModelOfRun(run, model)).toMatchObject(preprocessing);
    const other = openBatch({ ...options, labels: [...named].reverse(), task: "both", format: "npy", simd: "plain" });
    await expect(other).rejects.toMatchObject({
      code: "RUN_MISMATCH",
      message: expect.stringMatching(/options\.labels: there "[0-9a-f]{64}", now "[0-9a-f]{64}"/),
    });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      "another number of features",
      () => nearest(tensor(new Float32Array(6), [2, 3]), new Float32Array(2), 1),
      "SHAPE_MISMATCH",
    ],
    ["no rows and columns", () => nearest(tensor(new Float32Array(6), [6]), new Float32Array(6), 1), "SHAPE_MISMATCH"],
    ["k of 0", () => nearest(tensor(new Float32Array(6), [2, 3]), new Float32Array(3), 0), "OPTION_INVALID"],
    [
      "a query of another type",
      () => nearest(tensor(new Float32Array(6), [2, 3]), [1, 2, 3] as never, 1),
      "OPTION_INVALID",
    ],
    ["no tensor", () => nearest(3 as never, new Float32Array(3), 1), "DTYPE_MISMATCH"],
    ["no file", () => nearest(join(folder, "none.npy"), new Float32Array(3), 1), "FILE_NOT_FOUND"],
  ])("refuses %s", async (_name, work, code) => {
    await expect(work()).rejects.toMatchObject({ code });
  });

  it("refuses files that are no such matrix", async () => {
    const header = Buffer.from(npyHeader([2, 3]));
    const files: [string, Buffer, string][] = [
      ["cut", Buffer.concat([header, Buffer.alloc(23)]), "FILE_TRUNCATED"],
      ["text", Buffer.from("not a matrix at all"), "FILE_CORRUPT"],
      ["empty", Buffer.alloc(0), "FILE_CORRUPT"],
      [
        "doubles",
        Buffer.concat([Buffer.from(header.toString("latin1").replace("<f4", "<f8"), "latin1"), Buffer.alloc(24)]),
        "FORMAT_UNKNOWN",
      ],
      [
        "huge",
        Buffer.concat([
          Buffer.from(header.toString("latin1").replace("(2, 3)", "(2999999999, 3)"), "latin1"),
          Buffer.alloc(24),
        ]),
        "FILE_TRUNCATED",
      ],
    ];
    for (const [name, bytes, code] of files) {
      const path = join(folder, `${name}.npy`);
      writeFileSync(path, bytes);
      await expect(nearest(path, new Float32Array(3), 1)).rejects.toMatchObject({ code });
    }
  });
});
