/** From steps to memory: how long each value lives, and where it lies. Shared by the plan and by `cost`. */

import { type Lifetime, layOutArena } from "./arena.ts";
import type { Step, Steps, StepValue } from "./steps.ts";

/** Between which steps a value is there, by their index; -1 is before the first. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Places {
  readonly spans: ReadonlyMap<string, Span>;
  /**
   * In bytes from the start of the arena. Of all values but parameters, which a backend keeps as its kernels read them,
   * and what a joined step hands on.
   */
  readonly offsets: ReadonlyMap<string, number>;
  readonly arenaBytes: number;
}

/** What of steps takes memory. */
export interface Placeable extends Pick<Steps, "kept"> {
  readonly steps: readonly Pick<Step, "reads" | "writes" | "joined" | "inPlace">[];
  readonly values: ReadonlyMap<string, StepValue>;
}

/** The arena is laid out in words. */
const WORD_BYTES = 4;
const BYTES: { readonly [D in StepValue["dtype"]]: number } = { float32: 4 };

/**
 * Gives every value a place, shared with those that are not there at the same time.
 *
 * What a joined step writes never lies there: it runs as one with the next, which then reads what the first one reads.
 *
 * @param batch examples of which all activations are there together
 */
export function place({ steps, values, kept }: Placeable, batch: number): Places {
  const spans = spansOf(steps, kept);
  const spanOf = (name: string): Span => spans.get(name) ?? { from: -1, to: -1 };
  const lifetimes: Lifetime[] = [];
  /** Which lifetime is that of a value. */
  const lies = new Map<string, number>();
  const ofOwn = (name: string, value: StepValue) => {
    lies.set(name, lifetimes.length);
    lifetimes.push({ elements: wordsOf(value, batch), ...spanOf(name) });
  };
  const written = new Set(steps.flatMap(({ writes }) => writes));
  for (const [name, value] of values) {
    if (value.kind !== "parameter" && !written.has(name)) ofOwn(name, value);
  }
  for (const [
    index,
    {
      reads: [first = ""],
      writes,
      inPlace,
      joined,
    },
  ] of steps.entries()) {
    for (const name of joined === true ? [] : writes) {
      const value = values.get(name);
      if (value === undefined || value.kind === "parameter" || lies.has(name)) continue;
      // What comes from outside stays as it is: no step wrote it.
      const shared = inPlace === true && written.has(first) ? lies.get(first) : undefined;
      const before = shared === undefined ? undefined : lifetimes[shared];
      if (shared !== undefined && before?.to === index) {
        lifetimes[shared] = { ...before, to: spanOf(name).to };
        lies.set(name, shared);
      } else ofOwn(name, value);
    }
  }
  const { offsets, elements } = layOutArena(lifetimes);
  return {
    spans,
    offsets: new Map([...lies].map(([name, lifetime]) => [name, WORD_BYTES * (offsets[lifetime] ?? 0)])),
    arenaBytes: WORD_BYTES * elements,
  };
}

/** From the step that first touches a value to the last one; kept ones to the end, those from outside from the start. */
function spansOf(steps: Placeable["steps"], kept: ReadonlySet<string>): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>();
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

function wordsOf({ kind, dtype, elements }: StepValue, batch: number): number {
  return Math.ceil(((kind === "activation" ? batch : 1) * elements * BYTES[dtype]) / WORD_BYTES);
}
