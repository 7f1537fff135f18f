/**
 * How kernels go over the pixels of a chunk where each channel has coefficients or sums of its own: channels in blocks
 * of some vectors, whose coefficients stay in registers over the pixels; and pixels in strips, so that a line of the
 * cache that one block leaves half read is still there for the next.
 */

import { access, type Expression, type Local, type MakeLocal, type Statement, set } from "../assembler/index.ts";
import {
  add,
  advance,
  type Lanes,
  least,
  loadLanes,
  loop,
  loopWhile,
  put,
  type RegisterLanes,
  storeLanes,
  sub,
} from "../emit.ts";

type Word = Expression<"i32"> | number;
type Vector = Expression<"v128">;
type VectorLocal = Local<"v128">;

/** So many vectors, of four channels or of a single one. */
export interface ChannelBlock {
  readonly vectors: number;
  readonly lanes: Lanes;
}

/** A loop over channels, counted by `at`: blocks of the widths given, widest first, then channels one by one. */
export function overBlocks(
  at: Local<"i32">,
  channels: Word,
  widths: readonly number[],
  body: (block: ChannelBlock) => readonly Statement[],
): readonly Statement[] {
  return [
    put(at, 0),
    ...widths.map((vectors) => loop(at, sub(channels, 4 * vectors - 1), 4 * vectors, body({ vectors, lanes: 4 }))),
    loop(at, channels, 1, body({ vectors: 1, lanes: 1 })),
  ];
}

/** Pixels in strips: the body runs for `strip` of them, moves on what points at them, and `pixels` is 0 at last. */
export function overStrips(
  pixels: Local<"i32">,
  strip: Local<"i32">,
  most: number,
  body: readonly Statement[],
): Statement {
  return loopWhile(pixels, [put(strip, least(pixels, most)), ...body, advance(pixels, sub(0, strip))]);
}

/** Locals for a value of each vector that a block may have. */
export function vectorsOf(local: MakeLocal, count: number): readonly VectorLocal[] {
  return Array.from({ length: count }, () => local("v128"));
}

/** The first locals of a list: those that a block has. */
export const blockOf = ({ vectors }: ChannelBlock, all: readonly VectorLocal[]): readonly VectorLocal[] =>
  all.slice(0, vectors);

/** Loads a block, from `address` on. */
export function loadBlock(block: ChannelBlock, into: readonly VectorLocal[], address: Word): Statement {
  return blockOf(block, into).map((vector, j) => set(vector, loadLanes(block.lanes, address, 16 * j)));
}

/** Sets each vector of a block to one. */
export function setBlock(block: ChannelBlock, into: readonly VectorLocal[], value: Vector): Statement {
  return blockOf(block, into).map((vector, j) => set(vector, j === 0 ? value : (into[0] as VectorLocal)));
}

/**
 * Stores a block. Wide, the second vector of each pair stands first, and V8 joins the two; else every other vector has an
 * address of its own, so that V8 joins none (`storeClamped` says why).
 */
export function storeBlock(
  { lanes }: ChannelBlock,
  address: Expression<"i32">,
  values: readonly Vector[],
  registerLanes: RegisterLanes = 4,
): Statement {
  if (lanes === 1) return values.map((value) => storeLanes(1, address, value));
  return values.map((_, i) => {
    const j = registerLanes === 8 && values.length % 2 === 0 ? i ^ 1 : i;
    const apart = registerLanes === 4 && j % 2 === 1;
    return access("v128.store", 16 * (apart ? j - 1 : j), apart ? add(address, 16) : address, values[j] as Vector);
  });
}
