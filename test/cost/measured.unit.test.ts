/** `withinBudget` by what was measured on CIFAR-10: of networks that were made up here, and of those there are. */

import { describe, expect, it, vi } from "vitest";
import { type BudgetTable, cost, type MeasuredCandidate, withinBudget } from "../../src/cost/index.ts";
import { MEASURED_ON_CIFAR10, type MeasuredNetwork } from "../../src/cost/measured.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

const made: readonly MeasuredNetwork[] = [
  { name: "0.5-32", alpha: 0.5, resolution: 32, top1: 80, seeds: 3 },
  { name: "0.25-32", alpha: 0.25, resolution: 32, top1: 70, seeds: 3 },
  { name: "0.5-24", alpha: 0.5, resolution: 24, top1: 78, seeds: 2 },
  { name: "0.5-32-shallow", alpha: 0.5, resolution: 32, shallow: true, top1: 77, seeds: 1 },
  { name: "0.25-32-standard", alpha: 0.25, resolution: 32, standardConvolution: true, top1: 79.5, seeds: 1 },
];

vi.mock("../../src/cost/measured.ts", async (original) => {
  const real = (await original()) as { MEASURED_ON_CIFAR10: readonly MeasuredNetwork[] };
  return { ...real, MEASURED_ON_CIFAR10: [...real.MEASURED_ON_CIFAR10] };
});

/** Among networks that were made up, in place of those there are. */
function among(budget: { readonly multAdds?: number; readonly parameters?: number; readonly bytes?: number }) {
  const held = MEASURED_ON_CIFAR10 as MeasuredNetwork[];
  const real = held.splice(0, held.length, ...made);
  try {
    return withinBudget({ ...budget, table: "cifar10" });
  } finally {
    held.splice(0, held.length, ...real);
  }
}

const names = (candidates: readonly MeasuredCandidate[]) => candidates.map(({ name }) => name).join(" ");

describe("of networks that were made up", () => {
  it("a candidate costs what its network costs, at its resolution, with 10 classes and a stem of stride 1", () => {
    const { candidates } = among({ multAdds: 1 });
    const model = mobileNetV1({ alpha: 0.5, resolution: 24, classes: 10, stem: { stride: 1, filters: 32 } });
    const { multAdds, parameters, peakActivationBytes: activationBytes } = cost(model).totals;
    const bytes = 4 * cost(model, { convention: "keras" }).totals.parameters;
    expect(candidates[2]).toEqual({
      ...{ name: "0.5-24", alpha: 0.5, rho: 0.75, resolution: 24, top1: 78, seeds: 2 },
      ...{ multAdds, parameters, bytes, activationBytes, shallow: false, standardConvolution: false },
    });
    expect(multAdds).toBe(7_546_496);
    expect(candidates[3]).toMatchObject({ shallow: true, multAdds: 6_739_968 });
    expect(candidates[4]).toMatchObject({ standardConvolution: true, multAdds: 24_996_352 });
  });

  it("the most accurate that fits comes first", () => {
    expect(names(among({ multAdds: 12_167_168 }).fitting)).toBe("0.5-32 0.5-24 0.5-32-shallow 0.25-32");
    expect(among({ multAdds: 12_167_167 }).best?.name).toBe("0.5-24");
    expect(among({ parameters: 480_000 }).best?.name).toBe("0.5-32-shallow");
    expect(among({ bytes: 1 }).best).toBeUndefined();
  });

  it("the front has none that another beats", () => {
    expect(names(among({ bytes: 1 }).front)).toBe("0.25-32 0.5-32-shallow 0.5-24 0.5-32");
  });
});

describe("of those there are", () => {
  const { candidates, front } = withinBudget({ multAdds: 1e12, table: "cifar10" });

  it("each has a name of its own and an accuracy above chance, without a top-5", () => {
    expect(candidates.map(({ name }) => name)).toEqual(MEASURED_ON_CIFAR10.map(({ name }) => name));
    expect(new Set(candidates.map(({ name }) => name)).size).toBe(candidates.length);
    for (const { top1, seeds, resolution, rho, ...rest } of candidates) {
      expect(top1).toBeGreaterThan(10);
      expect(top1).toBeLessThan(100);
      expect(seeds).toBeGreaterThan(0);
      expect(rho).toBe(resolution / 32);
      expect(rest).not.toHaveProperty("top5");
    }
    expect(front.length > 0).toBe(candidates.length > 0);
  });

  it("no budget names them unless it says so", () => {
    expect(withinBudget({ multAdds: 100e6 })).toEqual(withinBudget({ multAdds: 100e6, table: "imagenet" }));
    expect(withinBudget({ multAdds: 100e6 }).best?.top5).toBe(81.9);
  });

  it("any table will do where it is not known before", () => {
    const table: BudgetTable = ["imagenet" as const, "cifar10" as const][0] ?? "imagenet";
    expect(withinBudget({ multAdds: 100e6, table }).best?.name).toBe("0.5-160");
  });
});

it.each(["cifar100", "ImageNet", 10])("%j is no table", (table) => {
  const fields = expect.objectContaining({ owner: "withinBudget", option: "table" });
  const message = expect.stringContaining('"imagenet", "cifar10"');
  expect(() => withinBudget({ multAdds: 1, table: table as never })).toThrow(
    expect.objectContaining({ code: "OPTION_INVALID", message, fields }),
  );
});
