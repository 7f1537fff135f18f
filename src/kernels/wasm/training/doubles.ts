/** Float64 in vectors of two, for four channels at once or a single one: what is summed over the chunks of a batch. */

import {
  access,
  type Expression,
  float,
  type Local,
  type MakeLocal,
  op,
  type Statement,
  set,
  storeLane,
  when,
} from "../assembler/index.ts";
import { type Lanes, least, loop, mul, put, sub } from "../emit.ts";

type Vector = Expression<"v128">;
type Word = Expression<"i32">;

const F64X2_SPLAT = [0xfd014, "d", "v"] as const;
const F64X2_ADD = [0xfd0f0, "vv", "v"] as const;
const F64X2_SUB = [0xfd0f1, "vv", "v"] as const;
const F64X2_DIV = [0xfd0f3, "vv", "v"] as const;
const F64X2_SQRT = [0xfd0ef, "v", "v"] as const;
export const F64_MUL = [0xa2, "dd", "d"] as const;
export const F64_DIV = [0xa3, "dd", "d"] as const;
const F32_REINTERPRET = [0xbe, "i", "f"] as const;
const F64_CONVERT = [0xb8, "i", "d"] as const;

/** Channels as float64: two vectors for four of them, one for a single one. */
export type Doubles = readonly Local<"v128">[];

export const doubles = (local: MakeLocal): Doubles => [local("v128"), local("v128")];

/** Sets those that count for so many lanes. */
export function setDoubles(lanes: Lanes, into: Doubles, value: (half: number) => Vector): Statement {
  return into.slice(0, lanes === 4 ? 2 : 1).map((vector, half) => set(vector, value(half)));
}

/** Two floats, or the one that there is, as float64. */
export function promoted(lanes: Lanes, address: Word, half: number, offset = 0): Vector {
  const name = lanes === 4 ? "v128.load64_zero" : "v128.load32_zero";
  return op("f64x2.promote_low_f32x4", access(name, offset + 8 * half, address));
}

/** Rounds to float32 and stores. */
export function storeDoubles(lanes: Lanes, address: Word, value: (half: number) => Vector): Statement {
  const rounded = (half: number) => op("f32x4.demote_f64x2_zero", value(half));
  if (lanes === 1) return storeLane("v128.store32_lane", 0, address, rounded(0));
  return [0, 1].map((half) => storeLane("v128.store64_lane", 8 * half, address, rounded(half)));
}

/** A loop over the channels of a range of groups of four. */
export function overGroups(
  at: Local<"i32">,
  end: Local<"i32">,
  scope: { readonly [W in "from" | "to" | "channels"]: Word },
  body: (lanes: Lanes) => readonly Statement[],
): readonly Statement[] {
  return [
    put(at, mul(scope.from, 4)),
    put(end, least(mul(scope.to, 4), scope.channels)),
    loop(at, sub(end, 3), 4, body(4)),
    loop(at, end, 1, body(1)),
  ];
}

export const plus = (a: Vector, b: Vector): Vector => op(F64X2_ADD, a, b);
export const minus = (a: Vector, b: Vector): Vector => op(F64X2_SUB, a, b);
export const times = (a: Vector, b: Vector): Vector => op("f64x2.mul", a, b);
export const over = (a: Vector, b: Vector): Vector => op(F64X2_DIV, a, b);
export const root = (a: Vector): Vector => op(F64X2_SQRT, a);
export const spread = (value: Expression<"f64">): Vector => op(F64X2_SPLAT, value);
export const spreadNumber = (value: number): Vector => spread(op("f64.promote_f32", float(value)));
/** A count. */
export const asDouble = (count: Word): Expression<"f64"> => op(F64_CONVERT, count);
/** The word that is the bits of a float32. */
export function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

/** The float32 whose bits a word is. */
export const fromBits = (bits: Word): Expression<"f64"> => op("f64.promote_f32", op(F32_REINTERPRET, bits));

/** Stores a sum, or adds it to what is there: `adds` is the address of an i32, 0 or 1. */
export function addOrStore(lanes: Lanes, address: Word, adds: Word, sum: Doubles): Statement {
  return when(
    access("i32.load", 0, adds),
    [storeDoubles(lanes, address, (half) => plus(promoted(lanes, address, half), sum[half] as Vector))],
    [storeDoubles(lanes, address, (half) => sum[half] as Vector)],
  );
}
