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

/** The arena is laid out in words of so many bytes. */
const WORD_BYTES = 4;
const WORDS: { readonly [D in StepValue["dtype"]]: number } = { float32: 1 };

/**
 * Gives every value a place, shared with those that are not there at the same time.
 *
 * What a joined step writes never lies there: it runs as one with the next, which then reads what the first one reads.
 *
 * @param batch examples of which all activations are there together
 */
export function place({ steps, values, kept }: Placeable, batch: number): Places {
  const spans = spansOf(steps, kept);
  const lifetimes: (Lifetime & { to: number })[] = [];
  /** Which lifetime is that of a value. */
  const lies = new Map<string, number>();
  for (const [name, { kind, dtype, elements }] of values) {
    const span = spans.get(name) ?? { from: -1, to: -1 };
    const writer = steps[span.from];
    if (kind === "parameter" || writer?.joined === true) continue;
    let index = writer?.inPlace === true ? lies.get(writer.reads[0] ?? "") : undefined;
    const before = lifetimes[index ?? -1];
    // What comes from outside stays as it is: no step wrote it.
    if (index !== undefined && before?.to === span.from && before.from >= 0) before.to = span.to;
    else {
      const words = Math.ceil((kind === "activation" ? batch : 1) * elements * WORDS[dtype]);
      index = lifetimes.push({ elements: words, ...span }) - 1;
    }
    lies.set(name, index);
  }
  const { offsets, elements } = layOutArena(lifetimes);
  return {
    spans,
    offsets: new Map([...lies].map(([name, index]) => [name, WORD_BYTES * (offsets[index] ?? 0)])),
    arenaBytes: WORD_BYTES * elements,
  };
}

/** From the step that first touches a value to the last one; kept ones to the end, those from outside from the start. */
function spansOf(steps: Placeable["steps"], kept: ReadonlySet<string>): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>();
  const touch = (names: Iterable<string>, first: number, last: number) => {
    for (const name of names) {
      const { from, to } = spans.get(name) ?? { from: first, to: last };
      spans.set(name, { from, to: Math.max(to, last) });
    }
  };
  for (const [index, { reads, writes, joined }] of steps.entries()) {
    touch(reads, -1, joined === true ? index + 1 : index);
    touch(writes, index, index);
  }
  touch(kept, -1, steps.length);
  return spans;
}
