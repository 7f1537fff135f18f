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
  const bySize = lifetimes.map((_, index) => index);
  bySize.sort((a, b) => sizeOf(lifetimes[b]) - sizeOf(lifetimes[a]) || a - b);
  const byTime = lifetimes.map((_, index) => index);
  byTime.sort((a, b) => (lifetimes[a]?.from ?? 0) - (lifetimes[b]?.from ?? 0) || a - b);
  const largestFirst = place(lifetimes, bySize, () => false);
  const bothEnds = place(lifetimes, byTime, (turn) => turn % 2 === 1);
  return bothEnds.elements < largestFirst.elements ? bothEnds : largestFirst;
}

/** Places values one by one at the lowest gap that holds them, or at the highest below the bound. */
function place(lifetimes: readonly Lifetime[], order: readonly number[], isHigh: (turn: number) => boolean): Arena {
  const bound = leastElements(lifetimes);
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: number[] = [];
  let total = 0;
  for (const [turn, index] of order.entries()) {
    const value = lifetimes[index];
    // What takes no room is nobody's neighbour: its place is not looked at.
    if (value === undefined || value.elements === 0) continue;
    const taken = placed
      .filter((other) => overlaps(value, lifetimes[other]))
      .map((other) => ({ start: offsets[other] ?? 0, end: (offsets[other] ?? 0) + sizeOf(lifetimes[other]) }))
      .sort((a, b) => a.start - b.start);
    const offset =
      (isHigh(turn) ? highestGap(taken, value.elements, bound) : undefined) ?? lowestGap(taken, value.elements);
    offsets[index] = offset;
    placed.push(index);
    total = Math.max(total, offset + value.elements);
  }
  return { offsets, elements: total };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function lowestGap(taken: readonly Span[], elements: number): number {
  let offset = 0;
  for (const { start, end } of taken) {
    if (offset + elements <= start) break;
    offset = Math.max(offset, align(end));
  }
  return offset;
}

function highestGap(taken: readonly Span[], elements: number, bound: number): number | undefined {
  let end = bound;
  for (const span of [...taken].reverse()) {
    const offset = alignDown(end - elements);
    if (offset >= span.end) return offset;
    end = Math.min(end, span.start);
  }
  const offset = alignDown(end - elements);
  return offset < 0 ? undefined : offset;
}

/** No arena can be smaller: the most that is alive at one time. */
function leastElements(lifetimes: readonly Lifetime[]): number {
  // In order of time, what ends before what begins: a sweep, since a file may describe thousands of layers.
  const changes = lifetimes.flatMap(({ elements, from, to }) => [
    { at: from, elements: align(elements) },
    { at: to + 1, elements: -align(elements) },
  ]);
  changes.sort((a, b) => a.at - b.at || a.elements - b.elements);
  let [alive, most] = [0, 0];
  for (const { elements } of changes) {
    alive += elements;
    most = Math.max(most, alive);
  }
  return most;
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

function alignDown(elements: number): number {
  return Math.floor(elements / ALIGNMENT) * ALIGNMENT;
}
