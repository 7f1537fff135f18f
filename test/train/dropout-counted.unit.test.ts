/** What dropout draws is counted by update and part, so that a state says it all. */

import { expect, it } from "vitest";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { sgd } from "../../src/train/optimizers.ts";
import { constant } from "../../src/train/schedules.ts";
import { SIDE, tinyModel } from "./fit/tiny.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

const x = Float32Array.from({ length: 6 * SIDE * SIDE * 3 }, (_, i) => Math.sin(i));
const labels = [0, 1, 2, 0, 1, 2];
/** So small a rate that nothing else changes. */
const OPTIONS = {
  batch: 6,
  optimizer: sgd({ momentum: 0 }),
  schedule: constant({ rate: 1e-30 }),
  batchNorm: { mode: "frozen" },
} as const;

it("differs from update to update, and from part to part", async () => {
  using trainer = await createTrainer(tinyModel(), OPTIONS);
  const losses = [];
  for (let step = 0; step < 4; step++) losses.push((await trainer.step(x, labels)).loss);
  expect(new Set(losses).size).toBe(4);
  // Two equal halves: with equal draws their mean would be that of one.
  const half = x.subarray(0, x.length / 2);
  const twice = new Float32Array([...half, ...half]);
  using parts = await createTrainer(tinyModel(), { ...OPTIONS, accumulate: 2 });
  using single = await createTrainer(tinyModel(), { ...OPTIONS, batch: 3 });
  const both = await parts.step(twice, [0, 1, 2, 0, 1, 2]);
  const one = await single.step(half, [0, 1, 2]);
  expect(both.loss).not.toBeCloseTo(one.loss, 6);
});

it("is the same after a state that came of short batches", async () => {
  using trainer = await createTrainer(tinyModel(), { ...OPTIONS, accumulate: 3 });
  await trainer.step(x.subarray(0, x.length / 6), [0]);
  await trainer.step(x.subarray(0, x.length / 3), [0, 1]);
  const state = await trainer.state();
  using other = await createTrainer(tinyModel(), { ...OPTIONS, accumulate: 3 });
  await other.restore({ updates: state.updates, tensors: state.tensors });
  expect((await other.step(x, labels)).loss).toBe((await trainer.step(x, labels)).loss);
});

it.each(TRAINING_BACKENDS.map(({ name, options }) => [name, options] as const))(
  "differs from seed to seed, in all of its bits, on %s",
  async (_name, on) => {
    const losses = [];
    for (const seed of [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33 + 1]) {
      using trainer = await createTrainer(tinyModel(), { ...OPTIONS, ...on, seed });
      losses.push((await trainer.step(x, labels)).loss);
    }
    expect(new Set(losses).size).toBe(5);
  },
);
