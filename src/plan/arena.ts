/**
 * The arena: every activation gets an offset in one piece of memory, and shares it with those that are not alive at
 * the same time. Two ways are tried and the smaller result is kept:
 *
 * - largest first, each at the lowest free offset; good for graphs (Pisarchyk and Lee 2020, "Efficient Memory
 *   Management for Deep Neural Net Inference", greedy by size);
 * - in order of time, in turn at the low and the high end of the least memory that could do; a chain of layers such as
 *   MobileNet V1 then needs the largest input and output together, and not a byte more.
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
  const sorted = (compare: (a: Lifetime, b: Lifetime) => number): Order =>
    [...lifetimes.entries()].sort(([, a], [, b]) => compare(a, b));
  const bound = leastElements(lifetimes);
  const bySize = sorted((a, b) => b.elements - a.elements);
  const byTime = sorted((a, b) => a.from - b.from);
  const largestFirst = place(bySize, bound, false);
  const bothEnds = place(byTime, bound, true);
  return bothEnds.elements < largestFirst.elements ? bothEnds : largestFirst;
}

/** Lifetimes with their places in the list. */
type Order = readonly (readonly [index: number, Lifetime])[];

interface Placed extends Lifetime {
  readonly start: number;
  readonly end: number;
}

/** Places values one by one at the lowest gap that holds them; every other, if it is asked for, at the highest below the bound. */
function place(order: Order, bound: number, atBothEnds: boolean): Arena {
  const offsets = new Array<number>(order.length).fill(0);
  /** By where they start; each has its place found, for sorting them anew took a network of 5,000 layers seconds. */
  const placed: Placed[] = [];
  let total = 0;
  for (const [turn, [index, { elements, from, to }]] of order.entries()) {
    // What takes no room is nobody's neighbour: its place is not looked at.
    if (elements === 0) continue;
    const alive = placed.filter((other) => other.from <= to && from <= other.to);
    const isHigh = atBothEnds && turn % 2 === 1;
    const start = (isHigh ? highestGap(alive, elements, bound) : undefined) ?? lowestGap(alive, elements);
    const end = start + elements;
    offsets[index] = start;
    let at = placed.length;
    while (at > 0 && (placed[at - 1] as Placed).start > start) at--;
    // Field by field: what a spread makes, V8 reads eighty times slower in the walk above.
    placed.splice(at, 0, { elements, from, to, start, end });
    total = Math.max(total, end);
  }
  return { offsets, elements: total };
}

function lowestGap(alive: readonly Placed[], elements: number): number {
  let offset = 0;
  for (const { start, end } of alive) {
    if (offset + elements <= start) break;
    offset = Math.max(offset, align(end));
  }
  return offset;
}

/** Of values in the order of time: those alive with the next one are all alive at once, and so lie in a row. */
function highestGap(alive: readonly Placed[], elements: number, bound: number): number | undefined {
  let offset = alignDown(bound - elements);
  for (const { start, end } of [...alive].reverse()) {
    if (offset >= end) break;
    offset = Math.min(offset, alignDown(start - elements));
  }
  return offset < 0 ? undefined : offset;
}

/** No arena can be smaller: the most that is alive at one time. */
function leastElements(lifetimes: readonly Lifetime[]): number {
  const changes = lifetimes.flatMap(({ elements, from, to }): (readonly [time: number, change: number])[] => [
    [from, align(elements)],
    // Behind its last step; those that begin there do not share memory with it.
    [to + 1, -align(elements)],
  ]);
  changes.sort(([a, change], [b, other]) => a - b || change - other);
  let alive = 0;
  let most = 0;
  for (const [, change] of changes) {
    alive += change;
    most = Math.max(most, alive);
  }
  return most;
}

function align(elements: number): number {
  return Math.ceil(elements / ALIGNMENT) * ALIGNMENT;
}

function alignDown(elements: number): number {
  return Math.floor(elements / ALIGNMENT) * ALIGNMENT;
}
