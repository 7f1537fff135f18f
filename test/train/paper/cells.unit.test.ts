/** @slow: reads what was built. The list of what `npm run train:paper` trains, and of what is compared. */

import { describe, expect, it } from "vitest";
import { cost, paper } from "../../../src/cost/index.ts";
import { mobileNetV1 } from "../../../src/models/index.ts";
import type { Recipe } from "../../../src/train/index.ts";
import { type Cell, type Runs, script } from "./fixture.ts";

const { CELLS, EPOCHS, EXAMPLES, TABLES, COMPARISONS, optionsOf } = await script<{
  CELLS: readonly Cell[];
  EPOCHS: number;
  EXAMPLES: number;
  TABLES: readonly { number: number; rows: readonly { cell?: string; printed: string }[] }[];
  COMPARISONS: readonly { table?: number; first: string; second: string }[];
  optionsOf(cell: Cell): { classes: number; resolution: number };
}>("cells.mjs");
const { runsOf } = await script<Runs>("runs.mjs");

const plan = { epochs: EPOCHS, examples: EXAMPLES };
const cellOf = (name: string) => {
  const cell = CELLS.find((each) => each.name === name);
  if (cell === undefined) throw new Error(name);
  return cell;
};
const costOf = (name: string) => cost(mobileNetV1(optionsOf(cellOf(name)))).totals;

describe("the cells", () => {
  it("are four widths, three resolutions, the twin, shallow and narrow, and the paper's recipe", () => {
    expect(CELLS.map(({ name }) => name)).toEqual([
      ...["1.0-32", "0.75-32", "0.5-32", "0.25-32", "0.5-24", "0.5-16"],
      ...["0.25-32-standard", "0.5-32-shallow", "0.37-32", "0.5-32-paper"],
    ]);
    for (const cell of CELLS) {
      const { alpha, resolution } = cell.network;
      expect(cell.name.startsWith(`${alpha === 1 ? "1.0" : alpha}-${resolution}`)).toBe(true);
      expect(optionsOf(cell)).toMatchObject({ classes: 10, stem: { stride: 1, filters: 32 }, dropout: 0 });
    }
  });

  it("shallow and narrow cost the same, within three in a hundred", () => {
    const [shallow, narrow] = [costOf("0.5-32-shallow").multAdds ?? 0, costOf("0.37-32").multAdds ?? 0];
    expect([shallow, narrow]).toEqual([6_739_968, 6_770_616]);
    expect(Math.abs(narrow / shallow - 1)).toBeLessThan(0.03);
  });

  it("all but one have the same recipe, for ten epochs or more; three seeds but for α 1", () => {
    expect(EPOCHS).toBeGreaterThanOrEqual(10);
    expect(EXAMPLES).toBe(50_000);
    const recipes = CELLS.filter(({ arm }) => arm === "fast").map(({ name }) => recipeOf(name));
    for (const { augment, ...recipe } of recipes) {
      // How far a picture is shifted follows its side.
      expect(recipe).toEqual({ ...recipes[0], augment: undefined });
      expect(Object.keys(augment ?? {})).toEqual(["paddedCrop", "flip"]);
    }
    expect(recipeOf("0.5-32")).toMatchObject({ batch: 128, epochs: EPOCHS, optimizer: { type: "sgd" } });
    expect(recipeOf("0.5-32-paper")).toMatchObject({
      epochs: EPOCHS,
      optimizer: { type: "rmsprop", epsilon: 1 },
    });
    expect(CELLS.filter(({ seeds }) => seeds.length < 3).map(({ name }) => name)).toEqual(["1.0-32"]);
  });
});

it("runs go seed by seed, and can be chosen", () => {
  const names = runsOf(plan).map(({ name }) => name);
  expect(names).toHaveLength(28);
  expect(new Set(names).size).toBe(28);
  expect(names.slice(0, 10)).toEqual(CELLS.map(({ name }) => `${name} seed 1`));
  expect(runsOf(plan, { only: ["1.0-32"], seeds: [2, 4] }).map(({ name }) => name)).toEqual([
    "1.0-32 seed 2",
    "1.0-32 seed 4",
  ]);
});

describe("what is compared", () => {
  it("stands in the paper's tables, row by row", () => {
    const { tables } = paper();
    for (const { number, rows } of TABLES) {
      const printed = tables.find(({ name }) => name === `Table ${number}`)?.rows.map(({ label }) => label);
      expect(rows.map((row) => row.printed)).toEqual(printed);
      for (const { cell } of rows) if (cell !== undefined) expect(() => cellOf(cell)).not.toThrow();
    }
  });

  it("is of two cells of its table, which share seeds", () => {
    for (const { table, first, second } of COMPARISONS) {
      const { rows } = TABLES.find(({ number }) => number === table) ?? {
        rows: [{ cell: "0.5-32" }, { cell: "0.5-32-paper" }],
      };
      expect(rows.map(({ cell }) => cell)).toEqual(expect.arrayContaining([first, second]));
      expect(cellOf(first).seeds.filter((seed) => cellOf(second).seeds.includes(seed)).length).toBeGreaterThan(0);
    }
  });
});

function recipeOf(name: string): Recipe {
  return runsOf(plan, { only: [name], seeds: [1] })[0]?.expected["recipe"] as Recipe;
}
