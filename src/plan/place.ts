/** From steps to memory: how long each value lives, and where it lies. Shared by the plan and by `cost`. */

import { type Lifetime, layOutArena } from "./arena.ts";
import type { Step, Steps, Value } from "./steps.ts";

/** Where a value lies, and between which steps it is there, by their index; -1 is before the first. */
export interface Place {
  /** In bytes from the start of the arena. */
  readonly offset: number;
  readonly from: number;
  readonly to: number;
}

export interface Placed {
  /** Of all values but parameters, which a backend keeps as its kernels read them. */
  readonly places: ReadonlyMap<string, Place>;
  readonly arenaBytes: number;
}

/** What of steps takes memory. */
export interface Placeable extends Pick<Steps, "kept"> {
  readonly steps: readonly Pick<Step, "reads" | "writes" | "joined" | "inPlace">[];
  readonly values: ReadonlyMap<string, Value>;
}

const FLOAT_BYTES = 4;

/**
 * Gives every value a place, shared with those that are not there at the same time.
 *
 * What a joined step writes never lies there: it runs as one with the next, which then reads what the first one reads.
 *
 * @param batch examples of which all activations are there together
 */
export function place({ steps, values, kept }: Placeable, batch: number): Placed {
  const spans = spansOf(steps, kept);
  const lifetimes: Lifetime[] = [];
  /** Which lifetime is that of a value. */
  const lies = new Map<string, number>();
  const ofOwn = (name: string, elements: number) => {
    const { from, to } = spans.get(name) ?? { from: -1, to: -1 };
    lies.set(name, lifetimes.length);
    lifetimes.push({ elements, from, to });
  };
  const written = new Set(steps.flatMap(({ writes }) => writes));
  for (const [name, value] of values) {
    if (value.kind !== "parameter" && !written.has(name)) ofOwn(name, elementsOf(value, batch));
  }
  for (const [index, step] of steps.entries()) {
    for (const name of step.writes) {
      const value = values.get(name);
      if (value === undefined || lies.has(name)) continue;
      const shared = step.inPlace === true ? lies.get(step.reads[0] ?? "") : undefined;
      const before = shared === undefined ? undefined : lifetimes[shared];
      // What comes from outside stays as it is: the step before the first did not write it.
      if (shared !== undefined && before?.to === index && written.has(step.reads[0] ?? "")) {
        lifetimes[shared] = { ...before, to: spans.get(name)?.to ?? index };
        lies.set(name, shared);
      } else ofOwn(name, step.joined === true ? 0 : elementsOf(value, batch));
    }
  }
  const { offsets, elements } = layOutArena(lifetimes);
  const places = [...lies].map(([name, lifetime]): [string, Place] => {
    const { from, to } = spans.get(name) ?? { from: -1, to: -1 };
    return [name, { offset: FLOAT_BYTES * (offsets[lifetime] ?? 0), from, to }];
  });
  return { places: new Map(places), arenaBytes: FLOAT_BYTES * elements };
}

/** From the step that first touches a value to the last one; kept ones to the end, those from outside from the start. */
function spansOf(steps: Placeable["steps"], kept: ReadonlySet<string>): ReadonlyMap<string, Omit<Place, "offset">> {
  const spans = new Map<string, { from: number; to: number }>();
  for (const [index, { reads, writes, joined }] of steps.entries()) {
    for (const name of reads) {
      const span = spans.get(name) ?? { from: -1, to: index };
      spans.set(name, { ...span, to: Math.max(span.to, joined === true ? index + 1 : index) });
    }
    for (const name of writes) {
      const span = spans.get(name) ?? { from: index, to: index };
      spans.set(name, { ...span, to: Math.max(span.to, index) });
    }
  }
  for (const name of kept) spans.set(name, { from: spans.get(name)?.from ?? -1, to: steps.length });
  return spans;
}

function elementsOf({ kind, elements }: Value, batch: number): number {
  return kind === "activation" ? batch * elements : elements;
}
