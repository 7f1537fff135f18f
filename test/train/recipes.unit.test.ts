/** Recipes are plain data that training takes. */

import { describe, expect, it } from "vitest";
import { DEFAULT_PREPROCESSING } from "../../src/core/preprocessing.ts";
import { completeAugmentation } from "../../src/train/data/augmentation.ts";
import { checkOptimizer } from "../../src/train/optimizers.ts";
import { rateAt, withSteps } from "../../src/train/rates.ts";
import { RECIPE_KEYS, RECIPES, recipe } from "../../src/train/recipes.ts";
import { checkSchedule } from "../../src/train/schedules.ts";

const RUNS = [
  { resolution: 28, examples: 60_000, epochs: 8, batch: 128, mayFlip: false },
  { resolution: 32, examples: 50_000 },
  { resolution: 224, examples: 3000, epochs: 30, batch: 16 },
  { resolution: 2, examples: 3 },
];

describe.each(RECIPES)("the recipe %s", (name) => {
  it.each(RUNS)("of %j is JSON, and what training takes", (run) => {
    const made = recipe(name, run);
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
    for (const key of Object.keys(made)) expect(RECIPE_KEYS).toContain(key);
    expect(checkOptimizer("test", made.optimizer)).toEqual(made.optimizer);
    expect(checkSchedule("test", made.schedule)).toEqual(made.schedule);
    const { resolution } = run;
    const input = { ...DEFAULT_PREPROCESSING, inputShape: [resolution, resolution, 3] } as const;
    completeAugmentation("test", made.augment ?? {}, { ...input, mean: undefined, deviation: undefined });
    expect(made.averageDecay ?? 0).toBeLessThan(1);
    expect(made.averageDecay ?? 0).toBeGreaterThanOrEqual(0);
  });

  it("exchanges left and right only where it may", () => {
    const options = { resolution: 28, examples: 1000 };
    expect(recipe(name, options).augment).toHaveProperty("flip");
    expect(recipe(name, { ...options, mayFlip: false }).augment).not.toHaveProperty("flip");
  });

  it("refuses numbers that make no run, with their names", () => {
    expect(() => recipe(name, { resolution: 0, examples: 10 })).toThrow(
      /recipe: resolution: expected a positive integer/,
    );
    expect(() => recipe(name, { resolution: 32, examples: 10, epochs: 1.5 })).toThrow(/recipe: epochs/);
    expect(() => recipe(name, { resolution: 32, examples: 10, epoch: 1 } as never)).toThrow(/Did you mean "epochs"/);
  });
});

describe("recipes", () => {
  it("have the numbers of their sources", () => {
    const paper = recipe("paper", { resolution: 224, examples: 6400, batch: 64 });
    expect(paper.optimizer).toMatchObject({
      type: "rmsprop",
      epsilon: 1,
      decay: 0.9,
      momentum: 0.9,
      decayOnly: "matrices",
    });
    const schedule = checkSchedule("test", paper.schedule);
    expect([0, 249, 250, 500].map((t) => rateAt(schedule, t))).toEqual([
      0.045,
      0.045,
      expect.closeTo(0.045 * 0.94, 12),
      expect.closeTo(0.045 * 0.94 ** 2, 12),
    ]);
    expect(paper.labelSmoothing).toBeUndefined();
    const fast = recipe("fast", { resolution: 32, examples: 50_000, batch: 128 });
    // `averageDecay` alone turns averages on.
    for (const key of ["average", "averageDecay"]) expect(fast).not.toHaveProperty(key);
    expect(fast).toMatchObject({ labelSmoothing: 0.1, augment: { paddedCrop: { padding: 4 } } });
    const cycle = withSteps(checkSchedule("test", fast.schedule), 3910);
    expect(rateAt(cycle, Math.round(0.3 * 3910) - 1)).toBeCloseTo(0.2, 9);
    expect(rateAt(cycle, 3909)).toBeLessThan(1e-6);
  });

  it("take an eighth of the pictures in an update, at least 8 and at most 64, or 32 to tune", () => {
    const batchOf = (name: "fast" | "tune", examples: number) => recipe(name, { resolution: 32, examples }).batch;
    expect([1000, 300, 100, 20, 5].map((examples) => [batchOf("fast", examples), batchOf("tune", examples)])).toEqual([
      [64, 32],
      [37, 32],
      [12, 12],
      [8, 8],
      [5, 5],
    ]);
  });

  it("of another name is refused", () => {
    expect(() => recipe("fsat" as never, { resolution: 32, examples: 10 })).toThrow(/Did you mean "fast"/);
  });
});
