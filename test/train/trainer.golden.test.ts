/** All golden runs of training, on every backend. */

import { afterAll, describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import { compile } from "../../src/session/compile.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { largestDifference } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { type GoldenRun, goldenLabels, goldenNetwork, goldenTensor, goldenTraining } from "./golden-run.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

describeShared("golden runs of training", () => {
  const golden = sharedRoot === undefined ? undefined : goldenTraining();
  const runs: readonly GoldenRun[] = golden?.runs ?? [];

  describe.each(TRAINING_BACKENDS.map((variant) => [variant.name, variant] as const))("on %s", (_name, variant) => {
    let passed = 0;
    it.each(runs.map((run) => [run.name, run] as const))("%s", async (_run, run) => {
      if (golden === undefined) return;
      const model = goldenNetwork(golden);
      const images = goldenTensor(golden.data.images);
      const labels = goldenLabels(golden);
      using trainer = await createTrainer(model, {
        batch: 8,
        optimizer: run.optimizer,
        schedule: run.schedule,
        ...run.options,
        ...variant.options,
      });
      for (const [index, loss] of run.loss.entries()) {
        const result = await trainer.step(images, labels);
        expect(result.learningRate).toBeCloseTo(run.learningRates[index]!, 12);
        expect(Math.abs(result.loss - loss)).toBeLessThanOrEqual(run.tolerance["loss"]!);
        expect(Math.abs(result.gradientNorm - run.gradientNorm[index]!)).toBeLessThanOrEqual(
          run.tolerance["gradientNorm"]!,
        );
      }
      const parameters = await trainer.parameters();
      const tolerances = run.tolerance;
      for (const [name, reference] of Object.entries({ ...run.parameters, ...run.moving })) {
        const difference = largestDifference(parameters.get(name)!.data, goldenTensor(reference).data);
        expect(difference, name).toBeLessThanOrEqual(tolerances[name]!);
      }
      if (run.average !== undefined) {
        const averages = await trainer.averages();
        for (const [name, reference] of Object.entries(run.average)) {
          const difference = largestDifference(averages.get(name)!.data, goldenTensor(reference).data);
          expect(difference, `average:${name}`).toBeLessThanOrEqual(tolerances[`average:${name}`]!);
        }
      }
      for (const [name, value] of parameters) model.parameters.set(name, value);
      using session = await compile(model, { batch: 8 });
      const { logits } = await session.run(tensor(images.data as Float32Array, images.shape));
      const expected = goldenTensor(run.inferenceLogits).data;
      expect(largestDifference(logits.data, expected)).toBeLessThanOrEqual(run.tolerance["inferenceLogits"]!);
      passed++;
    });
    afterAll(() => {
      expect(passed).toBe(golden?.counts.runs);
    });
  });
});
