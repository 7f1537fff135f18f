import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { afterAll, describe, expect, it } from "vitest";
import { nearest } from "../../src/batch/index.ts";
import { openParquetMatrix } from "../../src/batch/parquet-matrix.ts";
import { GROUP_ROWS } from "../../src/batch/parquet-writer.ts";
import type { PartRow } from "../../src/batch/rows.ts";
import { endOfThrift } from "../../src/batch/thrift-bounds.ts";
import { DepthwiseError } from "../../src/core/errors.ts";
import { type TableClaims, type TablePage, table } from "./table.ts";
import { readAll, written } from "./table-rows.ts";
import { NAMES, ROWS, TABLES_OF_OTHERS } from "./tables-of-others.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-tables-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "table.parquet");

const FEATURES = 3;
const float = fc.float();
const embedding = fc.array(float, { minLength: FEATURES, maxLength: FEATURES }).map((all) => Float32Array.from(all));
const prediction = fc.record({
  index: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  label: fc.string({ unit: "grapheme" }),
  probability: float,
});
const words = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "a\r\nb\u0000", "𝄞".repeat(40), "PAR1"));
const row: fc.Arbitrary<PartRow> = fc.oneof(
  fc.record({ id: words, predictions: fc.array(prediction, { minLength: 1, maxLength: 4 }), embedding }),
  fc.record({ id: words, what: words }).map(({ id, what }) => {
    return { id, error: new DepthwiseError("IMAGE_UNREADABLE", { what }) };
  }),
);

/** As UTF-8 has it. */
const wellFormed = (text: string) => new TextDecoder().decode(new TextEncoder().encode(text));

describe("tables", () => {
  it("give back any rows, to a reader that is not ours and to ours, and have one form", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), async (rows, block) => {
        const bytes = Buffer.concat(await written(rows));
        expect(Buffer.concat(await written(rows))).toEqual(bytes);
        writeFileSync(path, bytes);
        const found = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
        expect(found).toEqual(
          rows.map(({ id, predictions, embedding: numbers, error }) => ({
            id: wellFormed(id),
            label: predictions?.[0] === undefined ? null : wellFormed(predictions[0].label),
            probability: predictions?.[0]?.probability ?? null,
            predictions: predictions?.map((one) => ({ ...one, label: wellFormed(one.label) })) ?? null,
            embedding: numbers === undefined ? null : [...numbers],
            error_code: error?.code ?? null,
            error_message: error === undefined ? null : wellFormed(error.message),
          })),
        );
        const file = await openParquetMatrix(path, FEATURES);
        const none = new Array(FEATURES).fill(Number.NaN);
        expect(await readAll(file, block)).toEqual(rows.map(({ embedding: numbers }) => [...(numbers ?? none)]));
        const names = (await file.names?.(new Set(rows.keys()))) ?? new Map();
        await file.close();
        expect([...names.values()]).toEqual(rows.map(({ id }) => wellFormed(id)));
      }),
    );
  });

  it("are handed over a group at a time, of as many rows each", async () => {
    const rows = Array.from({ length: 2 * GROUP_ROWS + 5 }, (_, i) => ({
      id: `${i}`,
      ...(i % 7 === 3 ? {} : { embedding: Float32Array.of(i, 1, -i) }),
    }));
    const pieces = await written(rows);
    expect(pieces.length).toBe(4);
    writeFileSync(path, Buffer.concat(pieces));
    const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect(groups.map(({ num_rows: count }) => Number(count))).toEqual([GROUP_ROWS, GROUP_ROWS, 5]);
    const file = await openParquetMatrix(path, 3);
    const found = await readAll(file, 333);
    expect(found.filter(([first]) => Number.isNaN(first)).length).toBe(rows.filter((_, i) => i % 7 === 3).length);
    expect(found.every(([first = 0, , last = 0], i) => Number.isNaN(first) || (first === i && last === -i))).toBe(true);
    const names = await file.names?.(new Set([0, GROUP_ROWS - 1, GROUP_ROWS, 2 * GROUP_ROWS + 4]));
    await file.close();
    expect([...(names?.values() ?? [])]).toEqual(["0", "999", "1000", "2004"]);
  });

  it("of other writers may have rows that go on in the next page", async () => {
    const cuts = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), cuts, async (there, cut) => {
        const levels = there.flatMap((isThere, at): readonly Level[] =>
          isThere ? [0, 1, 2].map((i) => ({ level: [i === 0 ? 0 : 1, 2], value: 10 * at + i })) : NONE,
        );
        const pages: { levels: (readonly [number, number])[]; floats: number[] }[] = [];
        for (const [place, { level, value }] of levels.entries()) {
          if (place === 0 || cut[place] === true) pages.push({ levels: [], floats: [] });
          pages.at(-1)?.levels.push(level);
          if (value !== undefined) pages.at(-1)?.floats.push(value);
        }
        writeFileSync(path, table(pages));
        const file = await openParquetMatrix(path, 3);
        const found = await readAll(file, 2);
        await file.close();
        const gone = [Number.NaN, Number.NaN, Number.NaN];
        expect(found).toEqual(there.map((isThere, at) => (isThere ? [10 * at, 10 * at + 1, 10 * at + 2] : gone)));
      }),
    );
  });
});

interface Level {
  readonly level: readonly [repetition: number, definition: number];
  readonly value?: number;
}
/** A row without a list. */
const NONE: readonly Level[] = [{ level: [0, 0] }];

/** Two rows of two numbers. */
const good: TablePage = {
  levels: [
    [0, 2],
    [1, 2],
    [0, 2],
    [1, 2],
  ],
  floats: [1, 2, 3, 4],
};
const hostile: readonly (readonly [string, readonly TablePage[], TableClaims, string])[] = [
  ["rows without number", [good], { rows: 2n ** 40n }, "FILE_CORRUPT"],
  ["rows and values without number", [good], { rows: 2n ** 40n, values: 2n ** 40n }, "FILE_CORRUPT"],
  ["rows that no number can count", [good], { rows: 2n ** 60n }, "FILE_CORRUPT"],
  ["fewer rows than none", [good], { rows: -1n }, "FILE_CORRUPT"],
  ["a group of other rows", [good], { groupRows: 3n }, "FILE_CORRUPT"],
  ["more rows than there are", [good], { rows: 3n }, "FILE_CORRUPT"],
  ["fewer rows than there are", [good], { rows: 1n }, "FILE_CORRUPT"],
  ["more values than there are", [good], { values: 5n }, "FILE_CORRUPT"],
  ["fewer values than there are", [good], { values: 3n }, "FILE_CORRUPT"],
  ["a column behind the end", [good], { bytes: 2n ** 40n }, "FILE_CORRUPT"],
  ["a column before the beginning", [good], { offset: -4n }, "FILE_CORRUPT"],
  ["a column within its pages", [good], { offset: 9n }, "FILE_CORRUPT"],
  ["an unknown compression", [good], { codec: "ZSTD" }, "FORMAT_UNKNOWN"],
  ["what is not compressed as it says", [good], { codec: "SNAPPY" }, "FILE_CORRUPT"],
  ["a page of 2 GB", [{ ...good, told: { uncompressed: 2 ** 31 - 1 } }], { codec: "SNAPPY" }, "FILE_TOO_LARGE"],
  ["a page longer than its column", [{ ...good, told: { compressed: 2 ** 31 - 1 } }], {}, "FILE_CORRUPT"],
  ["a page of 2^31 values", [{ ...good, told: { values: 2 ** 31 - 1 } }], { values: 2n ** 31n }, "FILE_TOO_LARGE"],
  ["a page of less than no values", [{ ...good, told: { values: -4 } }], {}, "FILE_CORRUPT"],
  ["a page with fewer numbers than levels", [{ ...good, floats: [1, 2, 3] }], {}, "FILE_CORRUPT"],
  ["a run of 2^34 levels", [{ ...good, repetitions: [254, 255, 255, 255, 127, 0] }], {}, "SHAPE_MISMATCH"],
  ["a run that never ends", [{ ...good, repetitions: new Array(40).fill(255) }], {}, "FILE_CORRUPT"],
  ["levels without bytes", [{ ...good, repetitions: [] }], {}, "FILE_CORRUPT"],
  ["a beginning within a row", [{ ...good, repetitions: [2, 1, 6, 0] }], { rows: 3n }, "FILE_CORRUPT"],
  ["rows of other lengths", [{ ...good, repetitions: [2, 0, 4, 1, 2, 0] }], { rows: 2n }, "SHAPE_MISMATCH"],
];

describe("tables of others", () => {
  it.each(Object.entries(TABLES_OF_OTHERS))("are read: %s", async (_name, text) => {
    writeFileSync(path, Buffer.from(text, "base64"));
    const file = await openParquetMatrix(path, 3);
    const gone = [Number.NaN, Number.NaN, Number.NaN];
    expect(await readAll(file, 2)).toEqual(ROWS.map((row) => row?.map(Math.fround) ?? gone));
    const names = await file.names?.(new Set(NAMES.keys()));
    await file.close();
    expect(NAMES.map((_, place) => names?.get(place))).toEqual(NAMES);
  });
});

describe("tables that nobody should make", () => {
  it("are read where they are well made", async () => {
    writeFileSync(path, table([good, good]));
    expect(await nearest(path, Float32Array.of(3, 4), 1)).toEqual([{ index: 1, similarity: 1 }]);
  });

  it.each(hostile)("with %s are refused", async (_name, pages, claims, code) => {
    writeFileSync(path, table(pages, claims));
    await expect(nearest(path, Float32Array.of(1, 2), 1)).rejects.toMatchObject({ name: "DepthwiseError", code });
  });

  it("an end is measured without being read, up to so many values", async () => {
    const bytes = Buffer.concat(await written([{ id: "a", embedding: Float32Array.of(1, 2) }]));
    const length = bytes.readUInt32LE(bytes.length - 8);
    const end = bytes.subarray(bytes.length - 8 - length, bytes.length - 8);
    expect(endOfThrift(end, 0, 10_000)).toBe(length);
    expect(endOfThrift(bytes, bytes.length - 8 - length, 10_000)).toBe(bytes.length - 8);
    expect(endOfThrift(end, 0, 100)).toBeUndefined();
    for (let cut = 0; cut < length; cut++) expect(endOfThrift(end.subarray(0, cut), 0, 10_000)).toBeUndefined();
    // A list of 200 structures of nothing takes as many as 1,600 numbers, and itself 8.
    const structs = Uint8Array.of(0x19, 0xfc, 200, 1, ...new Array(201).fill(0));
    expect([1607, 1608].map((most) => endOfThrift(structs, 0, most))).toEqual([undefined, structs.length]);
  });

  it("an end that claims lists of any length, or lies deep, is refused before it is read", async () => {
    const end = (bytes: readonly number[]): Uint8Array => {
      const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
      return Buffer.concat([Buffer.from("PAR1"), Uint8Array.from(bytes), length, Buffer.from("PAR1")]);
    };
    const [LISTS, STRUCTS] = [0xf9, 0x1c];
    const claims = [
      // Field 1, a list of 2^31 − 1 lists, each of them of as many.
      [0x19, ...new Array(20).fill([LISTS, 0xff, 0xff, 0xff, 0xff, 0x07]).flat()],
      // Field 2, lists within lists.
      [0x29, ...new Array(10_000).fill(0x19)],
      new Array(100_000).fill(STRUCTS),
      // Field 1, a number that has no last byte.
      [0x16, ...new Array(1000).fill(0xff)],
      [0x18, 0xff, 0xff, 0xff, 0xff, 0x0f],
      [0],
      [],
    ];
    for (const bytes of claims) {
      writeFileSync(path, end(bytes));
      await expect(nearest(path, Float32Array.of(1, 2), 1)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    }
  });
});
