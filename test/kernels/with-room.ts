/**
 * Operands of training's runners: arrays longer than the batch, with NaN behind it. Who reads there shows it, and nothing
 * may be written there.
 */

import { expect } from "vitest";
import { type FloatTensor, type Tensor, tensor } from "../../src/core/tensor.ts";
import type { TrainingRunner } from "../../src/kernels/reference/gradients/index.ts";

/** Examples that arrays have room for beyond the batch. */
const BEYOND = 2;

/** The values of a batch, with room behind it. */
export function withRoom({ data, shape }: FloatTensor): Float32Array {
  const room = new Float32Array(data.length + (BEYOND * data.length) / (shape[0] ?? 1)).fill(Number.NaN);
  room.set(data);
  return room;
}

export const blank = (shape: readonly number[]): Float32Array => withRoom(fill(shape, Number.NaN));
export const fill = (shape: readonly number[], value: number): FloatTensor =>
  tensor(new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(value), shape);
export const run = (
  runner: TrainingRunner,
  batch: number,
  operands: Record<string, Float32Array | undefined>,
  adds = false,
  scale = 1,
) => runner(batch, operands, { adds, scale });

/** Close where numbers were rounded to float32 on the way; what lies behind the batch is as it was. */
export function expectClose(actual: Float32Array, expected: Tensor, what: string, isAtBatch = true, gain = 1): void {
  // Sums of numbers of about 1 that cancel are exact to the rounding of those.
  let largest = 1;
  for (const value of expected.data) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < expected.data.length; i++) {
    const difference = Math.abs(actual[i]! - expected.data[i]!);
    expect(difference, `${what}[${i}]: ${actual[i]}, not ${expected.data[i]}`).toBeLessThanOrEqual(
      1e-5 * largest * gain,
    );
  }
  if (isAtBatch)
    expect(actual.subarray(expected.data.length).every(Number.isNaN), `${what} behind the batch`).toBe(true);
}
