/** The trainer: what a step tells, state and restore, a profile, its queue, its end. */

import { describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { adam, rmsprop, sgd } from "../../src/train/optimizers.ts";
import { cosine } from "../../src/train/schedules.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { recipe } from "../golden/vectors.ts";
import { CLASSES, labelsOf, pictures, smallNetwork } from "./small-network.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

const BATCH = 6;

const step = (trainer: Trainer, seed: number, count = BATCH) =>
  trainer.step(pictures(count, seed), labelsOf(count, seed));

/** All numbers of a trainer, to the bit. */
async function bitsOf(trainer: Trainer): Promise<ReadonlyMap<string, Float32Array>> {
  const { tensors } = await trainer.state();
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}

describe.each(TRAINING_BACKENDS.map((variant) => [variant.name, variant.options] as const))(
  "a trainer on %s",
  (_, on) => {
    const make = (options: TrainerOptions = {}, rate = 0.4) =>
      createTrainer(smallNetwork({ rate }), { batch: BATCH, ...on, ...options });

    it.each([
      ["sgd", sgd({ momentum: 0.9, nesterov: true }), 1],
      ["rmsprop", rmsprop({ momentum: 0.9 }), 1],
      ["adam", adam(), 1],
      ["sgd in two parts", sgd({ momentum: 0.9 }), 2],
    ])(
      "goes on from a state of its own, and of another, with the same bits: %s",
      async (_name, optimizer, accumulate) => {
        const options = {
          optimizer,
          accumulate,
          averageDecay: 0.9,
          clipNorm: 1,
          schedule: cosine({ rate: 0.05, steps: 8 }),
        };
        using trainer = await make(options);
        for (const seed of [1, 2, 3]) await step(trainer, seed);
        const state = await trainer.state();
        const expected = [];
        for (const [seed, count] of [
          [4, BATCH],
          [5, 3],
          [6, BATCH],
        ] as const)
          expected.push(await step(trainer, seed, count));
        const end = await bitsOf(trainer);
        await trainer.restore(state);
        using other = await make(options);
        await step(other, 9);
        await other.restore(structuredClone(state));
        for (const resumed of [trainer, other]) {
          expect(resumed.updates).toBe(3);
          const found = [];
          for (const [seed, count] of [
            [4, BATCH],
            [5, 3],
            [6, BATCH],
          ] as const)
            found.push(await step(resumed, seed, count));
          expect(found).toEqual(expected);
          expect(await bitsOf(resumed)).toEqual(end);
        }
      },
    );

    it("leaves no trace of a profile, and tells the time of every part", async () => {
      const options = { averageDecay: 0.9 };
      using trainer = await make(options);
      using other = await make(options);
      for (const one of [trainer, other]) await step(one, 1);
      const { milliseconds, parts } = await trainer.profile(pictures(BATCH, 7), labelsOf(BATCH), { runs: 3 });
      expect(milliseconds).toBeGreaterThan(0);
      expect(parts.reduce((sum, part) => sum + part.milliseconds, 0)).toBeCloseTo(milliseconds, 6);
      expect(new Set(parts.map(({ phase }) => phase))).toEqual(new Set(["forward", "loss", "backward", "update"]));
      expect(new Set(parts.map(({ kind }) => kind))).toEqual(new Set(["product", "depthwise", "norm", "other"]));
      expect(trainer.updates).toBe(1);
      expect(await step(trainer, 2)).toEqual(await step(other, 2));
      expect(await bitsOf(trainer)).toEqual(await bitsOf(other));
    });

    it("does what waits with what was there at the call", async () => {
      using trainer = await make();
      using other = await make();
      const expected = [await step(other, 1), await step(other, 2, 4)];
      const [x, y] = [pictures(BATCH, 1) as FloatTensor, pictures(4, 2) as FloatTensor];
      const [first, second] = [labelsOf(BATCH, 1), Int32Array.from(labelsOf(4, 2))];
      const waiting = [trainer.step(x, first), trainer.step(y, second)];
      x.data.fill(Number.NaN);
      first.fill(99);
      second.fill(99);
      structuredClone(y.data, { transfer: [y.data.buffer] });
      expect(await Promise.all(waiting)).toEqual(expected);
    });

    it("takes memory that is shared, a part of another, doubles and bytes", async () => {
      using trainer = await make();
      const state = await trainer.state();
      const { data, shape } = pictures(BATCH, 1) as FloatTensor;
      const expected = await step(trainer, 1);
      const shared = new Float32Array(new SharedArrayBuffer(4 * data.length));
      shared.set(data);
      const part = new Float32Array(data.length + 9).fill(Number.NaN);
      part.set(data, 5);
      for (const x of [
        shared,
        part.subarray(5, 5 + data.length),
        Float64Array.from(data),
        { ...tensor(data, shape) },
      ]) {
        await trainer.restore(state);
        expect(await trainer.step(x, Uint8Array.from(labelsOf(BATCH, 1)))).toEqual(expected);
      }
    });

    it("counts the right ones, and tells loss and rate as they were before the update", async () => {
      using trainer = await make({ schedule: cosine({ rate: 0.1, steps: 4 }) }, 0);
      const x = pictures(BATCH, 3);
      const labels = labelsOf(BATCH, 3);
      const rates = [];
      for (let i = 0; i < 5; i++) {
        const { loss, correct, examples, learningRate, gradientNorm } = await trainer.step(x, labels);
        expect(loss).toBeGreaterThan(0);
        expect(gradientNorm).toBeGreaterThan(0);
        expect(correct).toBeGreaterThanOrEqual(0);
        expect(correct).toBeLessThanOrEqual(examples);
        expect(examples).toBe(BATCH);
        rates.push(learningRate);
      }
      expect(rates.map((rate) => Math.round(rate * 1e6) / 1e6)).toEqual([0.1, 0.085355, 0.05, 0.014645, 0]);
      expect(trainer.updates).toBe(5);
    });

    it("leaves the network as it was, and gives parameters of their own", async () => {
      const model = smallNetwork();
      const before = structuredClone(model.parameters);
      using trainer = await createTrainer(model, { batch: BATCH, ...on });
      await step(trainer, 1);
      expect(model.parameters).toEqual(before);
      const given = await trainer.parameters();
      const again = await trainer.parameters();
      expect([...given.keys()]).toEqual([...model.parameterInfo.keys()]);
      expect(given.get("conv/kernel")).not.toEqual(before.get("conv/kernel"));
      given.get("conv/kernel")!.data.fill(Number.NaN);
      expect((await trainer.parameters()).get("conv/kernel")).toEqual(again.get("conv/kernel"));
    });

    it("and another one beside it do not disturb each other", async () => {
      const alone = [];
      for (const seed of [1, 2]) {
        using trainer = await createTrainer(smallNetwork({ seed }), { batch: BATCH, ...on });
        for (const at of [1, 2, 3]) await step(trainer, seed + at);
        alone.push(await bitsOf(trainer));
      }
      using a = await createTrainer(smallNetwork({ seed: 1 }), { batch: BATCH, ...on });
      using b = await createTrainer(smallNetwork({ seed: 2 }), { batch: BATCH, ...on });
      for (const at of [1, 2, 3]) await Promise.all([step(a, 1 + at), step(b, 2 + at)]);
      expect([await bitsOf(a), await bitsOf(b)]).toEqual(alone);
    });

    it("drops out in training, and not when it evaluates", async () => {
      const rate = 0.5;
      const options = { schedule: { type: "constant", rate: 1e-30 } as const };
      using trainer = await make(options, rate);
      using other = await make({ ...options, seed: 2 }, rate);
      const losses = [];
      for (let i = 0; i < 3; i++) losses.push((await step(trainer, 1)).loss);
      // Other elements at each step, and for another seed.
      losses.push((await step(other, 1)).loss);
      expect(new Set(losses).size).toBe(4);
      const { loss, logits } = await trainer.evaluate(pictures(BATCH, 1), labelsOf(BATCH, 1));
      expect(await trainer.evaluate(pictures(BATCH, 1), labelsOf(BATCH, 1))).toEqual({
        loss,
        logits,
        correct: expect.any(Number),
        correctOf5: BATCH,
        examples: BATCH,
      });
      using plain = await make({ ...options, batchNorm: { mode: "frozen" } }, 0);
      const state = await trainer.state();
      await plain.restore(state);
      expect((await step(plain, 1)).loss).toBeCloseTo(loss, 4);
    });

    it("smooths labels in training, and not when it evaluates; a share of each class is a label too", async () => {
      const rate = { schedule: { type: "constant", rate: 1e-30 } as const, batchNorm: { mode: "frozen" } as const };
      using plain = await make(rate, 0);
      using smooth = await make({ ...rate, labelSmoothing: 0.2 }, 0);
      const labels = labelsOf(BATCH, 1);
      const shares = new Float32Array(BATCH * CLASSES).fill(0.2 / CLASSES);
      for (const [n, label] of labels.entries()) shares[n * CLASSES + label] = 0.8 + 0.2 / CLASSES;
      const x = pictures(BATCH, 1);
      const [hard, soft, smoothed] = [
        await plain.step(x, labels),
        await plain.step(x, shares),
        await smooth.step(x, labels),
      ];
      expect(smoothed.loss).toBeCloseTo(soft.loss, 6);
      expect(Math.abs(smoothed.loss - hard.loss)).toBeGreaterThan(1e-3);
      expect(await plain.step(x, tensor(shares, [BATCH, CLASSES]))).toEqual(soft);
      expect((await smooth.evaluate(x, labels)).loss).toBeCloseTo(hard.loss, 5);
      expect((await smooth.evaluate(x, shares)).loss).toBeCloseTo(soft.loss, 5);
    });

    it("keeps averages, and evaluates with them", async () => {
      using trainer = await make({ averageDecay: 0.5, batchNorm: { mode: "frozen" } }, 0);
      const before = await trainer.parameters();
      await step(trainer, 1);
      const after = await trainer.parameters();
      const averages = await trainer.averages();
      for (const [name, { data }] of averages) {
        const middle = data.map((_, i) => (before.get(name)!.data[i]! + after.get(name)!.data[i]!) / 2);
        for (const [i, value] of data.entries()) expect(value).toBeCloseTo(middle[i]!, 6);
      }
      const x = pictures(BATCH, 2);
      const [own, average] = [
        await trainer.evaluate(x, labelsOf(BATCH)),
        await trainer.evaluate(x, labelsOf(BATCH), { average: true }),
      ];
      expect(average.loss).not.toBe(own.loss);
      expect(await trainer.evaluate(x, labelsOf(BATCH))).toEqual(own);
      using other = await createTrainer({ ...smallNetwork(), parameters: averages }, { batch: BATCH, ...on });
      expect((await other.evaluate(x, labelsOf(BATCH))).loss).toBe(average.loss);
    });

    it("adds up the parts of a batch to the gradient of the whole, of parts that are not alike too", async () => {
      const options = { batchNorm: { mode: "frozen" } as const };
      using whole = await make(options, 0);
      using parts = await make({ ...options, accumulate: 4 }, 0);
      for (const count of [BATCH, 5, 1]) {
        const [a, b] = [await step(whole, count, count), await step(parts, count, count)];
        expect(b.loss).toBeCloseTo(a.loss, 6);
        expect(b.gradientNorm).toBeCloseTo(a.gradientNorm, 5);
        expect(b.correct).toBe(a.correct);
      }
    });

    it("rejects what waits when it is closed, and whatever is asked later", async () => {
      const trainer = await make();
      const waiting = [step(trainer, 1), step(trainer, 2)].map((one) =>
        one.then(
          () => "done",
          ({ code }) => code as string,
        ),
      );
      const state = await trainer.state();
      const late = [step(trainer, 3), step(trainer, 4)].map((one) => one.catch(({ code }) => code as string));
      trainer.close();
      trainer.close();
      expect(await Promise.all(waiting)).toEqual(["done", "done"]);
      for (const outcome of await Promise.all(late)) expect(outcome).toBe("SESSION_CLOSED");
      const calls = [
        () => step(trainer, 1),
        () => trainer.evaluate(pictures(1, 1), [0]),
        () => trainer.parameters(),
        () => trainer.state(),
        () => trainer.restore(state),
        () => trainer.profile(pictures(1, 1), [0]),
      ];
      const message = expect.stringMatching(/^trainer of .*: it was closed\. Make another with createTrainer/);
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "SESSION_CLOSED", message });
    });
  },
);

describe("bits", () => {
  it("are the same for 1, 2 and 4 threads", async () => {
    const threaded = TRAINING_BACKENDS.filter(({ options }) => options.backend === "wasm");
    const found = new Map<string, unknown>();
    for (const { name, options } of threaded) {
      const { simd: _simd, ...rest } = options;
      using trainer = await createTrainer(smallNetwork({ rate: 0.3 }), { batch: BATCH, ...rest, accumulate: 2 });
      const results = [await step(trainer, 1), await step(trainer, 2, 5), await step(trainer, 3, 1)];
      found.set(name, { results, bits: await bitsOf(trainer) });
    }
    const [first, ...others] = found.values();
    for (const other of others) expect(other).toEqual(first);
  });
});

describe("an overfit", () => {
  it.each(
    TRAINING_BACKENDS.filter(({ options }) => options.backend === "wasm").map(
      ({ name, options }) => [name, options] as const,
    ),
  )("of 32 random pictures comes below a loss of 0.01 in 200 steps on %s", async (_name, on) => {
    using trainer = await createTrainer(smallNetwork(), {
      batch: 32,
      optimizer: adam(),
      schedule: cosine({ rate: 0.02, steps: 200 }),
      ...on,
    });
    const x = recipe([32, 8, 8, 3], 5, -1, 1);
    const labels = labelsOf(32);
    let loss = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 200 && loss >= 0.01; i++) ({ loss } = await trainer.step(x, labels));
    expect(loss).toBeLessThan(0.01);
    const { correct } = await trainer.step(x, labels);
    expect(correct).toBe(32);
  });
});
