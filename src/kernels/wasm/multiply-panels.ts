/**
 * A run of pixels against a range of panels: cuts the pixels into tiles of nearly equal height, so that 49 pixels are
 * four tiles of six and five of five, not eight of six and a lone one that waits for its own sums.
 *
 * Panels outside, pixels inside: a panel stays in the nearest cache while the pixels pass it. A last panel that is not full begins early, at `channels − columns`: it computes some channels
 * twice, to the same bits. Where `channels < columns` the tile goes to scratch, and its channels from there to y.
 */

import { access, call, type Expression, type ModuleBuilder, type WasmFunction, when } from "./assembler/index.ts";
import {
  add,
  advance,
  below,
  choose,
  countDown,
  divide,
  equal,
  type Features,
  floats,
  least,
  locals,
  loop,
  mul,
  put,
  sub,
} from "./emit.ts";
import { MULTIPLY, multiplyTile } from "./multiply-tile.ts";
import type { Tile } from "./tiles.ts";

/** Those of a tile, but for what it finds itself. */
export const PANELS = {
  x: "i32",
  /** Weights and bias of panel 0. */
  w: "i32",
  bias: "i32",
  y: "i32",
  length: "i32",
  xStep: "i32",
  yStep: "i32",
  low: "v128",
  high: "v128",
  rows: "i32",
  segments: "i32",
  xSkip: "i32",
  rowSkip: "i32",
  wSkip: "i32",
  pixels: "i32",
  /** Range of panels. */
  from: "i32",
  to: "i32",
  panelBytes: "i32",
  channels: "i32",
  scratch: "i32",
} as const;

export type PanelsFunction = WasmFunction<typeof PANELS>;

export function multiplyPanels(module: ModuleBuilder, tile: Tile, features: Features): PanelsFunction {
  const { rows, columns } = tile;
  const lone = multiplyTile(module, { ...tile, rows: 1 }, features);
  const heights = Array.from({ length: rows }, (_, i) => i + 1).filter(
    (height) => height > 1 && 3 * height >= 2 * rows,
  );
  const tall = heights.map((height) => [height, multiplyTile(module, { ...tile, rows: height }, features)] as const);
  const ofHeight = module.func("f32-multiply", { height: "i32", ...MULTIPLY }, (p) => [
    tall.reduce(
      (otherwise, [height, one]) => when(equal(p.height, height), [call(one, p)], [otherwise]),
      // Two or three pixels in all, or seven: not worth a tile of their own.
      call(lone, { ...p, tiles: mul(p.tiles, p.height), aheadStep: divide(p.aheadStep, p.height) }),
    ),
  ]);

  return module.func("f32-multiply-panels", PANELS, (p, local) => {
    const names = [
      "panel",
      "w",
      "bias",
      "y",
      "tiles",
      "height",
      "taller",
      "step",
      "left",
      "lane",
      "source",
      "ahead",
      "aheadStep",
    ] as const;
    const v = locals(local, "i32", ...names);
    const isNarrow = below(p.channels, columns);
    const tiles = (height: Expression<"i32">, count: Expression<"i32">, x: Expression<"i32">) =>
      call(ofHeight, {
        ...p,
        height,
        tiles: count,
        x,
        w: v.w,
        bias: v.bias,
        y: v.y,
        yStep: v.step,
        ahead: v.ahead,
        aheadStep: v.aheadStep,
      });
    return [
      put(v.tiles, divide(add(p.pixels, rows - 1), rows)),
      put(v.height, divide(p.pixels, v.tiles)),
      put(v.taller, sub(p.pixels, mul(v.height, v.tiles))),
      put(v.panel, p.from),
      loop(v.panel, p.to, 1, [
        put(v.w, add(p.w, mul(v.panel, p.panelBytes))),
        put(v.bias, add(p.bias, mul(v.panel, 4 * columns))),
        put(v.y, add(p.y, floats(least(mul(v.panel, columns), sub(p.channels, columns))))),
        put(v.step, p.yStep),
        when(isNarrow, [put(v.y, p.scratch), put(v.step, 4 * columns)]),
        put(v.ahead, add(v.w, choose(below(add(v.panel, 1), p.to), p.panelBytes, 0))),
        put(v.aheadStep, divide(4 * columns * tile.unroll, v.tiles)),
        tiles(add(v.height, 1), v.taller, p.x),
        advance(v.ahead, mul(v.taller, mul(v.aheadStep, divide(p.length, tile.unroll)))),
        advance(v.y, mul(mul(v.taller, add(v.height, 1)), v.step)),
        tiles(v.height, sub(v.tiles, v.taller), add(p.x, mul(mul(v.taller, add(v.height, 1)), p.xStep))),
        when(isNarrow, [
          put(v.left, p.pixels),
          put(v.source, p.scratch),
          put(v.y, p.y),
          countDown(v.left, [
            put(v.lane, 0),
            loop(v.lane, floats(p.channels), 4, [
              access("f32.store", 0, add(v.y, v.lane), access("f32.load", 0, add(v.source, v.lane))),
            ]),
            advance(v.source, 4 * columns),
            advance(v.y, p.yStep),
          ]),
        ]),
      ]),
    ];
  });
}
