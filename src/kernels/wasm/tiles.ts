/** Which tile each engine runs best: one table, measured. */

import type { Features, RegisterLanes } from "./emit.ts";

/** A tile of the product: pixels × channels in registers, and steps of k in one turn of the loop. */
export interface Tile {
  readonly rows: number;
  /** A multiple of 4. */
  readonly columns: number;
  readonly unroll: number;
  /** Floats in a register: 8 where the engine joins two equal operations on neighbours to one of 256 bits. */
  readonly lanes: RegisterLanes;
  /** Panels that a lone pixel takes at once. */
  readonly lone: number;
  /** A tile for so few output channels that of this one much would be computed in vain. */
  readonly slim?: Tile;
}

/**
 * V8 gives fifteen vector registers. Relaxed SIMD: 12 sums, 2 of weights, 1 of a pixel. Plain SIMD needs one more,
 * for the product. V8 before version 12 puts all loads of a turn in front, and spills unless a turn is one step.
 *
 * Wide, where vectors are joined: 12 sums, 2 of weights, 1 of a pixel again, of 256 bits. Milliseconds of 1.0-224 and
 * 0.25-128 there (Node 24, medians of 3 processes each): 6 × 16 unrolled 2 times 11.97, 0.344; once 13.72, 0.380; 4 times
 * 11.99, 0.346; 5 × 16 12.47, 0.347; 4 × 16 unrolled 4 times 12.59, 0.351; without the slim tile 0.367.
 */
export const TILES = {
  relaxed: { rows: 6, columns: 8, unroll: 4, lone: 4, lanes: 4 },
  plain: { rows: 2, columns: 16, unroll: 4, lone: 2, lanes: 4 },
  early: { rows: 2, columns: 16, unroll: 1, lone: 1, lanes: 4 },
  wide: {
    rows: 6,
    columns: 16,
    unroll: 2,
    lone: 4,
    lanes: 8,
    slim: { rows: 12, columns: 8, unroll: 2, lone: 2, lanes: 8 },
  },
} as const satisfies Readonly<Record<string, Tile>>;

export type TileName = keyof typeof TILES;

/** Channels computed in whole panels, over those that are wanted, from which on a slim tile is faster. */
const MOST_IN_VAIN = 1.2;

/** Modules of the product. */
export type ProductModule = "product" | "product-slim";

/** The module whose tile suits so many output channels, and the columns of that. */
export function productFor(
  outChannels: number,
  { columns, slim }: Tile,
): { readonly module: ProductModule; readonly columns: number } {
  const computed = Math.ceil(outChannels / columns) * columns;
  if (slim === undefined || computed <= MOST_IN_VAIN * outChannels) return { module: "product", columns };
  return { module: "product-slim", columns: slim.columns };
}

/** The row for an engine. `isEarly`: V8 before version 12, or an engine nobody measured. */
export function chooseTiles({ relaxed }: Features, isEarly: boolean): TileName {
  if (relaxed) return "relaxed";
  return isEarly ? "early" : "plain";
}
