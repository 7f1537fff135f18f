/** The sixteen published networks: what each costs, which fit, and which no other beats. */

import { describe, expect, it } from "vitest";
import { cost, knownNetworks, withinBudget } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";

/** Anew in each test: what is counted while a file is loaded, a mutant cannot be told by. */
const whole = () => withinBudget({ multAdds: 1e12 });
const named = (name: string, { candidates } = whole()) => {
  const found = candidates.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const names = (candidates: readonly { readonly name: string }[]) => candidates.map(({ name }) => name).join(" ");

describe("a candidate", () => {
  it("is named as it was released, and costs what its network costs", () => {
    expect(named("0.75-160")).toEqual({
      name: "0.75-160",
      alpha: 0.75,
      rho: 160 / 224,
      resolution: 160,
      multAdds: 166_396_800,
      parameters: 2_568_144,
      bytes: 10_407_904,
      activationBytes: 1_843_200,
      top1: 65.3,
      top5: 86,
    });
    const model = mobileNetV1({ alpha: 1, resolution: 128 });
    const { multAdds, parameters, peakActivationBytes } = cost(model).totals;
    const bytes = [...model.parameterInfo.values()].reduce(
      (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b),
      0,
    );
    expect(named("1.0-128")).toMatchObject({ multAdds, parameters, activationBytes: peakActivationBytes, bytes });
  });

  it("is one of the sixteen", () => {
    expect(names(whole().candidates)).toBe(
      ["1.0", "0.75", "0.5", "0.25"].flatMap((a) => [224, 192, 160, 128].map((r) => `${a}-${r}`)).join(" "),
    );
  });
});

describe("within a budget", () => {
  const quarter = "0.25-224 0.25-192 0.25-160 0.25-128";
  // Of 0.5-160: 76,524,800 mult-adds, 1,319,648 parameters, 5,370,144 bytes, and 1,228,800 of activations.
  it.each([
    [{ multAdds: 76_524_800 }, `0.5-160 0.5-128 ${quarter}`],
    [{ multAdds: 76_524_799 }, `0.5-128 ${quarter}`],
    [{ activationBytes: 1_228_800 }, `0.75-128 0.5-160 0.5-128 ${quarter}`],
    [{ parameters: 1_319_648 }, `0.5-224 0.5-192 0.5-160 0.5-128 ${quarter}`],
    [{ bytes: 5_370_144 }, `0.5-224 0.5-192 0.5-160 0.5-128 ${quarter}`],
    [{ bytes: 5_370_144, activationBytes: 1_228_800, multAdds: 76_524_800 }, `0.5-160 0.5-128 ${quarter}`],
    [{ bytes: 1 }, ""],
  ])("of %j fit those of no more than each bound, the most accurate first", (budget, fitting) => {
    const found = withinBudget(budget);
    expect(names(found.fitting)).toBe(fitting);
    expect(found.best).toBe(found.fitting[0]);
  });

  it("of all are sixteen, not in the order of their width", () => {
    expect(names(whole().fitting)).toBe(
      "1.0-224 1.0-192 0.75-224 1.0-160 0.75-192 0.75-160 1.0-128 0.5-224 0.75-128 0.5-192 0.5-160 0.5-128 0.25-224 0.25-192 0.25-160 0.25-128",
    );
  });

  it("the front is of all, whatever fits, the cheapest first", () => {
    const all = whole();
    const front =
      "0.25-128 0.25-160 0.25-192 0.25-224 0.5-128 0.5-160 0.75-128 0.5-192 0.5-224 0.75-160 0.75-192 1.0-160 0.75-224 1.0-192 1.0-224";
    expect(names(all.front).split(" ").sort()).toEqual(front.split(" ").sort());
    expect(names(withinBudget({ bytes: 1 }).front)).toBe(names(all.front));
    // 1.0-128 costs more than 0.75-160 in everything, and is less accurate.
    expect(names(all.front)).not.toContain("1.0-128");
    const costs = all.front.map(({ multAdds }) => multAdds);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  });

  it.each<[object, string]>([
    [{}, "budget"],
    [{ multAdds: undefined }, "budget"],
    [{ multAdds: 0 }, "multAdds"],
    [{ bytes: "1" }, "bytes"],
    [{ activationBytes: Number.NaN }, "activationBytes"],
    [{ parameters: null }, "parameters"],
    [{ flops: 1 }, "flops"],
  ])("%j is none", (budget, option) => {
    const fields = expect.objectContaining({ owner: "withinBudget", option });
    expect(() => withinBudget(budget as never)).toThrow(expect.objectContaining({ code: "OPTION_INVALID", fields }));
  });
});

describe("knownNetworks", () => {
  it("are those of withinBudget under a bound that is none", () => {
    const { candidates, front } = whole();
    expect(knownNetworks()).toEqual({ candidates, front });
    expect(knownNetworks("imagenet")).toEqual({ candidates, front });
    const cifar10 = withinBudget({ multAdds: 1e12, table: "cifar10" });
    expect(knownNetworks("cifar10")).toEqual({ candidates: cifar10.candidates, front: cifar10.front });
  });

  it.each(["coco", null, 1])("refuses %j", (table) => {
    expect(() => knownNetworks(table as never)).toThrow(
      expect.objectContaining({
        code: "OPTION_INVALID",
        message: expect.stringMatching(/^knownNetworks: table: expected one of "imagenet", "cifar10", found /),
      }),
    );
  });
});
