/** Of each chunk and channel Σ dy′ and Σ dy′ · x̂, where dy′ is dy where the clamp let through. */

import { argumentBlock, kernel } from "../arguments.ts";
import { type ModuleBuilder, op, set, when } from "../assembler/index.ts";
import { add, type Features, floats, loadLanes, locals, mul, multiplyAdd, put, sub } from "../emit.ts";
import { type Block, blockOf, loadBlock, overBlocks, storeBlock, vectorsOf } from "./blocks.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";
import { inRow, isLinear, normalised, readNorm, scaleAndShift, throughClamp } from "./norm-values.ts";
import { sumPixels } from "./pixel-sums.ts";

export const NORM_SUMS = /* @__PURE__ */ argumentBlock(["dy", "x", "norm", "partials", "channels"], CHUNK_WORDS);

const WIDTHS = [2, 1] as const;
const CHAINS = 2;

export function normSums(module: ModuleBuilder, features: Features) {
  return kernel(module, "normSums", NORM_SUMS, (scope) => {
    const range = chunkRange(scope);
    const v = locals(scope.local, "i32", "pixels", "dy", "x", "channel", "dyAt", "xAt", "left", "bytes", "to");
    const norm = scaleAndShift(scope.local, WIDTHS[0]);
    const means = vectorsOf(scope.local, WIDTHS[0]);
    const both = [vectorsOf(scope.local, CHAINS), vectorsOf(scope.local, CHAINS)] as const;
    const [x, dy, value] = [scope.local("v128"), scope.local("v128"), scope.local("v128")];
    const sums = (block: Block, hasClamp: boolean) =>
      sumPixels({
        ...{ chains: CHAINS, block, sums: both, pixels: v.pixels, bytes: v.bytes, left: v.left },
        addresses: [v.dyAt, v.xAt],
        add: (j, [sum, product]) => [
          set(dy, loadLanes(block.lanes, v.dyAt, 16 * j)),
          set(x, loadLanes(block.lanes, v.xAt, 16 * j)),
          hasClamp
            ? [set(value, normalised(features, x, norm, j)), set(dy, throughClamp(dy, value, scope.bounds))]
            : [],
          set(sum as typeof x, op("f32x4.add", sum as typeof x, dy)),
          set(
            product as typeof x,
            multiplyAdd(features, dy, op("f32x4.sub", x, means[j] as typeof x), product as typeof x),
          ),
        ],
      });
    return [
      ...range.find,
      put(v.pixels, sub(range.end, range.start)),
      put(v.bytes, floats(scope.channels)),
      put(v.dy, add(scope.dy, mul(range.start, v.bytes))),
      put(v.x, add(scope.x, mul(range.start, v.bytes))),
      when(v.pixels, [
        ...overBlocks(v.channel, scope.channels, WIDTHS, (block) => [
          readNorm(block, norm, scope.norm, scope.channels, v.channel),
          loadBlock(block, means, inRow(scope.norm, 2, scope.channels, v.channel)),
          put(v.dyAt, add(v.dy, floats(v.channel))),
          put(v.xAt, add(v.x, floats(v.channel))),
          when(isLinear(scope.bounds), [...sums(block, false)], [...sums(block, true)]),
          put(v.to, add(scope.partials, add(mul(mul(scope.from, v.bytes), 2), floats(v.channel)))),
          storeBlock(block, v.to, blockOf(block, both[0])),
          // What is the same for all pixels comes last: 1 / √(variance + epsilon).
          loadBlock(block, means, inRow(scope.norm, 3, scope.channels, v.channel)),
          storeBlock(
            block,
            add(v.to, v.bytes),
            blockOf(block, means).map((inverse, j) => op("f32x4.mul", both[1][j] as typeof x, inverse)),
          ),
        ]),
      ]),
    ];
  });
}
