/** Short words for what every kernel says: sums of addresses, loops, multiply-add, clamp, lanes. */

import {
  access,
  type Expression,
  extractLane,
  int,
  type Local,
  type MakeLocal,
  op,
  repeat,
  type Statement,
  select,
  set,
  storeLane,
  tee,
  type ValueType,
  when,
} from "./assembler/index.ts";

/** What the engine can do, and what memory the module imports. Each set has its own binaries. */
export interface Features {
  /** Multiply-add of one rounding, if the processor has it. */
  readonly relaxed: boolean;
  /** Memory is a SharedArrayBuffer. */
  readonly shared: boolean;
}

type Word = Expression<"i32"> | number;
type Vector = Expression<"v128">;
interface ClampBounds {
  readonly low: Vector;
  readonly high: Vector;
}

const word = (value: Word): Expression<"i32"> => (typeof value === "number" ? int(value) : value);

export const add = (a: Word, b: Word) => op("i32.add", word(a), word(b));
export const sub = (a: Word, b: Word) => op("i32.sub", word(a), word(b));
export const mul = (a: Word, b: Word) => op("i32.mul", word(a), word(b));
export const divide = (a: Word, b: Word) => op("i32.div_u", word(a), word(b));
export const remainder = (a: Word, b: Word) => op("i32.rem_u", word(a), word(b));
export const both = (a: Word, b: Word) => op("i32.and", word(a), word(b));
export const below = (a: Word, b: Word) => op("i32.lt_s", word(a), word(b));
/** Also false for a negative `a`. */
export const inside = (a: Word, b: Word) => op("i32.lt_u", word(a), word(b));
export const atLeast = (a: Word, b: Word) => op("i32.ge_s", word(a), word(b));
export const equal = (a: Word, b: Word) => op("i32.eq", word(a), word(b));
export const not = (a: Word) => op("i32.eqz", word(a));
/** The smaller and the larger, signed. */
export const least = (a: Word, b: Word) => select(word(a), word(b), below(a, b));
export const most = (a: Word, b: Word) => select(word(b), word(a), below(a, b));
export const choose = (condition: Word, a: Word, b: Word) => select(word(a), word(b), word(condition));
/** Bytes of so many float32. */
export const floats = (count: Word) => op("i32.shl", word(count), int(2));

/** Several locals of one type, by name. */
export function locals<T extends ValueType, const N extends string>(
  local: MakeLocal,
  type: T,
  ...names: readonly N[]
): { readonly [K in N]: Local<T> } {
  return Object.fromEntries(names.map((name) => [name, local(type)])) as { [K in N]: Local<T> };
}

/** local = value. */
export const put = (local: Local<"i32">, value: Word): Statement => set(local, word(value));
/** local += amount. */
export const advance = (local: Local<"i32">, amount: Word): Statement => set(local, add(local, amount));

/** Runs the body as long as the condition, which is asked in two places, is not 0. */
export const loopWhile = (condition: Expression<"i32">, body: readonly Statement[]): Statement =>
  when(condition, [repeat(body, condition)]);

/** While `local < end`, signed: the body, then `local += step`. */
export const loop = (local: Local<"i32">, end: Word, step: Word, body: readonly Statement[]): Statement =>
  loopWhile(below(local, end), [...body, advance(local, step)]);

/** Runs the body `local` times, and leaves it 0. */
export const countDown = (local: Local<"i32">, body: readonly Statement[]): Statement =>
  when(local, [repeat(body, tee(local, sub(local, 1)))]);

/** x · w + sum: one rounding with relaxed SIMD, where the processor has it; two without. */
export function multiplyAdd({ relaxed }: Features, x: Vector, w: Vector, sum: Vector): Vector {
  return relaxed ? op("f32x4.relaxed_madd", x, w, sum) : op("f32x4.add", op("f32x4.mul", x, w), sum);
}

/**
 * min(max(value, low), high), where NaN stays NaN and −0 stays −0, as in the reference loops: `pmax(a, b)` is
 * `a < b ? b : a`. Every clamping activation is this with its own bounds; linear has infinite ones.
 */
export function clamp(value: Vector, { low, high }: ClampBounds): Vector {
  return op("f32x4.pmin", op("f32x4.pmax", value, low), high);
}

/** Floats that go as one: a vector, or two beside each other that V8 joins to a register of 256 bits. */
export type RegisterLanes = 4 | 8;

/** The vectors of a register. */
export type Register = readonly Local<"v128">[];

export function register(local: MakeLocal, lanes: RegisterLanes): Register {
  return Array.from({ length: lanes / 4 }, () => local("v128"));
}

export function loadRegister(into: Register, address: Word, offset: number): Statement {
  return into.map((vector, j) => set(vector, access("v128.load", offset + 16 * j, word(address))));
}

/** sum = x · w + sum. */
export function accumulate(features: Features, x: Register, w: Register, sum: Register): Statement {
  return sum.map((vector, j) => set(vector, multiplyAdd(features, x[j] as Vector, w[j] as Vector, vector)));
}

/**
 * The bounds of a clamp, and what is to be run right before the stores. V8 joins no vector that is a parameter, but the
 * spread of one number; made so late it takes no register from the sums.
 */
export function clampBounds(
  lanes: RegisterLanes,
  { low, high }: ClampBounds,
  local: MakeLocal,
): ClampBounds & { readonly ready: Statement } {
  if (lanes === 4) return { low, high, ready: [] };
  const own = { low: local("v128"), high: local("v128") };
  const spread = (vector: Vector) => op("f32x4.splat", extractLane(vector, 0));
  return { ...own, ready: [set(own.low, spread(low)), set(own.high, spread(high))] };
}

/**
 * Clamps vectors and stores them one behind the other.
 *
 * V8 joins what leads to two stores beside each other, of one address. What is wide stores the second of them first:
 * otherwise V8 stores the first once more, so that it is written even if the second lies beyond the memory. What is not
 * must not be joined, where another session has turned the switch on: V8 then keeps the bounds in wide registers across
 * calls, and Node 24 ends with "unreachable code". So every other vector has an address of its own.
 */
export function storeClamped(
  lanes: RegisterLanes,
  address: Expression<"i32">,
  vectors: readonly Vector[],
  bounds: ClampBounds,
): Statement {
  return vectors.map((_, i) => {
    const j = lanes === 4 ? i : i ^ 1;
    const apart = lanes === 4 && j % 2 === 1;
    const value = clamp(vectors[j] as Vector, bounds);
    return access("v128.store", 16 * (apart ? j - 1 : j), apart ? add(address, 16) : address, value);
  });
}

/** How many channels go at once: a vector, or one where fewer than four are left. */
export type Lanes = 4 | 1;

export function loadLanes(lanes: Lanes, address: Word, offset = 0): Vector {
  return access(lanes === 4 ? "v128.load" : "v128.load32_zero", offset, word(address));
}

export function storeLanes(lanes: Lanes, address: Word, value: Vector, offset = 0): Statement {
  if (lanes === 1) return storeLane("v128.store32_lane", offset, word(address), value);
  return access("v128.store", offset, word(address), value);
}

/** A loop over channels, counted by `at`: vectors of four as long as there are four, then one by one. */
export function overChannels(
  at: Local<"i32">,
  channels: Word,
  body: (lanes: Lanes) => readonly Statement[],
): readonly Statement[] {
  return [put(at, 0), loop(at, sub(channels, 3), 4, body(4)), loop(at, channels, 1, body(1))];
}
