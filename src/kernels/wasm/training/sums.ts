/**
 * Sums over pixels, chunk by chunk and then over chunks, and over the partial results of groups of chunks. `adds` is the
 * address of an i32: 0 where the result is written, 1 where it is added to what is there.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, type ModuleBuilder, op, set, when } from "../assembler/index.ts";
import { add, choose, divide, floats, loadLanes, locals, loop, mul, put, sub } from "../emit.ts";
import { blockOf, loadBlock, overBlocks, storeBlock, vectorsOf } from "./blocks.ts";
import { CHUNK_WORDS, chunkRange, chunksOf } from "./chunks.ts";
import { addOrStore, doubles, overGroups, plus, promoted, setDoubles, spreadNumber } from "./doubles.ts";
import { sumPixels } from "./pixel-sums.ts";

type Rows = ReturnType<typeof vectorsOf>;

export const COLUMN_SUMS = /* @__PURE__ */ argumentBlock(
  ["x", "partials", "channels", "offset", "before"],
  CHUNK_WORDS,
);
export const FINISH_SUMS = /* @__PURE__ */ argumentBlock(["partials", "y", "adds", "channels"], CHUNK_WORDS);
export const REDUCE = /* @__PURE__ */ argumentBlock(
  ["partials", "y", "adds", "rows", "columns", "stride", "per"],
  CHUNK_WORDS,
);

/** GB/s of chunks of 256 KB with 16 / 128 / 1024 channels: 93 / 91 / 49; in blocks of at most 4 vectors 93 / 89 / 27. */
const WIDTHS = [8, 4, 2, 1] as const;
const CHAINS = 2;

/** Of each chunk and channel Σ x; with x = 0 of the thread's scratch. */
export function columnSums(module: ModuleBuilder) {
  return kernel(module, "columnSums", COLUMN_SUMS, (scope) => {
    const range = chunkRange(scope);
    const v = locals(scope.local, "i32", "pixels", "x", "channel", "at", "left", "bytes");
    const all = vectorsOf(scope.local, CHAINS * WIDTHS[0]);
    const inScratch = add(scope.scratch, add(scope.offset, mul(scope.before, v.bytes)));
    return [
      ...range.find,
      put(v.pixels, sub(range.end, range.start)),
      put(v.bytes, floats(scope.channels)),
      put(v.x, choose(scope.x, add(scope.x, mul(range.start, v.bytes)), inScratch)),
      when(v.pixels, [
        ...overBlocks(v.channel, scope.channels, WIDTHS, (block) => [
          put(v.at, add(v.x, floats(v.channel))),
          ...sumPixels({
            ...{ chains: CHAINS, block, sums: [all], pixels: v.pixels, bytes: v.bytes, left: v.left },
            addresses: [v.at],
            add: (j, [sum]) =>
              set(sum as Rows[number], op("f32x4.add", sum as Rows[number], loadLanes(block.lanes, v.at, 16 * j))),
          }),
          put(v.at, add(scope.partials, add(mul(scope.from, v.bytes), floats(v.channel)))),
          storeBlock(block, v.at, blockOf(block, all)),
        ]),
      ]),
    ];
  });
}

/** y = Σ of the chunks in order, in float64. The range counts groups of four channels. */
export function finishSums(module: ModuleBuilder) {
  return kernel(module, "finishSums", FINISH_SUMS, (scope) => {
    const v = locals(scope.local, "i32", "channel", "end", "chunk", "chunks", "at");
    const range = chunkRange({ ...scope, from: v.chunk });
    const sum = doubles(scope.local);
    return [
      put(v.chunks, chunksOf(scope)),
      ...overGroups(v.channel, v.end, scope, (lanes) => [
        setDoubles(lanes, sum, () => spreadNumber(0)),
        put(v.at, add(scope.partials, floats(v.channel))),
        put(v.chunk, 0),
        loop(v.chunk, v.chunks, 1, [
          ...range.find,
          when(sub(range.end, range.start), [
            setDoubles(lanes, sum, (half) => plus(sum[half] as Rows[number], promoted(lanes, v.at, half))),
          ]),
          put(v.at, add(v.at, floats(scope.channels))),
        ]),
        put(v.at, add(scope.y, floats(v.channel))),
        addOrStore(lanes, v.at, scope.adds, sum),
      ]),
    ];
  });
}

/**
 * y[row][column] = Σ partials[group][row][column], in order, of the groups of `per` chunks that have begun in this batch:
 * each of them must have been written, though its chunks be empty. A row of partials has `stride` floats. The range
 * counts rows.
 */
export function reduce(module: ModuleBuilder) {
  return kernel(module, "reduce", REDUCE, (scope) => {
    const v = locals(scope.local, "i32", "row", "column", "groups", "left", "at", "y", "groupBytes");
    const sums = vectorsOf(scope.local, WIDTHS[0]);
    const x = scope.local("v128");
    return [
      put(v.groups, divide(sub(add(chunksOf(scope), scope.per), 1), scope.per)),
      put(v.groupBytes, floats(mul(scope.rows, scope.stride))),
      put(v.row, scope.from),
      loop(v.row, scope.to, 1, [
        ...overBlocks(v.column, scope.columns, WIDTHS, (block) => [
          put(v.at, add(scope.partials, floats(add(mul(v.row, scope.stride), v.column)))),
          put(v.y, add(scope.y, floats(add(mul(v.row, scope.columns), v.column)))),
          loadBlock(block, sums, v.at),
          put(v.left, 1),
          loop(v.left, v.groups, 1, [
            put(v.at, add(v.at, v.groupBytes)),
            blockOf(block, sums).map((sum, j) => set(sum, op("f32x4.add", sum, loadLanes(block.lanes, v.at, 16 * j)))),
          ]),
          when(access("i32.load", 0, scope.adds), [
            blockOf(block, sums).map((sum, j) => [
              set(x, loadLanes(block.lanes, v.y, 16 * j)),
              set(sum, op("f32x4.add", x, sum)),
            ]),
          ]),
          storeBlock(block, v.y, blockOf(block, sums)),
        ]),
      ]),
    ];
  });
}
