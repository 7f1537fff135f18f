/** Batch norm by a batch that has one value a channel: refused before anything changes. */

import { describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  flatten,
  globalAveragePool,
  sequential,
} from "../../src/layers/index.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { arrays } from "../../src/train/data/arrays.ts";
import { fit } from "../../src/train/fit/fit.ts";
import { smallestPart } from "../../src/train/single-value.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

/** Its last batch norm sees one pixel of each example. */
const model = () =>
  sequential({ name: "narrow", inputShape: [4, 4, 1] }, [
    conv2d({ filters: 4, kernel: 3, stride: 2, padding: "same" }),
    batchNorm({ name: "wide" }),
    activation("relu"),
    conv2d({ filters: 4, kernel: 2, padding: "valid" }),
    batchNorm({ name: "narrowest" }),
    flatten(),
    dense({ filters: 2 }),
  ]);
const x = (count: number) => Float32Array.from({ length: 16 * count }, (_, i) => Math.sin(i));
const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 2);
const data = (count: number) => arrays(tensor(x(count), [count, 4, 4, 1]), labels(count));

describe.each(TRAINING_BACKENDS.map((variant) => [variant.name, variant.options] as const))(
  "on %s",
  (_name, backend) => {
    it("names the layer and the reason, and leaves all as it was", async () => {
      using trainer = await createTrainer(model(), { ...backend, batch: 4 });
      await trainer.step(x(4), labels(4));
      const before = await trainer.state();
      await expect((async () => trainer.step(x(1), [0]))()).rejects.toMatchObject({
        code: "NETWORK_INVALID",
        fields: { layer: "narrowest", examples: 1 },
        message: expect.stringMatching(/layer "narrowest": batch norm over a batch of 1: expected at least two values/),
      });
      expect(await trainer.state()).toEqual(before);
      await trainer.step(x(2), labels(2));
      expect(await trainer.evaluate(x(1), [0])).toMatchObject({ examples: 1 });
    });

    it("is no matter where batch norm is frozen", async () => {
      using trainer = await createTrainer(model(), { ...backend, batch: 4, batchNorm: { mode: "frozen" } });
      expect((await trainer.step(x(1), [0])).loss).toBeGreaterThan(0);
    });
  },
);

it("looks at the parts that a batch is computed in", async () => {
  expect([4, 5, 6, 7].map((examples) => smallestPart(examples, 3))).toEqual([2, 1, 2, 1]);
  expect([1, 2, 3].map((examples) => smallestPart(examples, 3))).toEqual([1, 1, 1]);
  using trainer = await createTrainer(model(), { batch: 6, accumulate: 3 });
  await trainer.step(x(6), labels(6));
  await expect((async () => trainer.step(x(5), labels(5)))()).rejects.toThrow(/a batch of 5, computed in 3 parts/);
});

describe("fit", () => {
  it("refuses data whose last batch would be so, before it begins", async () => {
    const run = fit(model(), data(9), { batch: 4, epochs: 1 });
    await expect(run.done).rejects.toMatchObject({
      code: "NETWORK_INVALID",
      fields: { layer: "narrowest", examples: 1 },
    });
    expect((await fit(model(), data(10), { batch: 4, epochs: 1 }).done).history[0]!.examples).toBe(10);
  });

  it("leaves one example out whose fellows could not be read", async () => {
    const broken = data(10).map(({ image }, index) => (index === 3 ? Uint8Array.of(1) : image));
    const { history } = await fit(model(), broken, { batch: 2, epochs: 1 }).done;
    expect(history[0]).toMatchObject({ examples: 8, skipped: 2 });
  });

  it("trains a network without batch norm on one example at a time", async () => {
    const plain = sequential({ inputShape: [4, 4, 1] }, [
      conv2d({ filters: 4, kernel: 3 }),
      globalAveragePool(),
      dense({ filters: 2 }),
    ]);
    expect((await fit(plain, data(3), { batch: 1, epochs: 1 }).done).history[0]!.examples).toBe(3);
  });
});
