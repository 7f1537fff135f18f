/** Of each chunk and channel Σ dy′ and Σ dy′ · x̂, where dy′ is dy where the clamp let through. */

import { argumentBlock, kernel } from "../arguments.ts";
import { type ModuleBuilder, op, set, when } from "../assembler/index.ts";
import { add, clampBounds, type Features, floats, loadLanes, locals, mul, multiplyAdd, put, sub } from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { blockOf, type ChannelBlock, overBlocks, storeBlock, vectorsOf } from "./blocks.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";
import { inRow, isLinear, normalised, normLocals, readNorm, readRow, throughClamp } from "./norm-values.ts";
import { sumPixels } from "./pixel-sums.ts";
import { touch } from "./touch.ts";

export const NORM_SUMS = /* @__PURE__ */ argumentBlock(["dy", "x", "norm", "partials", "channels"], CHUNK_WORDS);

/**
 * GB/s of dy and x, of chunks with 256 KB each in the second cache, 16 / 128 / 1024 channels. With a clamp, which wants
 * more registers, blocks of 2 vectors: 45 / 42 / 28; of 4: 27 / 26 / 22; of 2 in two chains a vector 34 / 30 / 24. Without
 * one blocks of 4: 105 / 75 / 52; of 2: 56 / 53 / 20. Where V8 joins vectors 88 / 79 / 51, and 112 / 105 / 82.
 */
const CLAMPED = { 4: [2, 1], 8: [4, 2, 1] } as const;
const LINEAR = { 4: [4, 2, 1], 8: [8, 4, 2, 1] } as const;
const CHAINS = 1;

export function normSums(module: ModuleBuilder, features: Features, { lanes }: Pick<Tile, "lanes">) {
  return kernel(module, "normSums", NORM_SUMS, (scope) => {
    const range = chunkRange(scope);
    const v = locals(scope.local, "i32", "pixels", "dy", "x", "channel", "dyAt", "xAt", "left", "bytes", "to", "at");
    const norm = normLocals(scope.local, CLAMPED[lanes][0]);
    const means = vectorsOf(scope.local, LINEAR[lanes][0]);
    const both = [vectorsOf(scope.local, LINEAR[lanes][0]), vectorsOf(scope.local, LINEAR[lanes][0])] as const;
    const [x, dy, value] = [scope.local("v128"), scope.local("v128"), scope.local("v128")];
    const bounds = clampBounds(lanes, scope.bounds, scope.local);
    const sums = (block: ChannelBlock, hasClamp: boolean) =>
      sumPixels({
        ...{ chains: CHAINS, block, sums: both },
        ...{ pixels: v.pixels, bytes: v.bytes, left: v.left },
        addresses: [v.dyAt, v.xAt],
        add: (j, [sum, product]) => [
          set(dy, loadLanes(block.lanes, v.dyAt, 16 * j)),
          set(x, loadLanes(block.lanes, v.xAt, 16 * j)),
          hasClamp ? [set(value, normalised(features, x, norm, j)), set(dy, throughClamp(dy, value, bounds))] : [],
          set(sum as typeof x, op("f32x4.add", sum as typeof x, dy)),
          set(
            product as typeof x,
            multiplyAdd(features, dy, op("f32x4.sub", x, means[j] as typeof x), product as typeof x),
          ),
        ],
      });
    const goOver = (widths: readonly number[], hasClamp: boolean) =>
      overBlocks(v.channel, scope.channels, widths, (block) => [
        hasClamp ? [readNorm(block, norm, v.to, scope, v.channel), bounds.ready] : [],
        readRow(block, means, v.to, inRow(scope.norm, 2, scope.channels, v.channel)),
        put(v.dyAt, add(v.dy, floats(v.channel))),
        put(v.xAt, add(v.x, floats(v.channel))),
        ...sums(block, hasClamp),
        put(v.to, add(scope.partials, add(mul(mul(scope.from, v.bytes), 2), floats(v.channel)))),
        storeBlock(block, v.to, blockOf(block, both[0]), lanes),
        // What is the same for all pixels comes last: 1 / √(variance + epsilon).
        readRow(block, means, v.at, inRow(scope.norm, 3, scope.channels, v.channel)),
        put(v.to, add(v.to, v.bytes)),
        storeBlock(
          block,
          v.to,
          blockOf(block, means).map((inverse, j) => op("f32x4.mul", both[1][j] as typeof x, inverse)),
          lanes,
        ),
      ]);
    return [
      ...range.find,
      put(v.pixels, sub(range.end, range.start)),
      put(v.bytes, floats(scope.channels)),
      put(v.dy, add(scope.dy, mul(range.start, v.bytes))),
      put(v.x, add(scope.x, mul(range.start, v.bytes))),
      when(v.pixels, [
        touch(v.at, v.left, v.x, mul(v.pixels, v.bytes)),
        when(isLinear(scope.bounds), [...goOver(LINEAR[lanes], false)], [...goOver(CLAMPED[lanes], true)]),
      ]),
    ];
  });
}
