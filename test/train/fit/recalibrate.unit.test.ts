/** Moving statistics measured anew: means over batches, told from plain loops. */

import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { completePreprocessing } from "../../../src/core/preprocessing.ts";
import { batchNorm, conv2d, dense, globalAveragePool, sequential } from "../../../src/layers/index.ts";
import type { Network } from "../../../src/layers/network.ts";
import { createTrainer } from "../../../src/train/create-trainer.ts";
import { batches, dataset } from "../../../src/train/data/index.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import { recalibrateBatchNorm } from "../../../src/train/fit/recalibrate.ts";
import { TRAINING_BACKENDS } from "../training-backends.ts";
import { SIDE, tinyData, tinyModel } from "./tiny.ts";

/** A batch norm of the input itself, through a convolution that copies it. */
function copying() {
  const model = sequential({ inputShape: [SIDE, SIDE, 3] }, [
    conv2d({ name: "copy", filters: 3, kernel: 1, bias: false }),
    batchNorm({ name: "bn" }),
    globalAveragePool(),
    dense({ filters: 3 }),
  ]);
  model.parameters.get("copy/kernel")!.data.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  return model;
}

describe.each(TRAINING_BACKENDS.map((variant) => [variant.name, variant.options] as const))(
  "on %s",
  (_name, backend) => {
    it.each(["biased", "unbiased"] as const)(
      "means of each batch's mean and %s variance, by its examples",
      async (variance) => {
        const model = copying();
        const data = tinyData(20);
        const before = structuredClone(model.parameters);
        const measured = await recalibrateBatchNorm(model, data, { ...backend, batch: 8, variance });
        const input = completePreprocessing(model.inputShape, model.info.preprocessing);
        const means = [0, 0, 0];
        const variances = [0, 0, 0];
        for await (const { x, count } of batches(data, { input, batch: 8, seed: 1 })) {
          for (let c = 0; c < 3; c++) {
            const values = [...x].filter((_, i) => i % 3 === c);
            const mean = values.reduce((sum, value) => sum + value) / values.length;
            const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
            means[c]! += (mean * count) / 20;
            variances[c]! += ((squares / (values.length - (variance === "unbiased" ? 1 : 0))) * count) / 20;
          }
        }
        for (let c = 0; c < 3; c++) {
          expect(measured.parameters.get("bn/moving_mean")!.data[c]).toBeCloseTo(means[c]!, 5);
          expect(measured.parameters.get("bn/moving_variance")!.data[c]).toBeCloseTo(variances[c]!, 5);
        }
        expect(model.parameters).toEqual(before);
        for (const name of ["copy/kernel", "bn/gamma", "dense/kernel"]) {
          expect(measured.parameters.get(name)).toEqual(before.get(name));
        }
      },
    );

    it("do not depend on what they were", async () => {
      const clean = await recalibrateBatchNorm(copying(), tinyData(12), { ...backend, batch: 4 });
      const model = copying();
      model.parameters.get("bn/moving_mean")!.data.fill(Number.POSITIVE_INFINITY);
      model.parameters.get("bn/moving_variance")!.data.fill(Number.NaN);
      const measured = await recalibrateBatchNorm(model, tinyData(12), { ...backend, batch: 4 });
      for (const name of ["bn/moving_mean", "bn/moving_variance"]) {
        expect(measured.parameters.get(name), name).toEqual(clean.parameters.get(name));
      }
    });

    it("are those of the layers before as they are measured too", async () => {
      const measured = await recalibrateBatchNorm(tinyModel(), tinyData(24), { ...backend, batch: 24 });
      // One batch is all data: a step with momentum 0 measures the same.
      using trainer = await createTrainer(tinyModel(), { ...backend, batch: 24, batchNorm: { momentum: 0 } });
      const input = completePreprocessing([SIDE, SIDE, 3]);
      for await (const { x, labels } of batches(tinyData(24), { input, batch: 24, seed: 1 }))
        await trainer.step(x, labels!);
      const parameters = await trainer.parameters();
      for (const [name, { data }] of measured.parameters) {
        if (name.includes("moving")) expect(parameters.get(name)!.data, name).toEqual(data);
      }
    });
  },
);

it("takes some of the examples, of all classes, or fewer than a batch", async () => {
  const some = await recalibrateBatchNorm(copying(), tinyData(60), { examples: 12, batch: 32 });
  const taken = await recalibrateBatchNorm(copying(), tinyData(60).take(12), { batch: 12 });
  expect(some.parameters).toEqual(taken.parameters);
});

it("reads as it is told, and a run's averages as the run does", async () => {
  const raw = { width: 200, height: 200, channels: 3 } as const;
  const large = new Uint8Array(
    await sharp(new Uint8Array(200 * 200 * 3).fill(255), { raw })
      .png()
      .toBuffer(),
  );
  const given = tinyData(8);
  const images = await Promise.all(Array.from({ length: 8 }, async (_, n) => (await given.at(n)).image));
  const of = (indices: readonly number[]) =>
    dataset(indices.map((n) => ({ image: n === 0 ? large : images[n]!, label: n % 3 })));
  const [all, fitting] = [await of([0, 1, 2, 3, 4, 5, 6, 7]), await of([1, 2, 3, 4, 5, 6, 7])];
  const [some, expected] = await Promise.all([
    recalibrateBatchNorm(copying(), all, { batch: 8, maxPixels: 10_000, concurrency: 1 }),
    recalibrateBatchNorm(copying(), fitting, { batch: 7 }),
  ]);
  const meanOf = (model: Network) => [...model.parameters.get("bn/moving_mean")!.data];
  for (const [c, mean] of meanOf(some).entries()) expect(mean).toBeCloseTo(meanOf(expected)[c]!, 5);
  const throwing = recalibrateBatchNorm(copying(), all, { batch: 8, maxPixels: 10_000, onUnreadable: "throw" });
  await expect(throwing).rejects.toMatchObject({ code: "IMAGE_TOO_LARGE" });
  const options = { epochs: 1, batch: 8, maxPixels: 10_000, averageDecay: 0.9, rateFactor: () => 0 };
  const { model, history } = await fit(copying(), all, options).done;
  expect(history[0]).toMatchObject({ examples: 7, skipped: 1 });
  for (const [c, mean] of meanOf(model).entries()) expect(mean).toBeCloseTo(meanOf(expected)[c]!, 5);
});

it("gives a network without batch norm back as it is, and data of one class their statistics", async () => {
  const plain = sequential({ inputShape: [SIDE, SIDE, 3] }, [globalAveragePool(), dense({ filters: 3 })]);
  expect(await recalibrateBatchNorm(plain, tinyData(12))).toBe(plain);
  const one = await recalibrateBatchNorm(copying(), tinyData(12, { classes: 1 }), { batch: 4 });
  expect(one.parameters.get("bn/moving_variance")!.data[0]).not.toBe(1);
});

it("refuses what it cannot use", async () => {
  await expect(recalibrateBatchNorm(copying(), tinyData(12), { batches: 3 } as never)).rejects.toThrow(
    /unknown option "batches"/,
  );
  await expect(recalibrateBatchNorm(copying(), tinyData(12), { examples: 0 })).rejects.toThrow(
    /examples: expected a positive/,
  );
  for (const none of [undefined, null, [], {}]) {
    await expect(recalibrateBatchNorm(copying(), none as never)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(/^recalibrateBatchNorm: data: expected a data set/),
    });
  }
  await expect(recalibrateBatchNorm(copying(), tinyData(12), { seed: -1 })).rejects.toThrow(
    /seed: expected an integer/,
  );
  const signal = AbortSignal.abort(new Error("no"));
  await expect(recalibrateBatchNorm(copying(), tinyData(12), { signal })).rejects.toThrow("no");
});
