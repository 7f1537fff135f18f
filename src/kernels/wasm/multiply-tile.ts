/**
 * The innermost product, shared by pointwise, dense and standard convolutions: a tile of pixels × channels in
 * registers, over one panel of weights.
 *
 *     y[p, oc] = clamp(bias[oc] + Σ(row, segment, k) x[p, row, segment, k] · w[row, segment, k, oc])
 *
 * A panel is `[k][columns]`; the tile reads one row of it and one number of each pixel a step. The sum over k is one
 * chain for each output, in every tile: all of them give the same bits.
 *
 * A segment is `length` numbers that lie together in x. A standard convolution has rows of segments; a pointwise
 * convolution has one.
 */

import {
  access,
  drop,
  type Local,
  type ModuleBuilder,
  type Statement,
  set,
  type WasmFunction,
} from "./assembler/index.ts";
import {
  add,
  advance,
  atLeast,
  clampBounds,
  countDown,
  type Features,
  loopWhile,
  mul,
  multiplyAdd,
  put,
  storeClamped,
} from "./emit.ts";
import type { Tile } from "./tiles.ts";

export const MULTIPLY = {
  x: "i32",
  w: "i32",
  bias: "i32",
  y: "i32",
  /** How many tiles, one below the other. */
  tiles: "i32",
  /** Numbers in a segment. */
  length: "i32",
  /** Bytes from a pixel to the next, in x and in y. */
  xStep: "i32",
  yStep: "i32",
  low: "v128",
  high: "v128",
  /** An address that is touched on the way, and the bytes from one touch to the next. */
  ahead: "i32",
  aheadStep: "i32",
  /** Rows of segments; bytes of x from the end of a segment or a row to the next, and of w from row to row. */
  rows: "i32",
  segments: "i32",
  xSkip: "i32",
  rowSkip: "i32",
  wSkip: "i32",
} as const;

export type MultiplyFunction = WasmFunction<typeof MULTIPLY>;

export function multiplyTile(
  module: ModuleBuilder,
  { rows, columns, unroll, lanes }: Tile,
  features: Features,
): MultiplyFunction {
  const vectors = columns / 4;
  const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  return module.func(`f32-multiply-${rows}x${columns}`, MULTIPLY, (p, local) => {
    const pixels = times(rows, () => local("i32"));
    const sums = times(rows, () => times(vectors, () => local("v128")));
    const held = times(Math.min(rows, vectors), () => local("v128"));
    const streamed = local("v128");
    const panel = local("i32");
    const left = local("i32");
    const segment = local("i32");
    const row = local("i32");
    const bounds = clampBounds(lanes, p, local);

    const weights = (u: number, j: number) => access("v128.load", 4 * (u * columns + 4 * j), panel);
    const broadcast = (u: number, pixel: Local<"i32">) => access("v128.load32_splat", 4 * u, pixel);
    const addProduct = (sum: Local<"v128">, x: Local<"v128">, w: Local<"v128">) =>
      set(sum, multiplyAdd(features, x, w, sum));
    // Weights or pixels, whichever are fewer, stay in registers for a step; the others stream through one register.
    const holdsWeights = rows >= vectors;
    const products = holdsWeights
      ? sums.map((row) => row.map((sum, j) => addProduct(sum, streamed, held[j] as Local<"v128">)))
      : times(vectors, (j) =>
          sums.map((row, i) => addProduct(row[j] as Local<"v128">, held[i] as Local<"v128">, streamed)),
        );
    // Code nests: lists of statements stand in lists without being spread.
    const step = (u: number): Statement =>
      holdsWeights
        ? [
            held.map((w, j) => set(w, weights(u, j))),
            pixels.map((pixel, i) => [set(streamed, broadcast(u, pixel)), products[i] ?? []]),
          ]
        : [
            held.map((x, i) => set(x, broadcast(u, pixels[i] as Local<"i32">))),
            products.map((column, j) => [set(streamed, weights(u, j)), column]),
          ];
    const turn = (steps: number): readonly Statement[] => [
      times(steps, step),
      pixels.map((pixel) => advance(pixel, 4 * steps)),
      advance(panel, 4 * columns * steps),
    ];
    const segmentLoop = [
      put(left, p.length),
      loopWhile(atLeast(left, unroll), [
        // Weights stream from afar: each turn touches a little of the next panel. GFLOP/s over V1: 52.2 to 55.2.
        drop(access("i32.load", 0, p.ahead)),
        advance(p.ahead, p.aheadStep),
        turn(unroll),
        advance(left, -unroll),
      ]),
      countDown(left, turn(1)),
    ];

    return [
      countDown(p.tiles, [
        pixels.map((pixel, i) => put(pixel, i === 0 ? p.x : add(pixels[i - 1] as Local<"i32">, p.xStep))),
        sums.map((tileRow) => tileRow.map((sum, j) => set(sum, access("v128.load", 16 * j, p.bias)))),
        put(panel, p.w),
        put(row, p.rows),
        countDown(row, [
          put(segment, p.segments),
          countDown(segment, [segmentLoop, pixels.map((pixel) => advance(pixel, p.xSkip))]),
          pixels.map((pixel) => advance(pixel, p.rowSkip)),
          advance(panel, p.wSkip),
        ]),
        bounds.ready,
        sums.map((tileRow) => [storeClamped(lanes, p.y, tileRow, bounds), advance(p.y, p.yStep)]),
        advance(p.x, mul(p.xStep, rows)),
      ]),
    ];
  });
}
