/** No text leaves its picture, and none covers another: over random networks, sizes and budgets, in both languages. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  drawAccuracy,
  drawCost,
  drawFront,
  drawNetwork,
  drawSeparable,
  PICTURE_LANGUAGES,
  type Picture,
} from "../../src/draw/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { maxPool, pointwise, sequential } from "../../src/layers/index.ts";
import { branching, randomNetwork } from "./networks.ts";
import { outside, overlapping, textsOf } from "./texts.ts";

function expectReadable(picture: Picture): void {
  const texts = textsOf(picture);
  expect(texts.length).toBeGreaterThan(2);
  expect(outside(picture, texts)).toEqual([]);
  expect(overlapping(texts)).toEqual([]);
}

describe.each(PICTURE_LANGUAGES)("in the language %s", (language) => {
  it("what layers cost", () => {
    fc.assert(
      fc.property(randomNetwork, fc.constantFrom("paper", "keras", "thop", "hardware"), (network, convention) => {
        expectReadable(drawCost(network, { convention, language }));
      }),
      { numRuns: 60 },
    );
  });

  it("the longest numbers, behind the longest bars", () => {
    const [narrow, wide, last] = [2, 8.5e11, 2000].map((filters) => pointwise({ filters, bias: false }));
    // The layer with most mult-adds has few of all parameters: its number there stands at the left.
    const layers = [narrow, wide, maxPool({ kernel: 45, stride: 45 }), last].flatMap((layer) => layer ?? []);
    expectReadable(drawCost(sequential({ inputShape: [45, 45, 1] }, layers), { language }));
  });

  it("networks", () => {
    fc.assert(
      fc.property(randomNetwork, (network) => expectReadable(drawNetwork(network, { language }))),
      { numRuns: 60 },
    );
    for (const network of [branching(), mobileNetV1(), mobileNetV1({ alpha: 0.25, shallow: true })])
      expectReadable(drawNetwork(network, { language }));
  });

  it("separable convolutions", () => {
    const count = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 1e15 }));
    const small = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        fc.record({
          ...{ kernelSize: small, inputChannels: count, filters: count, size: fc.integer({ min: 40, max: 4096 }) },
          ...{ stride: small, multiplier: small, padding: fc.constantFrom("same" as const, "valid" as const) },
        }),
        (sizes) => expectReadable(drawSeparable({ ...sizes, language })),
      ),
    );
  });

  it("fronts, whatever the budget", () => {
    const bound = fc.integer({ min: 1, max: 2_000_000_000 });
    const budget = fc
      .record({ multAdds: bound, parameters: bound, bytes: bound, activationBytes: bound }, { requiredKeys: [] })
      .filter((bounds) => Object.keys(bounds).length > 0);
    fc.assert(
      fc.property(budget, (bounds) => expectReadable(drawFront({ budget: bounds, language }))),
      { numRuns: 20 },
    );
    for (const table of ["imagenet", "cifar10"] as const) expectReadable(drawFront({ table, language }));
  });

  it.each(["imagenet", "cifar10"] as const)("accuracies of %s", (table) => {
    for (const against of ["multAdds", "parameters"] as const)
      expectReadable(drawAccuracy({ table, against, language }));
  });
});
