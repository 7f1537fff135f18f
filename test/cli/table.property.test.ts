/** Tables: as they are where there is room, and never wider than a page. */

import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { called, cut, ENDLESS, layTable, leftOutNote, type Page, wrapLine } from "../../src/cli/table.ts";
import { rounds, seedOf } from "../fuzz.ts";

const page = (width: number): Page => ({ width, leftOut: new Set() });

const HEADER = ["layer", "kind", "mult-adds", "output bytes"];
const ROWS = [
  HEADER,
  ["conv1", "Conv 3x3", "10,838,016", "1,605,632"],
  ["global_average_pooling2d", "Pool", "0", "4,096"],
  ["猫の写真.png", "Conv 1x1", "25,690,112", "3,211,264"],
];
const style = { isRight: (column: number) => column >= 2, least: called(HEADER, ["output bytes", "kind"]) };

describe("a table", () => {
  it("on a page without end is as wide as its cells", () => {
    expect(layTable(ENDLESS, ROWS.slice(0, 3), style)).toEqual([
      "layer                     kind       mult-adds  output bytes",
      "conv1                     Conv 3x3  10,838,016     1,605,632",
      "global_average_pooling2d  Pool               0         4,096",
    ]);
  });

  it("first has its headings broken and its names cut, with both ends of them left", () => {
    const narrow = page(50);
    expect(layTable(narrow, ROWS, style)).toEqual([
      "layer             kind       mult-adds      output",
      "                                             bytes",
      "conv1             Conv 3x3  10,838,016   1,605,632",
      "global_ave…ing2d  Pool               0       4,096",
      "猫の写真.png      Conv 1x1  25,690,112   3,211,264",
    ]);
    expect(leftOutNote(narrow)).toEqual([]);
  });

  it("then goes without the columns of least interest, and the page says which", () => {
    const narrow = page(32);
    expect(layTable(narrow, ROWS.slice(0, 3), style)).toEqual([
      "layer                  mult-adds",
      "conv1                 10,838,016",
      "global_averag…ling2d           0",
    ]);
    expect(leftOutNote(narrow).join(" ")).toContain("32 columns: kind, output bytes.");
  });

  it("takes back a column that went in vain", () => {
    const narrow = page(24);
    const rows = [
      ["a", "short", "long"],
      ["1", "2", "x".repeat(40)],
    ];
    expect(layTable(narrow, rows, { least: [[1], [2]] })).toEqual(["a  short", "1  2"]);
    expect([...narrow.leftOut]).toEqual(["long"]);
  });

  it("breaks prose at words", () => {
    const rows = [["1", "truncated instead of rounded, and then printed as it was"]];
    const lines = layTable(page(30), rows, { titles: ["no.", "reason"], prose: [1] });
    expect(lines).toEqual(["1  truncated instead of", "   rounded, and then printed", "   as it was"]);
  });

  it("may have more rows than a call has arguments", () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => [`tensor ${i} ${"x".repeat(20)}`, "F32"]);
    expect(layTable(page(24), rows, { titles: ["name", "type"] })).toHaveLength(rows.length);
  });

  it("is never wider than the page, whatever stands in it", () => {
    const cell = fc.oneof(fc.string({ unit: "grapheme", maxLength: 60 }), fc.lorem({ maxCount: 12 }));
    const clean = cell.map((text) => text.replaceAll(/[\p{C}\s]/gu, " "));
    const table = fc
      .integer({ min: 1, max: 6 })
      .chain((columns) =>
        fc.array(fc.array(clean, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 5 }),
      );
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 120 }), fc.integer({ min: 0, max: 5 }), (rows, width, column) => {
        const least = column < (rows[0]?.length ?? 0) ? [[column]] : [];
        for (const line of layTable(page(width), rows, { least, prose: [column] })) {
          if (stringWidth(line) > width) expect([line, width]).toEqual(["no line so wide", width]);
        }
      }),
      { numRuns: rounds(300), seed: seedOf(16) },
    );
  });
});

describe("a line", () => {
  it("is broken at words, and goes on under its text", () => {
    expect(wrapLine("  off  relaxed SIMD: V8 has it since 11.4", 24)).toEqual([
      "  off  relaxed SIMD: V8",
      "       has it since 11.4",
    ]);
    expect(wrapLine("- a b c", 80)).toEqual(["- a b c"]);
  });

  it("is cut between characters, by the columns that they take", () => {
    expect(cut("abcdef", 6)).toBe("abcdef");
    expect(cut("abcdefg", 6)).toBe("abcde…");
    expect(cut("abcdefg", 6, 1 / 2)).toBe("abc…fg");
    expect(cut("😀😀😀", 5)).toBe("😀😀…");
    expect(cut("猫の写真", 4)).toBe("猫…");
  });
});
