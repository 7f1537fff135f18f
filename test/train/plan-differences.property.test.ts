/** @slow: each parameter of each network is moved four times. */

/**
 * The gradients of whole networks against differences: a part of a gradient that a plan forgets is forgotten on every
 * backend alike. Each parameter is moved along its own gradient, up which the loss climbs by its length.
 */

import fc from "fast-check";
import { expect, it } from "vitest";
import { referenceTraining } from "../../src/backends/training/reference-training.ts";
import { Breath } from "../../src/core/breath.ts";
import { trainingPlan } from "../../src/plan/training/training-plan.ts";
import { gradientOf, LOSSES, RANDOM, TARGETS } from "../../src/plan/training/training-step.ts";
import { rounds, seedOf } from "../fuzz.ts";
import { recipe } from "../golden/vectors.ts";
import { networkOf, trainingCase } from "./random-training.ts";

/** The loss changes by this much on the way: thousands of times what float32 rounds of it. */
const CLIMB = 4e-3;
/** Where the slope is another one ahead than behind, near than far, there is a kink or a bend, and it says nothing. */
const BEND = 0.03;
/** A forgotten part is missed by tens of percent, one of two readers by half. */
const TOLERANCE = 0.03;

it("of random networks are those that differences give, of every parameter and of the input", async () => {
  let checked = 0;
  let bent = 0;
  const property = fc.asyncProperty(trainingCase, async (one) => {
    const model = networkOf(one);
    const { batch, classes, seed } = one;
    const lone = model.layers.some(
      ({ name, type }) =>
        type === "batchNorm" &&
        batch *
          model.shapes
            .get(name)!
            .slice(0, -1)
            .reduce((a, b) => a * b, 1) <
          4,
    );
    const plan = trainingPlan(model, batch, {
      target: model.outputs.logits,
      trains: ({ trainable }) => trainable,
      momentum: 0.9,
      variance: "biased",
      loss: "softmaxCrossEntropy",
      inputGradient: true,
      normMode: () => (one.isFrozen || lone ? "frozen" : "batch"),
    });
    const bound = referenceTraining(plan);
    const targets = new Float32Array(batch * classes);
    for (let n = 0; n < batch; n++) targets[n * classes + ((seed + 7 * n) % classes)] = 1;
    const values: Record<string, Float32Array> = {
      [plan.input]: recipe([batch, ...one.inputShape], seed + 1, -1, 1).data,
      [TARGETS]: targets,
    };
    for (const name of plan.parameters) values[name] = model.parameters.get(name)!.data;
    const loss = async (moved: Readonly<Record<string, Float32Array>>): Promise<number> => {
      bound.write({ ...values, ...moved, ...(plan.values.has(RANDOM) ? { [RANDOM]: Uint32Array.of(seed, 0) } : {}) });
      await bound.run(batch, { adds: false, scale: 1, updates: false, breath: new Breath(performance.now()) });
      return bound.read(LOSSES, batch).reduce((a, b) => a + b, 0) / batch;
    };
    const start = await loss({});
    const gradients = new Map([...plan.gradients].map(([name, gradient]) => [name, bound.read(gradient)]));
    gradients.set(plan.input, bound.read(gradientOf(plan.input), batch));
    for (const [name, gradient] of gradients) {
      const length = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      expect(length, name).not.toBeNaN();
      // Along a gradient as small as this one has to go so far that much else happens.
      if (length < 0.01) continue;
      const move = (by: number) =>
        loss({ [name]: values[name]!.map((value, i) => value + (by * gradient[i]!) / length) });
      const by = CLIMB / length;
      const slopes = [];
      for (const way of [by, -by, by / 5, -by / 5]) slopes.push(((await move(way)) - start) / way);
      const slope = slopes.reduce((a, b) => a + b) / slopes.length;
      const bend = Math.max(...slopes) - Math.min(...slopes);
      if (bend > BEND * length) bent++;
      else {
        checked++;
        expect(Math.abs(slope - length) / length, `${name}: ${length}, not ${slope}`).toBeLessThanOrEqual(TOLERANCE);
      }
    }
  });
  await fc.assert(property, {
    seed: seedOf(20170417),
    numRuns: rounds(80),
  });
  expect(checked).toBeGreaterThan(bent);
});
