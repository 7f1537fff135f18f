/** The values of a training plan in an arena on this thread. */

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
    write(values: Readonly<Record<string, Float32Array | Uint32Array>>): void {
      for (const [name, numbers] of Object.entries(values)) {
        const own = lying(name);
        // Bits are bits: a number that is none would not survive being one.
        if (numbers instanceof Float32Array) own.set(numbers);
        else new Uint32Array(own.buffer, own.byteOffset, own.length).set(numbers);
      }
    },
    read(name: string, examples?: number): Float32Array<ArrayBuffer> {
      return new Float32Array(lying(name, examples));
    },
  };
}
