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
  const largestFirst = place(bySize, bound, () => false);
  const bothEnds = place(byTime, bound, (turn) => turn % 2 === 1);
  return bothEnds.elements < largestFirst.elements ? bothEnds : largestFirst;
}

/** Lifetimes with their places in the list. */
type Order = readonly (readonly [index: number, Lifetime])[];

/** Places values one by one at the lowest gap that holds them, or at the highest below the bound. */
function place(order: Order, bound: number, isHigh: (turn: number) => boolean): Arena {
  const offsets = new Array<number>(order.length).fill(0);
  const placed = newPlaced(order.length);
  let total = 0;
  for (const [turn, [index, value]] of order.entries()) {
    // What takes no room is nobody's neighbour: its place is not looked at.
    if (value.elements === 0) continue;
    const offset = (isHigh(turn) ? highestGap(placed, value, bound) : undefined) ?? lowestGap(placed, value);
    offsets[index] = offset;
    insert(placed, value, offset);
    total = Math.max(total, offset + value.elements);
  }
  return { offsets, elements: total };
}

/**
 * What is placed, by where it starts. Each value looks at all of them: sorting them anew each time, as objects, took a
 * network of 5,000 layers seconds.
 */
interface Placed {
  count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
}

function newPlaced(length: number): Placed {
  const column = () => new Float64Array(length);
  return { count: 0, start: column(), end: column(), from: column(), to: column() };
}

function insert(placed: Placed, { elements, from, to }: Lifetime, offset: number): void {
  let at = placed.count++;
  while (at > 0 && (placed.start[at - 1] as number) > offset) at--;
  for (const column of [placed.start, placed.end, placed.from, placed.to]) column.copyWithin(at + 1, at, placed.count);
  placed.start[at] = offset;
  placed.end[at] = offset + elements;
  placed.from[at] = from;
  placed.to[at] = to;
}

function lowestGap({ count, ...placed }: Placed, { elements, from, to }: Lifetime): number {
  let offset = 0;
  for (let i = 0; i < count; i++) {
    if ((placed.from[i] as number) > to || from > (placed.to[i] as number)) continue;
    if (offset + elements <= (placed.start[i] as number)) break;
    offset = Math.max(offset, align(placed.end[i] as number));
  }
  return offset;
}

/** Of values in the order of time: those alive with the next one are all alive at once, and so lie in a row. */
function highestGap({ count, ...placed }: Placed, { elements, from, to }: Lifetime, bound: number): number | undefined {
  let end = bound;
  for (let i = count - 1; i >= 0; i--) {
    if ((placed.from[i] as number) > to || from > (placed.to[i] as number)) continue;
    const offset = alignDown(end - elements);
    if (offset >= (placed.end[i] as number)) return offset;
    end = Math.min(end, placed.start[i] as number);
  }
  const offset = alignDown(end - elements);
  return offset < 0 ? undefined : offset;
}

/** No arena can be smaller: the most that is alive at one time. */
function leastElements(lifetimes: readonly Lifetime[]): number {
  const changes = lifetimes.flatMap(({ elements, from, to }) => [
    { time: from, change: align(elements) },
    // Behind its last step; those that begin there do not share memory with it.
    { time: to + 1, change: -align(elements) },
  ]);
  changes.sort((a, b) => a.time - b.time || a.change - b.change);
  let alive = 0;
  let most = 0;
  for (const { change } of changes) {
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
