/** A step whose numbers are not finite: which layer is named, and what stays as it was. */

import { describe, expect, it, vi } from "vitest";
import type { BoundTraining } from "../../src/backends/training/bound-training.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  globalAveragePool,
  pointwise,
  sequential,
} from "../../src/layers/index.ts";
import type { Network } from "../../src/layers/network.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { adam, sgd } from "../../src/train/optimizers.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

/** What trainers hold: one whose step has failed tells it no more. */
const { bounds, kept } = vi.hoisted(() => {
  const all: BoundTraining[] = [];
  const keep = <Args extends unknown[]>(bind: (...args: Args) => BoundTraining | Promise<BoundTraining>) => {
    return async (...args: Args) => {
      const bound = await bind(...args);
      all.push(bound);
      return bound;
    };
  };
  return { bounds: all, kept: keep };
});
vi.mock("../../src/backends/training/reference-training.ts", async (original) => {
  const { referenceTraining } = await original<typeof import("../../src/backends/training/reference-training.ts")>();
  return { referenceTraining: kept(referenceTraining) };
});
vi.mock("../../src/backends/training/wasm-training.ts", async (original) => {
  const all = await original<typeof import("../../src/backends/training/wasm-training.ts")>();
  return { ...all, wasmTraining: kept(all.wasmTraining) };
});

/** The numbers of a trainer by their names: parameters that a step updates, and what is kept of them. */
async function updatedOf(trainer: Trainer) {
  const bound = bounds.at(-1)!;
  const names = [...(await trainer.state()).tensors.keys()].filter((name) => !name.includes("moving"));
  return () => new Map(names.map((name) => [name, bound.read(name)]));
}

const SIDE = 6;

function model(withNorm = true): Network {
  const norm = (name: string) => (withNorm ? [batchNorm({ name })] : []);
  return sequential({ name: "net", inputShape: [SIDE, SIDE, 3] }, [
    conv2d({ name: "one", filters: 8, kernel: 3, padding: "same", bias: false }),
    ...norm("one_bn"),
    activation("relu"),
    depthwise({ name: "two", kernel: 3, padding: "same", bias: false }),
    ...norm("two_bn"),
    activation("relu"),
    pointwise({ name: "three", filters: 8, bias: false }),
    ...norm("three_bn"),
    activation("relu"),
    globalAveragePool(),
    dense({ name: "four", filters: 3 }),
  ]);
}

const x = Float32Array.from({ length: 4 * SIDE * SIDE * 3 }, (_, i) => Math.sin(i));
const labels = [0, 1, 2, 0];

/** The same network, with one parameter so large that sums of products with it have no end. */
function withHuge(network: Network, parameter: string): Network {
  network.parameters.get(parameter)!.data.fill(3.4e38);
  return network;
}

describe.each(TRAINING_BACKENDS.map((variant) => [variant.name, variant.options] as const))(
  "on %s",
  (_name, backend) => {
    it.each(["one/kernel", "two/depthwise_kernel", "three/kernel", "four/kernel"])(
      "the first layer that overflows is named: %s",
      async (parameter) => {
        for (const network of [model(), model(false)]) {
          using trainer = await createTrainer(withHuge(network, parameter), {
            ...backend,
            optimizer: adam({}),
            averageDecay: 0.9,
          });
          const before = await trainer.state();
          const failed = await trainer.step(x, labels).catch((error: unknown) => error);
          expect(failed).toMatchObject({
            code: "VALUES_NOT_FINITE",
            fields: { layer: parameter.split("/")[0], update: 0, learningRate: 0.001 },
          });
          // Nothing is used of it, until the state is one that is known.
          await expect(trainer.step(x, labels)).rejects.toBe(failed);
          await expect(trainer.state()).rejects.toBe(failed);
          await trainer.restore(before);
          expect(await trainer.state()).toEqual(before);
        }
      },
    );

    it("the input, and a parameter that was no number before", async () => {
      const broken = x.slice();
      broken[5] = Number.NaN;
      using trainer = await createTrainer(model(), backend);
      await expect(trainer.step(broken, labels)).rejects.toThrow(
        /net: update 0: the input of the network: expected finite/,
      );
      const network = model();
      network.parameters.get("two_bn/gamma")!.data[3] = Number.POSITIVE_INFINITY;
      using other = await createTrainer(network, backend);
      await expect(other.step(x, labels)).rejects.toMatchObject({
        fields: { layer: "two_bn" },
        message: expect.stringContaining('parameter "two_bn/gamma": expected finite numbers, found Infinity'),
      });
    });

    it("a gradient alone: no parameter is updated, nor what the optimizer keeps", async () => {
      // The activations of the last layer are finite, its gradients times the next one's weights are not.
      const network = model();
      const { data } = network.parameters.get("four/kernel")!;
      data.fill(0);
      for (let i = 0; i < 3; i++) data[i] = i === 0 ? 3e38 : -3e38;
      network.parameters.get("three_bn/gamma")!.data[0] = 0;
      network.parameters.get("three_bn/beta")!.data[0] = 1e-37;
      using trainer = await createTrainer(network, {
        ...backend,
        optimizer: sgd({ momentum: 0.9 }),
        averageDecay: 0.5,
      });
      const held = await updatedOf(trainer);
      const before = held();
      const failed = await trainer.step(x, [1, 2, 1, 2]).then(
        (result): unknown => result,
        (error: unknown) => error,
      );
      expect(held()).toEqual(before);
      expect(failed).toMatchObject({
        code: "VALUES_NOT_FINITE",
        message: expect.stringContaining("backward: gradient("),
      });
      const { loss, gradientNorm } = (failed as { fields: { loss: number; gradientNorm: number } }).fields;
      expect(loss).toBeLessThan(100);
      expect(Number.isFinite(gradientNorm)).toBe(false);
    });

    it("a loss alone: no parameter is updated, nor what the optimizer keeps", async () => {
      const network = model();
      network.parameters.get("four/bias")!.data.set([-3e38, 3e38, 0]);
      using trainer = await createTrainer(network, { ...backend, optimizer: adam({}), averageDecay: 0.5 });
      const held = await updatedOf(trainer);
      const before = held();
      const failed = await trainer.step(x, [0, 1, 1, 1]).catch((error: unknown) => error);
      expect(failed).toMatchObject({
        code: "VALUES_NOT_FINITE",
        message: expect.stringContaining("No parameter was updated"),
        fields: { loss: Number.POSITIVE_INFINITY },
      });
      expect(held()).toEqual(before);
    });

    it("a loss whose gradient reaches no parameter that is trained: nothing is said of it that is not so", async () => {
      const network = model();
      network.parameters.get("four/bias")!.data.set([-3e38, 3e38, 0]);
      // All of them negative, and a ReLU behind.
      network.parameters.get("three_bn/beta")!.data.fill(-1e6);
      const train = ["three/kernel"];
      using trainer = await createTrainer(network, { ...backend, train, batchNorm: { mode: "frozen" } });
      const failed = await trainer.step(x, labels).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: "VALUES_NOT_FINITE" });
      const { gradientNorm } = (failed as { fields: { gradientNorm: number } }).fields;
      if (Number.isFinite(gradientNorm)) expect(String(failed)).not.toContain("No parameter was updated");
    });

    it("of a batch in parts, whichever part it is", async () => {
      using trainer = await createTrainer(model(), { ...backend, batch: 4, accumulate: 4 });
      const broken = x.slice();
      broken[broken.length / 2 + 1] = Number.NEGATIVE_INFINITY;
      await expect(trainer.step(broken, labels)).rejects.toMatchObject({ fields: { layer: "input" } });
    });
  },
);
