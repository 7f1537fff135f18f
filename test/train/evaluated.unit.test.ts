/** What logits say against targets. */

import { expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import { lossRunner } from "../../src/kernels/reference/gradients/cross-entropy.ts";
import type { LossCall } from "../../src/operations/training-call.ts";
import { evaluated } from "../../src/train/evaluated.ts";
import { softmaxCrossEntropy } from "../../src/train/gradients/cross-entropy.ts";

const CLASSES = 7;
const targetsOf = (label: number) => Float32Array.from({ length: CLASSES }, (_, c) => Number(c === label));
const falling = Float32Array.from({ length: CLASSES }, (_, c) => -c);

it("counts the largest and the first five, of equal ones the first", () => {
  for (let label = 0; label < CLASSES; label++) {
    const { correct, correctOf5 } = evaluated(falling, targetsOf(label), 1, CLASSES);
    expect([correct, correctOf5], `${label}`).toEqual([Number(label === 0), Number(label < 5)]);
    const equal = evaluated(new Float32Array(CLASSES), targetsOf(label), 1, CLASSES);
    expect([equal.correct, equal.correctOf5], `${label}`).toEqual([Number(label === 0), Number(label < 5)]);
  }
});

it("counts nothing as right that is no number", () => {
  const none = new Float32Array(CLASSES).fill(Number.NaN);
  for (let label = 0; label < CLASSES; label++) {
    expect(evaluated(none, targetsOf(label), 1, CLASSES), `${label}`).toMatchObject({ correct: 0, correctOf5: 0 });
  }
  // Of few classes as well.
  const few = evaluated(Float32Array.of(Number.NaN, 1), Float32Array.of(1, 0), 1, 2);
  expect(few).toMatchObject({ correct: 0, correctOf5: 0 });
  // A number is not above what is none.
  const one = falling.slice();
  one[6] = Number.NaN;
  expect(evaluated(one, targetsOf(0), 1, CLASSES)).toMatchObject({ correct: 0, correctOf5: 1 });
});

it.each([1, 1e8, 1e16, 1e20, 3e38])("has the loss of equal logits, however large: %d", (logit) => {
  for (const sign of [1, -1]) {
    const logits = new Float32Array(3).fill(sign * logit);
    expect(evaluated(logits, Float32Array.of(0, 1, 0), 1, 3).loss).toBeCloseTo(Math.log(3), 12);
    const said = softmaxCrossEntropy(tensor(logits, [1, 3]), tensor(Int32Array.of(1), [1]));
    expect(said.loss).toBeCloseTo(Math.log(3), 12);
    const [dlogits, perExample] = [new Float32Array(3), new Float32Array(1)];
    const given = { logits, targets: Float32Array.of(0, 1, 0), perExample, dlogits };
    lossRunner({ classes: 3 } as LossCall)(1, given, { scale: 1 } as never);
    expect(perExample[0]).toBeCloseTo(Math.log(3), 6);
  }
});
