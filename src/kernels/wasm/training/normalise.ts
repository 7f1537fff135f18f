/**
 * y = clamp(x · scale + shift) over the pixels of a chunk and its halo; without a norm y = clamp(x). To y, at the place
 * it has in x, or with y = 0 to the thread's scratch.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { type ModuleBuilder, set, when } from "../assembler/index.ts";
import {
  add,
  advance,
  below,
  choose,
  clamp,
  clampBounds,
  countDown,
  type Features,
  floats,
  locals,
  mul,
  put,
  sub,
} from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { blockOf, type ChannelBlock, loadBlock, overBlocks, overStrips, storeBlock, vectorsOf } from "./blocks.ts";
import { CHUNK_WORDS, chunkRange, SCRATCH_WORDS } from "./chunks.ts";
import { goesPixelByPixel, normalised, normLocals, readNorm, readRow } from "./norm-values.ts";
import { touch } from "./touch.ts";

export const NORMALISE = /* @__PURE__ */ argumentBlock(
  ["x", "y", "norm", "channels"],
  [...CHUNK_WORDS, ...SCRATCH_WORDS],
);

/**
 * GB/s read, and as much written, of chunks of 256 KB in the second cache with 16 / 128 channels in strips: 40 / 39; in
 * blocks of 2 vectors 34 / 34; with strips as long as the chunk 43 / 38. Where V8 joins vectors 54 / 55.
 */
const WIDTHS = { 4: [4, 2, 1], 8: [8, 4, 2, 1] } as const;
const STRIP = 16;

export function normalise(module: ModuleBuilder, features: Features, { lanes }: Pick<Tile, "lanes">) {
  return kernel(module, "normalise", NORMALISE, (scope) => {
    const range = chunkRange(scope);
    const names = ["first", "pixels", "strip", "x", "y", "channel", "from", "to", "at", "left", "bytes"] as const;
    const v = locals(scope.local, "i32", ...names);
    const rows = locals(scope.local, "i32", "scale", "shift");
    const widths = WIDTHS[lanes];
    const bounds = clampBounds(lanes, scope.bounds, scope.local);
    const norm = normLocals(scope.local, widths[0]);
    const values = vectorsOf(scope.local, widths[0]);
    const inScratch = add(scope.scratch, add(scope.offset, mul(add(sub(v.first, range.start), scope.before), v.bytes)));
    const goThrough = (block: ChannelBlock) => [
      loadBlock(block, values, v.from),
      blockOf(block, values).map((value, j) => set(value, clamp(normalised(features, value, norm, j), bounds))),
      storeBlock(block, v.to, blockOf(block, values), lanes),
    ];
    const inStrips = overStrips(v.pixels, v.strip, STRIP, [
      ...overBlocks(v.channel, scope.channels, widths, (block) => [
        readNorm(block, norm, v.from, scope, v.channel),
        put(v.from, add(v.x, floats(v.channel))),
        put(v.to, add(v.y, floats(v.channel))),
        bounds.ready,
        put(v.left, v.strip),
        countDown(v.left, [...goThrough(block), advance(v.from, v.bytes), advance(v.to, v.bytes)]),
      ]),
      advance(v.x, mul(v.strip, v.bytes)),
      advance(v.y, mul(v.strip, v.bytes)),
    ]);
    const byPixel = [
      put(rows.scale, scope.norm),
      put(rows.shift, add(scope.norm, v.bytes)),
      bounds.ready,
      countDown(v.pixels, [
        ...overBlocks(v.channel, scope.channels, widths, (block) => [
          put(v.at, floats(v.channel)),
          readRow(block, norm.scale, v.from, add(rows.scale, v.at)),
          readRow(block, norm.shift, v.from, add(rows.shift, v.at)),
          put(v.from, add(v.x, v.at)),
          put(v.to, add(v.y, v.at)),
          ...goThrough(block),
        ]),
        advance(v.x, v.bytes),
        advance(v.y, v.bytes),
      ]),
    ];
    return [
      ...range.find,
      put(v.first, range.first(scope.before)),
      put(v.pixels, sub(range.last(scope.after), v.first)),
      put(v.bytes, floats(scope.channels)),
      put(v.x, add(scope.x, mul(v.first, v.bytes))),
      put(v.y, choose(scope.y, add(scope.y, mul(v.first, v.bytes)), inScratch)),
      when(below(0, v.pixels), [
        touch(v.at, v.left, v.x, mul(v.pixels, v.bytes)),
        when(goesPixelByPixel(scope), byPixel, [inStrips]),
      ]),
    ];
  });
}
