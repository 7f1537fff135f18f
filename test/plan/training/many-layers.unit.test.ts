/** Planning takes time in proportion to layers: what is kept looks for no place among what comes and goes. */

import { expect, it } from "vitest";
import { network } from "../../../src/layers/network.ts";
import { trainingPlan } from "../../../src/plan/training/training-plan.ts";
import { updateSteps } from "../../../src/plan/training/update-steps.ts";

it("800 layers with batch norms, optimizer and averages are planned in seconds; it took half a minute", () => {
  const layers = Array.from({ length: 800 }, (_, i) => [
    { name: `p${i}`, type: "pointwiseConv2d", attributes: { filters: 4, bias: false } },
    { name: `b${i}`, type: "batchNorm" },
    { name: `r${i}`, type: "activation", attributes: { function: "relu6" } },
  ]).flat();
  const deep = network({
    inputShape: [4, 4, 3],
    layers: [
      ...layers,
      { name: "pool", type: "globalAveragePool" },
      { name: "head", type: "dense", attributes: { filters: 3 } },
    ],
    outputs: { logits: "head" },
  });
  const rule = { type: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, form: "torch" } as const;
  const start = performance.now();
  const plan = trainingPlan(
    deep,
    4,
    {
      target: "head",
      trains: ({ trainable }) => trainable,
      momentum: 0.9,
      variance: "biased",
      loss: "softmaxCrossEntropy",
    },
    (list) => updateSteps(list, deep.parameterInfo, { rule, decay: () => 0, rateFactor: () => 1, average: true }),
  );
  expect(performance.now() - start).toBeLessThan(8000);
  expect(plan.values.size).toBeGreaterThan(16_000);
});
