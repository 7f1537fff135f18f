/** Gradients against central differences of the definition in float64: (L(x + h) − L(x − h)) / 2h, of L = Σ dy · y. */

import { expect } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import type { FusedActivation } from "../../src/operations/activation-names.ts";

export type Numbers = Record<string, Float64Array>;

const STEP = 1e-4;
/** So many elements of each input are moved; all of a small one. */
const PROBES = 10;

/** Float32 rounding of a result that was summed in float64, and what a difference of width h misses. */
const TOLERANCE = 2e-6;

/** @param gradients `dx` of the input `x`, and so on: one for each input, in its order */
export function checkDifferences(
  inputs: Numbers,
  loss: (inputs: Numbers) => number,
  gradients: Record<string, FloatTensor>,
): void {
  expect(Object.keys(gradients).sort()).toEqual(
    Object.keys(inputs)
      .map((name) => `d${name}`)
      .sort(),
  );
  for (const [name, values] of Object.entries(inputs)) {
    const { data } = gradients[`d${name}`]!;
    expect(data.length).toBe(values.length);
    const random = mulberry32(values.length);
    const all = [...values.keys()];
    const probes = values.length <= PROBES ? all : all.slice(0, PROBES).map(() => Math.floor(random() * values.length));
    for (const i of probes) {
      const moved = (by: number) => loss({ ...inputs, [name]: values.with(i, values[i]! + by) });
      const expected = (moved(STEP) - moved(-STEP)) / (2 * STEP);
      const difference = Math.abs(data[i]! - expected);
      expect(difference, `d${name}[${i}]: ${data[i]}, not ${expected}`).toBeLessThanOrEqual(
        TOLERANCE * (1 + Math.abs(expected)),
      );
    }
  }
}

/** Σ dy · y */
export function dot(dy: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += dy[i]! * y[i]!;
  return sum;
}

export const toTensor = (values: Float64Array, shape: readonly number[]): FloatTensor =>
  tensor(Float32Array.from(values), shape);

/** Uniform numbers that float32 can hold. */
export function uniform(shape: readonly number[], seed: number, low = -1, high = 1): Float64Array {
  const random = mulberry32(seed);
  const count = shape.reduce((product, side) => product * side, 1);
  return Float64Array.from({ length: count }, () => Math.fround(low + (high - low) * random()));
}

/** The definitions of activations, in float64. */
export const ACTIVATE: Record<FusedActivation, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  hardSigmoid: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  hardSwish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
};

/** Where a slope changes, a difference says nothing. */
export function isSmooth(activation: FusedActivation, z: Float64Array): boolean {
  const kinks = { linear: [], relu: [0], relu6: [0, 6], hardSigmoid: [-3, 3], hardSwish: [-3, 3] }[activation];
  return z.every((value) => kinks.every((kink) => Math.abs(value - kink) > 3e-3));
}
