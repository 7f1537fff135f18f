/**
 * What kernels read of a `norm` and a `normGradient`, and the one expression by which a value is normalised: whoever
 * asks whether a pixel was clamped must get the very number that was clamped.
 */

import type { Bounds } from "../arguments.ts";
import {
  type Expression,
  extractLane,
  float,
  type Local,
  type MakeLocal,
  op,
  type Statement,
  when,
} from "../assembler/index.ts";
import { add, below, choose, type Features, floats, mul, multiplyAdd, put } from "../emit.ts";
import { type ChannelBlock, loadBlock, setBlock, vectorsOf } from "./blocks.ts";

type Vector = Expression<"v128">;
type Word = Expression<"i32">;

const GREATER = [0xfd044, "vv", "v"] as const;
const LESS = [0xfd043, "vv", "v"] as const;
const AND = [0xfd04e, "vv", "v"] as const;
const SAME = [0x5b, "ff", "i"] as const;

/** A value splat over a vector. */
export const splat = (value: number): Vector => op("f32x4.splat", float(value));

/** Scale and shift of a block's channels. */
export interface NormLocals {
  readonly scale: readonly Local<"v128">[];
  readonly shift: readonly Local<"v128">[];
}

export function normLocals(local: MakeLocal, vectors: number): NormLocals {
  return { scale: vectorsOf(local, vectors), shift: vectorsOf(local, vectors) };
}

/** The address of a channel in a row of a `norm` or a `normGradient`. */
export const inRow = (base: Word, row: number, channels: Word, channel: Word): Word =>
  add(base, floats(row === 0 ? channel : add(mul(channels, row), channel)));

/** Loads a row of them for a block, from an address of its own, so that V8 sees vectors beside each other. */
export function readRow(
  block: ChannelBlock,
  into: readonly Local<"v128">[],
  at: Local<"i32">,
  address: Word,
): Statement {
  return [put(at, address), loadBlock(block, into, at)];
}

/** Reads scale and shift; without a norm they are 1 and −0, with which every number stays what it is, −0 too. */
export function readNorm(
  block: ChannelBlock,
  { scale, shift }: NormLocals,
  at: Local<"i32">,
  { norm, channels }: { readonly norm: Word; readonly channels: Word },
  channel: Word,
): Statement {
  return when(
    norm,
    [
      readRow(block, scale, at, inRow(norm, 0, channels, channel)),
      readRow(block, shift, at, inRow(norm, 1, channels, channel)),
    ],
    [setBlock(block, scale, splat(1)), setBlock(block, shift, splat(-0))],
  );
}

/**
 * From so many channels on pixels go one by one, with coefficients from the nearest cache: rows of some KB put the pixels
 * of a strip into a few sets of it. GB/s of chunks in the second cache, in strips and one by one: normalised 512 channels
 * 20 and 23, 1024 11 and 22; gradients through a clamp 9 and 18, 5 and 15; but of 256 channels 30 and 23, 21 and 18.
 */
const IN_ORDER = 300;

/** Whether they go so, where there are coefficients to read. */
export function goesPixelByPixel({
  norm,
  channels,
}: {
  readonly norm: Word;
  readonly channels: Word;
}): Expression<"i32"> {
  return choose(norm, below(IN_ORDER - 1, channels), 0);
}

/** x · scale + shift: everywhere this expression. */
export function normalised(features: Features, x: Vector, { scale, shift }: NormLocals, vector: number): Vector {
  return multiplyAdd(features, x, scale[vector] as Vector, shift[vector] as Vector);
}

/** Bounds of a clamp, in the registers that the kernel wants. */
interface VectorBounds {
  readonly low: Vector;
  readonly high: Vector;
}

/** dy where a normalised value lies within the bounds, not on them; else 0. */
export function throughClamp(dy: Vector, value: Local<"v128">, { low, high }: VectorBounds): Vector {
  return op(AND, dy, op(AND, op(GREATER, value, low), op(LESS, value, high)));
}

/** Whether there is a clamp: `linear` has none, and its gradient is dy even where a value is infinite. */
export const isLinear = ({ low }: Bounds): Expression<"i32"> =>
  op(SAME, extractLane(low, 0), float(Number.NEGATIVE_INFINITY));
