/** What a backend asks of a plan: what a step reads and writes, and where that lies. */

import type { NumberArray } from "../core/buffers.ts";
import { invariant } from "../core/errors.ts";
import type { Plan, PlannedValue, Step } from "../plan/plan.ts";

/** A value that lies in the arena. */
export type Lying = PlannedValue & { readonly offset: number };

export function lyingAt({ values }: Plan, name: string): Lying {
  const value = values.get(name);
  invariant(value?.offset !== undefined, `The value "${name}" has no place.`);
  return value as Lying;
}

/** What a step reads and writes, by kind, for a backend to bind: kernels write one value. */
export function operandsOf(
  { values }: Plan,
  { reads, writes }: Step,
): { readonly activations: readonly string[]; readonly parameters: readonly string[]; readonly written: string } {
  const isParameter = (name: string) => values.get(name)?.kind === "parameter";
  return {
    activations: reads.filter((name) => !isParameter(name)),
    parameters: reads.filter(isParameter),
    written: writes[0] ?? "",
  };
}

/** The values that lie in an arena on this thread, by name. */
export function valuesIn(plan: Plan, arena: Float32Array) {
  const lying = (name: string, examples = plan.batch): Float32Array => {
    const { offset, elements } = lyingAt(plan, name);
    return arena.subarray(offset / 4, offset / 4 + elements * examples);
  };
  return {
    lying,
    write(values: Readonly<Record<string, NumberArray>>): void {
      for (const [name, numbers] of Object.entries(values)) lying(name).set(numbers);
    },
    read: (names: readonly string[], batch: number): readonly Float32Array[] =>
      names.map((name) => lying(name, batch).slice()),
  };
}
