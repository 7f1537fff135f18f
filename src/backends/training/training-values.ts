/** The values of a training plan in an arena on this thread. */

import type { NumberArray } from "../../core/buffers.ts";
import { invariant } from "../../core/errors.ts";
import type { TrainingPlan } from "../../plan/training/training-plan.ts";

/** Floats of a value, and where it lies in the arena, in bytes. */
export function lyingIn({ values, batch }: TrainingPlan, name: string, examples = batch) {
  const value = values.get(name);
  invariant(value?.offset !== undefined, `Training has no value "${name}".`);
  return { offset: value.offset, length: value.elements * (value.kind === "activation" ? examples : 1) };
}

export function trainingValues(plan: TrainingPlan, arena: Float32Array) {
  const lying = (name: string, examples?: number): Float32Array => {
    const { offset, length } = lyingIn(plan, name, examples);
    return arena.subarray(offset / 4, offset / 4 + length);
  };
  return {
    lying,
    write(values: Readonly<Record<string, NumberArray>>): void {
      for (const [name, numbers] of Object.entries(values)) lying(name).set(numbers);
    },
    writeBits(name: string, words: Uint32Array): void {
      const { buffer, byteOffset, length } = lying(name);
      new Uint32Array(buffer, byteOffset, length).set(words);
    },
    read(name: string, examples?: number): Float32Array<ArrayBuffer> {
      return new Float32Array(lying(name, examples));
    },
  };
}
