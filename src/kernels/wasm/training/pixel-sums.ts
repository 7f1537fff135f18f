/** Sums over the pixels of a chunk, several chains a channel, so that an addition need not wait for the one before it. */

import { type Expression, type Local, op, type Statement, set } from "../assembler/index.ts";
import { advance, countDown, divide, put, remainder } from "../emit.ts";
import { type ChannelBlock, setBlock } from "./blocks.ts";
import { splat } from "./norm-values.ts";

type VectorLocal = Local<"v128">;

export interface PixelSums {
  readonly chains: number;
  readonly block: ChannelBlock;
  /** For each thing that is summed as many as chains have vectors. */
  readonly sums: readonly (readonly VectorLocal[])[];
  readonly pixels: Expression<"i32">;
  readonly bytes: Expression<"i32">;
  readonly left: Local<"i32">;
  /** What points at the pixels, at the first of them. */
  readonly addresses: readonly Local<"i32">[];
  /** Adds vector `j` of a pixel to a sum of each list. */
  readonly add: (j: number, sums: readonly VectorLocal[]) => Statement;
}

/**
 * Pixels go to the chains in turn, and those that are left over to the first. Then all chains are added to the first, in
 * order. So the order depends on the number of pixels and channels alone.
 */
export function sumPixels(how: PixelSums): readonly Statement[] {
  const { vectors } = how.block;
  const { chains } = how;
  const pixel = (chain: number) => [
    Array.from({ length: vectors }, (_, j) =>
      how.add(
        j,
        how.sums.map((all) => all[chain * vectors + j] as VectorLocal),
      ),
    ),
    how.addresses.map((address) => advance(address, how.bytes)),
  ];
  return [
    how.sums.map((all) => setBlock({ vectors: chains * vectors, lanes: 4 }, all, splat(0))),
    put(how.left, divide(how.pixels, chains)),
    countDown(how.left, Array.from({ length: chains }, (_, chain) => pixel(chain)).flat()),
    chains === 1 ? [] : [put(how.left, remainder(how.pixels, chains)), countDown(how.left, pixel(0))],
    how.sums.map((all) =>
      Array.from({ length: (chains - 1) * vectors }, (_, i) => {
        const sum = all[i % vectors] as VectorLocal;
        return set(sum, op("f32x4.add", sum, all[vectors + i] as VectorLocal));
      }),
    ),
  ];
}
