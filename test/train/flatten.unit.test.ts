/** A dense layer behind a flattened batch norm sees other channels than the norm has. */

import { describe, expect, it } from "vitest";
import { activation, batchNorm, conv2d, dense, flatten, sequential } from "../../src/layers/index.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { sgd } from "../../src/train/optimizers.ts";
import { constant } from "../../src/train/schedules.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

const x = Float32Array.from({ length: 4 * 16 }, (_, i) => Math.sin(3 * i));
const labels = [0, 1, 1, 0];

function model() {
  const made = sequential({ inputShape: [4, 4, 1] }, [
    conv2d({ name: "conv", filters: 4, kernel: 3, stride: 2, padding: "same" }),
    batchNorm({ name: "bn" }),
    activation("relu"),
    flatten(),
    dense({ name: "head", filters: 2 }),
  ]);
  made.parameters.get("bn/beta")!.data.set([0.5, 0.1, -0.2, 0.3]);
  made.parameters.get("bn/moving_mean")!.data.set([0.1, -0.3, 0.2, 0.05]);
  return made;
}

describe.each(TRAINING_BACKENDS.map((variant) => [variant.name, variant.options] as const))(
  "on %s",
  (_name, backend) => {
    it("its loss is that of a run, its gradients those of differences", async () => {
      const rate = 1e-3;
      const options = { ...backend, batch: 4, optimizer: sgd({ momentum: 0 }), schedule: constant({ rate }) };
      const frozen = { ...options, batchNorm: { mode: "frozen" } } as const;
      const network = model();
      using trainer = await createTrainer(network, frozen);
      const { loss } = await trainer.evaluate(x, labels);
      const stepped = await trainer.step(x, labels);
      expect(stepped.loss).toBeCloseTo(loss, 5);
      const after = await trainer.parameters();
      for (const [name, index] of [
        ["head/kernel", 5],
        ["head/bias", 1],
        ["conv/kernel", 7],
        ["bn/gamma", 2],
        ["bn/beta", 0],
      ] as const) {
        const lossAt = async (shift: number) => {
          const moved = structuredClone(network.parameters);
          moved.get(name)!.data[index]! += shift;
          return (await trainer.evaluate(x, labels, { parameters: moved })).loss;
        };
        const gradient = ((await lossAt(1e-3)) - (await lossAt(-1e-3))) / 2e-3;
        const before = network.parameters.get(name)!.data[index]!;
        expect((before - after.get(name)!.data[index]!) / rate, name).toBeCloseTo(gradient, 2);
      }
    });

    it("by the statistics of the batch it has the loss that the reference has", async () => {
      const options = { batch: 4, optimizer: sgd({ momentum: 0 }), schedule: constant({ rate: 0.01 }) };
      using trainer = await createTrainer(model(), { ...options, ...backend });
      using reference = await createTrainer(model(), { ...options, backend: "reference" });
      for (let step = 0; step < 5; step++) {
        const { loss, gradientNorm } = await trainer.step(x, labels);
        const expected = await reference.step(x, labels);
        expect(loss).toBeCloseTo(expected.loss, 5);
        expect(gradientNorm).toBeCloseTo(expected.gradientNorm, 4);
      }
    });
  },
);
