/** No word that nobody shows: pictures of all kinds are drawn, and each word is asked for. */

import { expect, it, vi } from "vitest";
import { BUDGET_TABLES, CONVENTIONS, conventionNames } from "../../src/cost/index.ts";
import { drawAccuracy, drawCost, drawFront, drawNetwork, drawSeparable } from "../../src/draw/index.ts";
import { activation, batchNorm, conv2d, sequential } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { branching } from "./networks.ts";

const seen = vi.hoisted(() => ({ all: new Set<string>(), asked: new Set<string>() }));

vi.mock("../../src/draw/words/en.ts", async (original) => {
  /** Knows all of its words at once, and notes those that are asked for. */
  const watched = (words: object, path: string): object => {
    const inner = new Map<string | symbol, object>();
    for (const [key, word] of Object.entries(words)) {
      if (typeof word === "object") inner.set(key, watched(word, `${path}${key}.`));
      else seen.all.add(`${path}${key}`);
    }
    return new Proxy(words, {
      get: (of, key) => {
        seen.asked.add(`${path}${String(key)}`);
        return inner.get(key) ?? Reflect.get(of, key);
      },
    });
  };
  const { EN } = await original<typeof import("../../src/draw/words/en.ts")>();
  return { EN: watched(EN, "") };
});

it("shows every word in some picture", () => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 128 });
  const long = Array.from({ length: 400 }, () => conv2d({ filters: 1, kernel: 1 }));
  for (const convention of conventionNames) drawCost(model, { convention });
  drawCost(model, { convention: { ...CONVENTIONS.paper, operations: {}, parameters: {} } });
  const unseen = [activation("relu"), batchNorm(), activation("relu")];
  for (const network of [
    model,
    branching(),
    ...[long, unseen].map((one) => sequential({ inputShape: [4, 4, 1] }, one)),
  ]) {
    drawCost(network);
    drawNetwork(network);
  }
  for (const sizes of [{}, { filters: 1 }, { stride: 2, multiplier: 2 }]) drawSeparable(sizes);
  const bounds = { multAdds: 1e8, parameters: 1e6, bytes: 1e7, activationBytes: 1e7 };
  for (const table of BUDGET_TABLES) {
    for (const given of [{}, { budget: bounds }, { budget: { multAdds: 1 } }]) drawFront({ table, ...given });
    for (const against of ["multAdds", "parameters"] as const) drawAccuracy({ table, against });
  }
  // Of a table that is still empty.
  const unsaid = "nothingMeasured";
  expect([...seen.all].filter((path) => !seen.asked.has(path) && path !== unsaid)).toEqual([]);
  expect(seen.all.size).toBeGreaterThan(60);
});
