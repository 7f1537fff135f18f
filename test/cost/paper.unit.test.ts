/** The paper, recounted: the report to the letter, its cells as data, and reports of networks that were edited. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERRATA, formatPaper, type PaperCell, paper } from "../../src/cost/index.ts";
import { MOBILENET_V1_BLOCKS } from "../../src/models/index.ts";

/** Each test counts anew: what is counted while a file is loaded, a mutant cannot be told by. */
function cells(table: string, label: string, from = paper()): readonly PaperCell[] {
  const row = from.tables.find(({ name }) => name === table)?.rows.find((one) => one.label === label);
  if (row === undefined) throw new Error(`${table}, ${label}`);
  return row.cells;
}

describe("the paper's report", () => {
  it("is what was read beside the paper, figure by figure and erratum by erratum", () => {
    const read = readFileSync(join(import.meta.dirname, "paper-report.txt"), "utf8");
    expect(`${formatPaper(paper())}\n`).toBe(read);
  });

  it("numbers its errata, and names each at the figure that it explains", () => {
    const report = paper();
    expect(report.errata).toBe(ERRATA);
    expect(ERRATA.map(({ number }) => number)).toEqual(Array.from({ length: 22 }, (_, i) => i + 1));
    const named = report.tables.flatMap(({ rows }) =>
      rows.flatMap((row) => row.cells.flatMap(({ erratum = [] }) => erratum)),
    );
    // The last five are about sentences.
    expect([...new Set(named)].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => i + 1));
  });

  it("counts what can be recounted of tables 2 to 14", () => {
    const report = paper();
    const figures = report.tables
      .filter(({ name }) => name !== "Table 1" && name !== "TF-slim checkpoints")
      .flatMap(({ rows }) => rows.flatMap((row) => row.cells))
      .filter(({ agrees }) => agrees !== undefined);
    const agree = figures.filter(({ agrees }) => agrees).length;
    expect(report.summary).toEqual({ recounted: figures.length, agree, differ: figures.length - agree });
    expect(report.summary).toEqual({ recounted: 68, agree: 56, differ: 12 });
  });
});

describe("a cell", () => {
  const CELLS: readonly (readonly [string, string, string, number, PaperCell])[] = [
    [
      "that agrees",
      "Table 6",
      "0.25 MobileNet-224",
      1,
      { column: "Million Parameters", printed: "0.5", counted: 463_600, rounded: "0.5", agrees: true },
    ],
    [
      "that differs",
      "Table 7",
      "1.0 MobileNet-160",
      0,
      { column: "Million Mult-Adds", printed: "290", counted: 290_675_200, rounded: "291", agrees: false, erratum: 4 },
    ],
    [
      "beside one that differs",
      "Table 7",
      "1.0 MobileNet-160",
      1,
      { column: "Million Parameters", printed: "4.2", counted: 4_209_088, rounded: "4.2", agrees: true },
    ],
    [
      "that is quoted, with its erratum",
      "Table 8",
      "VGG 16",
      1,
      { column: "Million Parameters", printed: "138", erratum: 15 },
    ],
    ["that is quoted", "Table 10", "Inception V3", 0, { column: "Million Mult-Adds", printed: "5000" }],
    ["that cannot be counted", "Table 14", "1.0 MobileNet-160", 1, { column: "Million Parameters", printed: "4.9" }],
    [
      "of a share",
      "Table 2",
      "Conv 3x3",
      0,
      {
        column: "Mult-Adds",
        printed: "1.19%",
        counted: 10_838_016 / 568_740_352,
        rounded: "1.91%",
        agrees: false,
        erratum: 2,
      },
    ],
    [
      "of a checkpoint, with its note",
      "TF-slim checkpoints",
      "MobileNet_v1_0.25_192",
      0,
      {
        column: "Million MACs",
        printed: "34",
        counted: 30_212_864,
        rounded: "30",
        agrees: false,
        note: "as with a floor of 16 channels in place of 8",
      },
    ],
    [
      "of a checkpoint that needs none",
      "TF-slim checkpoints",
      "MobileNet_v1_1.0_224",
      0,
      { column: "Million MACs", printed: "569", counted: 568_741_376, rounded: "569", agrees: true },
    ],
    [
      "of its parameters, without",
      "TF-slim checkpoints",
      "MobileNet_v1_0.25_192",
      1,
      { column: "Million Parameters", printed: "0.47", counted: 473_065, rounded: "0.47", agrees: true },
    ],
    [
      "of a label",
      "Table 1",
      "1",
      0,
      { column: "Type / Stride", printed: "Conv / s2", counted: "Conv / s2", rounded: "Conv / s2", agrees: true },
    ],
  ];

  it("is its figure and the count of it, rounded, and why the two differ", () => {
    const report = paper();
    for (const [what, table, label, column, cell] of CELLS) {
      expect([what, cells(table, label, report)[column]]).toStrictEqual([what, cell]);
    }
    // Without an accuracy, which table 3 does not print.
    expect(Object.keys(report.tables[2]?.rows[0] ?? {})).toEqual(["label", "cells"]);
  });
});

describe("the report of another network", () => {
  const labels = (options: Parameters<typeof paper>[0]) =>
    paper(options).tables[0]?.rows.map((row) => row.cells.map(({ counted }) => counted).join(" | ")) ?? [];

  it("lists what there is more than in the paper, and leaves empty what there is less", () => {
    const blocks = [...MOBILENET_V1_BLOCKS, { stride: 1, filters: 1024 }, { stride: 1, filters: 2048 }];
    const rows = labels({ blocks });
    expect(rows).toHaveLength(24);
    expect(rows.slice(17, 24)).toEqual([
      "2x Conv dw / s1 | 3 x 3 x 1024 dw | 7 x 7 x 1024",
      "2x Conv / s1 | 1 x 1 x 1024 x 1024 | 7 x 7 x 1024",
      "Conv dw / s1 | 3 x 3 x 1024 dw | 7 x 7 x 1024",
      "Conv / s1 | 1 x 1 x 1024 x 2048 | 7 x 7 x 1024",
      "Avg Pool / s1 | Pool 7 x 7 | 7 x 7 x 2048",
      "FC / s1 | 2048 x 1000 | 1 x 1 x 2048",
      "Softmax / s1 | Classifier | 1 x 1 x 1000",
    ]);
    const few = labels({ blocks: [{ stride: 1, filters: 64 }] });
    expect(few.slice(0, 6)).toEqual([
      "Conv / s2 | 3 x 3 x 3 x 32 | 224 x 224 x 3",
      "Conv dw / s1 | 3 x 3 x 32 dw | 112 x 112 x 32",
      "Conv / s1 | 1 x 1 x 32 x 64 | 112 x 112 x 32",
      "Avg Pool / s1 | Pool 112 x 112 | 112 x 112 x 64",
      "FC / s1 | 64 x 1000 | 1 x 1 x 64",
      "Softmax / s1 | Classifier | 1 x 1 x 1000",
    ]);
    expect(few.slice(6)).toEqual(Array(16).fill(" |  | "));
    const blamed = paper({ blocks: [{ stride: 1, filters: 64 }] }).tables[0]?.rows.flatMap(({ label, cells }) =>
      cells.flatMap(({ column, erratum }) => (erratum === undefined ? [] : [[label, column, erratum]])),
    );
    expect(blamed).toEqual([["18", "Type / Stride", 1]]);
  });

  it("takes block 7 for table 3, and none whose number begins with it", () => {
    const other = paper({ blocks: Array(70).fill({ stride: 1, filters: 8 }) });
    const counted = cells("Table 3", "Depthwise Separable Conv", other).map((cell) => cell.counted);
    expect(counted).toEqual([112 * 112 * (9 * 8 + 8 * 8), 9 * 8 + 8 * 8]);
  });

  it("counts another stem, and blames no erratum for it in table 1", () => {
    const other = paper({ stem: { stride: 2, filters: 16 } });
    expect(cells("Table 1", "1", other)[1]).toStrictEqual({
      column: "Filter Shape",
      printed: "3 x 3 x 3 x 32",
      counted: "3 x 3 x 3 x 16",
      rounded: "3 x 3 x 3 x 16",
      agrees: false,
    });
    expect(cells("Table 1", "18", other)[0]).toMatchObject({ agrees: false, erratum: 1 });
    expect(cells("Table 1", "18", other)[1]).not.toHaveProperty("erratum");
  });

  it("is of no other options", () => {
    const fields = expect.objectContaining({ owner: "paper", option: "block", known: ["blocks", "stem"] });
    expect(() => paper({ block: [] } as never)).toThrow(expect.objectContaining({ code: "OPTION_INVALID", fields }));
  });
});
