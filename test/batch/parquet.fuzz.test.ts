/** @slow: each byte of several tables is changed, each time in a file. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openParquetMatrix } from "../../src/batch/parquet-matrix.ts";
import { DepthwiseError } from "../../src/core/errors.ts";
import { readAll, written } from "./table-rows.ts";
import { TABLES_OF_OTHERS } from "./tables-of-others.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "table.parquet");
const READ = "read";

describe("tables", () => {
  /** What becomes of a table of rows of so many numbers: a code, or that all of it was read. */
  async function outcome(bytes: Uint8Array, features: number): Promise<unknown> {
    writeFileSync(path, bytes);
    try {
      const file = await openParquetMatrix(path, features);
      try {
        await readAll(file, 2);
        await file.names?.(new Set([0, 2]));
        return READ;
      } finally {
        await file.close();
      }
    } catch (error) {
      return error instanceof DepthwiseError ? error.code : error;
    }
  }

  const ours = written(
    [0, 1, 2].map((i) => ({
      ...{ id: `row ${i}`, embedding: Float32Array.of(i, 1, -i) },
      predictions: [{ index: i, label: `thing ${i}`, probability: 0.5 }],
    })),
  );
  const tables = [
    ["ours", async () => Buffer.concat(await ours)] as const,
    ...Object.entries(TABLES_OF_OTHERS).map(([name, text]) => [name, async () => Buffer.from(text, "base64")] as const),
  ];

  it.each(tables)("cut anywhere are refused, and with any byte another too, or read: %s", async (_name, made) => {
    const bytes = await made();
    expect(await outcome(bytes, 3)).toBe(READ);
    const codes = ["FILE_CORRUPT", "FILE_TRUNCATED", "FILE_TOO_LARGE", "FORMAT_UNKNOWN", "SHAPE_MISMATCH"];
    for (let length = 0; length < bytes.length; length += 7) {
      const found = await outcome(bytes.subarray(0, length), 3);
      expect(["FILE_CORRUPT", "FILE_TRUNCATED"], `cut at ${length}`).toContain(found);
    }
    for (let place = 0; place < bytes.length; place++) {
      const changed = Uint8Array.from(bytes);
      const flip = [1, 128, 255, 64][place % 4] as number;
      changed[place] = (changed[place] as number) ^ flip;
      expect([...codes, READ], `byte ${place} by ${flip}`).toContain(await outcome(changed, 3));
    }
  });
});
