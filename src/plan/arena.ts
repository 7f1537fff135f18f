/**
 * The arena: every activation gets an offset in one piece of memory, and shares it with those that are not alive at
 * the same time. Largest first, each at the lowest offset where it meets no other living one.
 *
 * Source: Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", greedy by size.
 */

/** A value between the step that writes it and the last one that reads it, both included. */
export interface Lifetime {
  readonly elements: number;
  readonly from: number;
  readonly to: number;
}

export interface Arena {
  /** One for each lifetime, in elements. */
  readonly offsets: readonly number[];
  readonly elements: number;
}

/** Offsets are multiples of this, so that a vector load never straddles two values. 16 bytes. */
const ALIGNMENT = 4;

export function layOutArena(lifetimes: readonly Lifetime[]): Arena {
  const order = lifetimes.map((_, index) => index);
  order.sort((a, b) => sizeOf(lifetimes[b]) - sizeOf(lifetimes[a]) || a - b);
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: number[] = [];
  let total = 0;
  for (const index of order) {
    const value = lifetimes[index];
    if (value === undefined) continue;
    const neighbours = placed
      .filter((other) => overlaps(value, lifetimes[other]))
      .sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
    let offset = 0;
    for (const other of neighbours) {
      const start = offsets[other] ?? 0;
      if (offset + value.elements <= start) break;
      offset = Math.max(offset, align(start + sizeOf(lifetimes[other])));
    }
    offsets[index] = offset;
    placed.push(index);
    total = Math.max(total, offset + value.elements);
  }
  return { offsets, elements: total };
}

function sizeOf(value: Lifetime | undefined): number {
  return value?.elements ?? 0;
}

function overlaps(a: Lifetime, b: Lifetime | undefined): boolean {
  return b !== undefined && a.from <= b.to && b.from <= a.to;
}

function align(elements: number): number {
  return Math.ceil(elements / ALIGNMENT) * ALIGNMENT;
}
