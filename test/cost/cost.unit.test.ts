import { describe, expect, it } from "vitest";
import { type Convention, cost, formatCost, formatPaper, paper, withinBudget } from "../../src/cost/index.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  globalAveragePool,
  maxPool,
  sequential,
} from "../../src/layers/index.ts";
import { MOBILENET_V1_BLOCKS, mobileNetV1 } from "../../src/models/index.ts";

describe("cost", () => {
  it("makes no parameter", () => {
    const model = mobileNetV1();
    const spied = Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(model),
        parameters: {
          get() {
            throw new Error("parameters were made");
          },
        },
      },
    ) as typeof model;
    expect(cost(spied).totals.multAdds).toBe(568_740_352);
  });

  it("gives shares by type as the paper's table 2, and ratios of 1/N + 1/k²", () => {
    const { byType, layers } = cost(mobileNetV1());
    expect(Object.keys(byType)).toEqual(["Conv 3x3", "Conv DW 3x3", "Conv 1x1", "Pool", "Fully Connected", "Softmax"]);
    expect(((byType["Conv 1x1"]?.multAddsShare ?? 0) * 100).toFixed(2)).toBe("94.86");
    const first = layers.find(({ name }) => name === "conv_pw_1");
    expect(first?.standardRatio).toBeCloseTo(1 / 64 + 1 / 9, 12);
    expect(layers.reduce((sum, { multAddsShare }) => sum + (multAddsShare ?? 0), 0)).toBeCloseTo(1, 12);
  });

  it("counts a network of one's own, a batch norm that stands alone included", () => {
    const mine = sequential({ inputShape: [8, 8, 3] }, [
      batchNorm(),
      conv2d({ filters: 4, kernel: 5, stride: 2 }),
      activation("relu"),
      maxPool({ kernel: 2, stride: 2 }),
      globalAveragePool(),
      dense({ filters: 2 }),
    ]);
    const { layers, totals } = cost(mine, { convention: "keras" });
    expect(layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["batchNorm", 12],
      ["conv2d", 5 * 5 * 3 * 4 + 4],
      ["maxPool", 0],
      ["globalAveragePool", 0],
      ["dense", 10],
    ]);
    expect(totals.trainableParameters).toBe(totals.parameters - 6);
    expect(cost(mine).totals.multAdds).toBe(5 * 5 * 3 * 4 * 16 + 8);
  });

  it("takes a convention of one's own", () => {
    const biases: Convention = {
      name: "biases",
      word: "additions",
      source: "a test",
      operations: { pointwiseConv2d: ({ outputElements, hasBias }) => (hasBias ? outputElements : 0) },
      parameters: { bias: 1 },
    };
    expect(cost(mobileNetV1(), { convention: biases }).totals).toMatchObject({ multAdds: 1000, parameters: 1000 });
  });

  it.each([
    ["papre", /Did you mean "paper"/],
    [5, /convention: expected the name/],
    [null, /convention: expected the name/],
    [{ name: "x" }, /convention\.word/],
  ])("refuses the convention %j", (convention, message) => {
    expect(() => cost(mobileNetV1(), { convention: convention as never })).toThrow(message);
  });

  it("prints text, Markdown and JSON", () => {
    const result = cost(mobileNetV1({ alpha: 0.25, resolution: 128 }));
    expect(JSON.parse(formatCost(result, "json"))).toEqual(JSON.parse(JSON.stringify(result)));
    expect(formatCost(result)).toContain("total 13,570,048 mult-adds, 463,600 parameters");
    expect(formatCost(result, "markdown")).toContain("| conv_pw_13 | Conv 1x1 | 4 × 4 × 256 |");
    expect(formatCost(cost(mobileNetV1(), { convention: "keras" }))).toContain("no count of operations");
  });
});

describe("paper", () => {
  const counts = (report: ReturnType<typeof paper>) =>
    report.tables
      .slice(1)
      .flatMap(({ name, rows }) =>
        rows.flatMap(({ label, cells }) =>
          cells
            .filter(({ counted }) => counted !== undefined)
            .map(({ column, counted }) => [`${name} ${label} ${column}`, counted] as const),
        ),
      );

  it("stores printed figures only: one edited row of the network moves every recount", () => {
    const edited = MOBILENET_V1_BLOCKS.map((block, i) => (i === 5 ? { ...block, filters: 448 } : block));
    const before = counts(paper());
    const after = new Map(counts(paper({ blocks: edited })));
    expect(before.length).toBe(68 + 32);
    expect(before.filter(([name, counted]) => after.get(name) === counted)).toEqual([]);
  });

  it("finds the stride erratum of table 1, and no other difference there", () => {
    const cells = paper().tables[0]!.rows.flatMap((row) => row.cells);
    expect(cells).toHaveLength(66);
    expect(cells.filter(({ agrees }) => agrees !== true)).toEqual([
      {
        column: "Type / Stride",
        printed: "Conv dw / s2",
        counted: "Conv dw / s1",
        rounded: "Conv dw / s1",
        agrees: false,
        erratum: 1,
      },
    ]);
  });

  it("blames erratum 1 on one cell alone, whatever is edited", () => {
    const edited = MOBILENET_V1_BLOCKS.map((block, i) => (i === 0 ? { ...block, filters: 48 } : block));
    const longer = [...MOBILENET_V1_BLOCKS, { stride: 1, filters: 1024 }, { stride: 1, filters: 2048 }];
    for (const blocks of [edited, longer]) {
      const { rows } = paper({ blocks }).tables[0]!;
      expect(rows.flatMap(({ cells }) => cells).filter(({ erratum }) => erratum === 1).length).toBeLessThanOrEqual(1);
    }
    expect(paper({ blocks: longer }).tables[0]!.rows.length).toBeGreaterThan(22);
  });

  it("explains every figure that differs", () => {
    for (const { rows } of paper().tables) {
      for (const cell of rows.flatMap((row) => row.cells)) {
        if (cell.agrees === false) expect(cell.erratum ?? cell.note).toBeDefined();
      }
    }
  });

  it("prints text, Markdown and JSON", () => {
    const report = paper();
    expect(JSON.parse(formatPaper(report, "json"))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(formatPaper(report)).toContain("68 figures of the paper recounted: 56 agree, 12 differ.");
    expect(formatPaper(report, "markdown")).toContain("### Table 6. MobileNet Width Multiplier");
  });
});

describe("withinBudget", () => {
  it.each([
    [{ multAdds: 100e6 }, "0.5-160"],
    [{ multAdds: 570e6 }, "1.0-224"],
    [{ parameters: 500_000 }, "0.25-224"],
    [{ bytes: 2_000_000 }, "0.25-224"],
    [{ bytes: 6_000_000, multAdds: 120e6 }, "0.5-192"],
    [{ activationBytes: 400_000 }, "0.25-128"],
    [{ multAdds: 1 }, undefined],
  ])("%j gives %s", (budget, name) => {
    expect(withinBudget(budget).best?.name).toBe(name);
  });

  it("has a front that no candidate dominates, and that holds every undominated one", () => {
    const { front, candidates } = withinBudget({ multAdds: 1e12 });
    expect(candidates).toHaveLength(16);
    for (const candidate of candidates) {
      const beaten = candidates.some(
        (other) =>
          other !== candidate &&
          other.multAdds <= candidate.multAdds &&
          other.parameters <= candidate.parameters &&
          other.top1 >= candidate.top1,
      );
      expect(front.includes(candidate)).toBe(!beaten);
    }
    expect(front.map(({ multAdds }) => multAdds)).toEqual(front.map(({ multAdds }) => multAdds).sort((a, b) => a - b));
  });

  it.each([{}, { multAdds: -1 }, { multAdds: Number.NaN }, { flops: 1 }])("refuses %j", (budget) => {
    expect(() => withinBudget(budget as never)).toThrow(/withinBudget/);
  });
});
