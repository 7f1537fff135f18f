/** Pictures of accuracies: which points, lines and marks there are, and where. */

import { describe, expect, it } from "vitest";
import { withinBudget } from "../../src/cost/index.ts";
import { drawAccuracy, drawFront, type Picture } from "../../src/draw/index.ts";
import { contentOf, shapesOf } from "./texts.ts";

const saidIn = (picture: Picture) =>
  shapesOf(picture)
    .filter(({ tag }) => tag === "text")
    .map(contentOf);
/** Points of networks, not those of the legend, which say nothing. */
const pointsOf = (picture: Picture) =>
  shapesOf(picture)
    .filter(({ tag, children }) => tag === "circle" && children.length > 0)
    .map(({ attributes, children }) => ({
      look: String(attributes["class"]),
      says: children.map((child) => (typeof child === "string" ? child : contentOf(child))).join(""),
      x: Number(attributes["cx"]),
      y: Number(attributes["cy"]),
    }));
const pathsOf = (picture: Picture, look: string) =>
  shapesOf(picture)
    .filter(({ tag, attributes }) => tag === "path" && attributes["class"] === look)
    .map(({ attributes }) => String(attributes["d"]).slice(1).split("L"));
const imagenet = withinBudget({ multAdds: 1e12 });

describe("a front", () => {
  it("has a point for each network of the table, filled on the front", () => {
    const points = pointsOf(drawFront());
    expect(points).toHaveLength(16);
    const filled = points.filter(({ look }) => look === "point").map(({ says }) => says.split(":")[0]);
    expect(filled.sort()).toEqual(imagenet.front.map(({ name }) => name).sort());
    const off = imagenet.candidates.find(({ name }) => name === "1.0-128");
    expect(points.filter(({ look }) => look.startsWith("hollow")).map(({ says }) => says)).toEqual([
      `1.0-128: ${off?.multAdds.toLocaleString("en-US")}, 65.2 %`,
    ]);
  });

  it("has mult-adds to the right by their ratio, accuracy upwards by difference", () => {
    const points = pointsOf(drawFront());
    const at = (name: string) => points.find(({ says }) => says.startsWith(`${name}:`))!;
    const known = (name: string) => imagenet.candidates.find((candidate) => candidate.name === name)!;
    const [a, b, c] = ["0.25-128", "0.5-160", "1.0-224"] as const;
    const across = (at(b).x - at(a).x) / (at(c).x - at(a).x);
    const logs = [a, b, c].map((name) => Math.log(known(name).multAdds)) as [number, number, number];
    expect(across).toBeCloseTo((logs[1] - logs[0]) / (logs[2] - logs[0]), 2);
    const up = (at(a).y - at(b).y) / (at(a).y - at(c).y);
    expect(up).toBeCloseTo((known(b).top1 - known(a).top1) / (known(c).top1 - known(a).top1), 2);
  });

  it("has a line that only rises", () => {
    const [line = []] = pathsOf(drawFront(), "curve");
    const heights = line.map((spot) => Number(spot.split(",")[1]));
    expect(heights.length).toBeGreaterThan(10);
    for (const [index, height] of heights.slice(1).entries()) expect(height).toBeLessThan(heights[index]!);
  });

  it("with a budget has what does not fit pale, a ring about the best, and the bound as a line", () => {
    const budget = { multAdds: 100e6, bytes: 6e6 };
    const picture = drawFront({ budget });
    const { best, fitting } = withinBudget(budget);
    const shown = pointsOf(picture).filter(({ look }) => !look.includes("away"));
    expect(shown.map(({ says }) => says.split(":")[0]).sort()).toEqual(fitting.map(({ name }) => name).sort());
    const rings = shapesOf(picture).filter(({ attributes }) => attributes["class"] === "ring");
    const point = pointsOf(picture).find(({ says }) => says.startsWith(`${best?.name}:`))!;
    expect(rings.map(({ attributes }) => [attributes["cx"], attributes["cy"]])).toEqual([[point.x, point.y]]);
    const bounds = shapesOf(picture).filter(({ attributes }) => attributes["class"] === "bound");
    expect(bounds).toHaveLength(1);
    for (const { x, look } of pointsOf(picture))
      expect(x > Number(bounds[0]?.attributes["x1"])).toBe(look.includes("away"));
    expect(saidIn(picture)).toEqual(
      expect.arrayContaining([
        "Budget: at most 100,000,000 mult-adds, at most 6,000,000 bytes of weights",
        "Best within the budget: 0.5-160, 59.1 % at 76.5 M mult-adds",
        "over the budget",
      ]),
    );
  });

  it("takes an endless bound for none, and writes no such number", () => {
    const [endless, both] = [{ multAdds: Infinity }, { multAdds: Infinity, parameters: 2e6 }].map((budget) =>
      saidIn(drawFront({ budget })),
    );
    for (const said of [endless, both]) expect(said?.join()).not.toMatch(/Infinity|NaN/);
    expect(endless?.some((text) => text.startsWith("Budget"))).toBe(false);
    expect(both).toContain("Budget: at most 2,000,000 parameters");
  });

  it("says where nothing fits, and draws no bound that is far off", () => {
    const picture = drawFront({ budget: { multAdds: 10 }, language: "ko" });
    expect(saidIn(picture)).toContain("예산에 맞는 신경망이 없습니다.");
    expect(pointsOf(picture).every(({ look }) => look.includes("away"))).toBe(true);
    expect(
      shapesOf(picture).filter(({ attributes }) => ["bound", "ring"].includes(String(attributes["class"]))),
    ).toEqual([]);
  });

  it("says in its table what is on the front, and with a budget what fits", () => {
    expect(drawFront().table.rows[0]).toEqual(["0.25-128", "13,570,048", "463,600", "41.5 %", "yes"]);
    const { titles, rows } = drawFront({ budget: { parameters: 1e6 } }).table;
    expect(titles.at(-1)).toBe("within the budget");
    expect(rows.filter((row) => row.at(-1) === "yes")).toHaveLength(4);
  });

  it.each<[string, object, RegExp]>([
    ["a table that does not exist", { table: "imagnet" }, /drawFront: table.*Did you mean "imagenet"/],
    ["a bound of nothing", { budget: { multAdds: 0 } }, /multAdds: expected a number above 0/],
    ["a budget without a bound", { budget: {} }, /at least one of/],
    ["a bound that does not exist", { budget: { multadds: 1 } }, /drawFront: budget: unknown option "multadds"/],
    ["a table within the budget", { budget: { table: "cifar10" } }, /drawFront: budget: unknown option "table"/],
  ])("refuses %s", (_name, options, message) => {
    expect(() => drawFront(options as never)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringMatching(message) }),
    );
  });
});

describe("accuracies", () => {
  it("have a line for each resolution and for each width, through four networks each", () => {
    for (const against of ["multAdds", "parameters"] as const) {
      const picture = drawAccuracy({ against });
      expect(pointsOf(picture)).toHaveLength(16);
      for (const look of ["curve", "across"]) {
        const lines = pathsOf(picture, look);
        expect(lines).toHaveLength(4);
        for (const line of lines) expect(line).toHaveLength(4);
      }
    }
  });

  it("against parameters stand above each other where widths are the same", () => {
    const points = pointsOf(drawAccuracy({ against: "parameters" }));
    expect(new Set(points.map(({ x }) => x)).size).toBe(4);
  });

  it("of CIFAR-10 are those that were measured", () => {
    const { candidates } = withinBudget({ multAdds: 1e12, table: "cifar10" });
    const picture = drawAccuracy({ table: "cifar10" });
    expect(picture.table.rows.map(([name]) => name)).toEqual(candidates.map(({ name }) => name));
    expect(pointsOf(picture)).toHaveLength(candidates.length);
  });

  it("explain what stands in them, and nothing else", () => {
    const explained = (picture: Picture) =>
      ["one resolution, widths α", "one width α, resolutions", "shallow, or of standard convolutions"].filter((text) =>
        saidIn(picture).includes(text),
      );
    expect(explained(drawAccuracy())).toHaveLength(2);
    const picture = drawAccuracy({ table: "cifar10" });
    const drawn = [
      pathsOf(picture, "curve"),
      pathsOf(picture, "across"),
      pointsOf(picture).filter(({ look }) => look === "known"),
    ];
    expect(explained(picture)).toHaveLength(drawn.filter((each) => each.length > 0).length);
  });

  it("refuse another cost", () => {
    expect(() => drawAccuracy({ against: "bytes" as never })).toThrow(/drawAccuracy: against: expected one of/);
  });
});
