/**
 * What a batch norm measures: of each chunk and channel the mean of its pixels and Σ (x − mean)², in two passes, the
 * second of them in the first cache. A chunk without pixels is left as it is.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { type ModuleBuilder, op, set, when } from "../assembler/index.ts";
import { add, type Features, floats, loadLanes, locals, mul, multiplyAdd, put, sub } from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { blockOf, overBlocks, storeBlock, vectorsOf } from "./blocks.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";
import { sumPixels } from "./pixel-sums.ts";

export const MOMENTS = /* @__PURE__ */ argumentBlock(["x", "partials", "channels"], CHUNK_WORDS);

/**
 * GB/s, each byte counted once, of chunks of 256 KB in the second cache with 16 / 128 / 1024 channels: 45 / 41 / 12; in
 * one chain a vector 32 / 33 / 12; in blocks of 8 vectors and one chain 28 / 31 / 17. Where V8 joins vectors 55 / 57 / 16.
 */
const WIDTHS = { 4: [4, 2, 1], 8: [8, 4, 2, 1] } as const;
const CHAINS = 2;

export function moments(module: ModuleBuilder, features: Features, { lanes }: Pick<Tile, "lanes">) {
  return kernel(module, "moments", MOMENTS, (scope) => {
    const range = chunkRange(scope);
    const v = locals(scope.local, "i32", "pixels", "x", "channel", "at", "left", "bytes", "to");
    const all = vectorsOf(scope.local, CHAINS * WIDTHS[lanes][0]);
    const means = vectorsOf(scope.local, WIDTHS[lanes][0]);
    const x = scope.local("v128");
    const count = scope.local("v128");
    return [
      ...range.find,
      put(v.pixels, sub(range.end, range.start)),
      put(v.bytes, floats(scope.channels)),
      put(v.x, add(scope.x, mul(range.start, v.bytes))),
      set(count, op("f32x4.splat", op("f32.convert_i32_u", v.pixels))),
      when(v.pixels, [
        ...overBlocks(v.channel, scope.channels, WIDTHS[lanes], (block) => {
          const sums = blockOf(block, all);
          const pass = (term: (j: number, sum: (typeof all)[number]) => ReturnType<typeof set>) => [
            put(v.at, add(v.x, floats(v.channel))),
            ...sumPixels({
              ...{ chains: CHAINS, block, sums: [all], pixels: v.pixels, bytes: v.bytes, left: v.left },
              addresses: [v.at],
              add: (j, [sum]) => [set(x, loadLanes(block.lanes, v.at, 16 * j)), term(j, sum as typeof x)],
            }),
          ];
          return [
            ...pass((_, sum) => set(sum, op("f32x4.add", sum, x))),
            sums.map((sum, j) => set(means[j] as typeof x, op("f32x4.div", sum, count))),
            ...pass((j, sum) => [
              set(x, op("f32x4.sub", x, means[j] as typeof x)),
              set(sum, multiplyAdd(features, x, x, sum)),
            ]),
            put(v.to, add(scope.partials, add(mul(mul(scope.from, v.bytes), 2), floats(v.channel)))),
            storeBlock(block, v.to, blockOf(block, means), lanes),
            put(v.to, add(v.to, v.bytes)),
            storeBlock(block, v.to, sums, lanes),
          ];
        }),
      ]),
    ];
  });
}
