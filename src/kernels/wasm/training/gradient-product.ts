/**
 * The gradient of the weights of a matrix product: y = aᵀ · dz, [K][N], where `a` [pixels][K] is what the layer read and
 * dz [pixels][N] the gradient of its output. Pointwise, dense, and general convolutions by their im2col.
 *
 * The tile is that of `productFor(N, tile)`. Rows of both lie without gaps. Panels of columns are read whole: where N is no
 * multiple of them, as many bytes as are missing must be there behind the last pixel of dz, whatever they hold
 * (`gradientPanels`: only where N is less than the columns). Nothing that is ever read depends on them.
 *
 * Rows of some KB put all pixels into a few sets of the nearest cache, so what is large is packed first. Share of what
 * registers alone could do (AMD EPYC, Node 24, relaxed tiles, partials added), by K = N and pixels, as they lie and packed:
 * 64, 256: 0.95, 0.88; 256, 256: 0.93, 0.94; 512, 128: 0.72, 0.94; 1024, 128: 0.53, 0.90. Gaps of 64 bytes between the rows
 * instead gave 0.90 and 0.79 in the last two.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, call, type Expression, int, type ModuleBuilder, op, when } from "../assembler/index.ts";
import {
  add,
  advance,
  below,
  choose,
  divide,
  floats,
  least,
  locals,
  loop,
  loopWhile,
  mul,
  put,
  remainder,
  sub,
} from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { CHUNK_WORDS, chunkRange } from "./chunks.ts";
import type { GradientFunction } from "./gradient-tile.ts";

export const GRADIENT_PRODUCT = /* @__PURE__ */ argumentBlock(
  [
    /** In memory; or 0: the chunk lies in scratch, from this offset on. */
    "a",
    "aOffset",
    "dz",
    "dzOffset",
    "partials",
    /** K and N, and floats of a row of partials: whole panels. */
    "rows",
    "columns",
    "stride",
    /** Chunks of a group. */
    "per",
    /** Whether both are packed first, and where in scratch. */
    "packs",
    "packOffset",
  ],
  CHUNK_WORDS,
);

/** Adds those of a chunk to the partial sums of its group, `[K][stride]`; the first chunk of a group overwrites them. */
export function gradientProduct(module: ModuleBuilder, tiles: GradientFunction, { columns }: Tile) {
  return kernel(module, "gradientProduct", GRADIENT_PRODUCT, (scope) => {
    const range = chunkRange(scope);
    const { aStep, zStep, pixels } = locals(scope.local, "i32", "aStep", "zStep", "pixels");
    type Word = Expression<"i32">;
    const place = (memory: Word, offset: Word, step: Word) =>
      choose(memory, add(memory, mul(range.start, step)), add(scope.scratch, offset));
    return [
      ...range.find,
      put(pixels, sub(range.end, range.start)),
      put(aStep, floats(scope.rows)),
      put(zStep, floats(scope.columns)),
      when(pixels, [
        call(tiles, {
          a: place(scope.a, scope.aOffset, aStep),
          dz: place(scope.dz, scope.dzOffset, zStep),
          y: add(scope.partials, floats(mul(divide(scope.from, scope.per), mul(scope.rows, scope.stride)))),
          pixels,
          aStep,
          zStep,
          yStep: floats(scope.stride),
          adds: remainder(scope.from, scope.per),
          panels: divide(add(scope.columns, columns - 1), columns),
          rows: scope.rows,
          packed: choose(scope.packs, add(scope.scratch, scope.packOffset), 0),
        }),
      ]),
    ];
  });
}

/** `f32.add`, which no other kernel has. */
const ADD = [0x92, "ff", "f"] as const;

export const GRADIENT_PANELS = /* @__PURE__ */ argumentBlock([
  "a",
  "dz",
  "y",
  /** K and N. */
  "rows",
  "columns",
  /** Address of an i32: whether y is added to, or overwritten. */
  "adds",
  /** Pixels of one example. */
  "each",
  "packs",
  "packOffset",
  /** Pixels that are summed in one chain. */
  "deep",
  /** Panels that are packed at once; also without packing. */
  "atOnce",
  /** Where in scratch a tile of a last panel goes that is not full: rows · columns floats of the tile. */
  "narrow",
]);

/**
 * All pixels of the batch, piece by piece, for layers of few pixels and many weights. The range counts panels of columns.
 */
export function gradientPanels(module: ModuleBuilder, tiles: GradientFunction, tile: Tile) {
  return kernel(module, "gradientPanels", GRADIENT_PANELS, (scope) => {
    const names = ["full", "panel", "row", "tileRow", "at", "from", "to", "first", "skip", "height"] as const;
    const v = locals(scope.local, "i32", ...names);
    const piece = locals(scope.local, "i32", "a", "dz", "left", "pixels", "adds");
    const shared = { pixels: piece.pixels, aStep: floats(scope.rows), zStep: floats(scope.columns) };
    const narrow = add(scope.scratch, scope.narrow);
    const fullPanels = [
      put(v.panel, scope.from),
      loop(v.panel, v.full, scope.atOnce, [
        call(tiles, {
          ...shared,
          a: piece.a,
          dz: add(piece.dz, mul(v.panel, 4 * tile.columns)),
          y: add(scope.y, mul(v.panel, 4 * tile.columns)),
          yStep: floats(scope.columns),
          adds: piece.adds,
          panels: least(sub(v.full, v.panel), scope.atOnce),
          rows: scope.rows,
          packed: choose(scope.packs, add(scope.scratch, scope.packOffset), 0),
        }),
      ]),
    ];
    // A last panel that is not full begins early, where it can. Of its tiles goes to y what no other panel has.
    const lastPanel = [
      put(v.first, mul(v.full, tile.columns)),
      put(v.skip, sub(v.first, sub(scope.columns, tile.columns))),
      when(below(scope.columns, tile.columns), [put(v.skip, 0)]),
      put(v.row, 0),
      loop(v.row, scope.rows, tile.rows, [
        put(v.height, least(sub(scope.rows, v.row), tile.rows)),
        call(tiles, {
          ...shared,
          a: add(piece.a, floats(v.row)),
          dz: add(piece.dz, floats(sub(v.first, v.skip))),
          y: narrow,
          yStep: int(4 * tile.columns),
          adds: int(0),
          panels: int(1),
          rows: v.height,
          packed: int(0),
        }),
        put(v.tileRow, 0),
        loop(v.tileRow, v.height, 1, [
          put(v.from, add(narrow, floats(add(mul(v.tileRow, tile.columns), v.skip)))),
          put(v.to, add(scope.y, floats(mul(add(v.row, v.tileRow), scope.columns)))),
          put(v.at, v.first),
          advance(v.to, floats(v.first)),
          loop(v.at, scope.columns, 1, [
            when(
              piece.adds,
              [access("f32.store", 0, v.to, op(ADD, access("f32.load", 0, v.to), access("f32.load", 0, v.from)))],
              [access("f32.store", 0, v.to, access("f32.load", 0, v.from))],
            ),
            advance(v.from, 4),
            advance(v.to, 4),
          ]),
        ]),
      ]),
    ];
    return [
      put(v.full, least(scope.to, divide(scope.columns, tile.columns))),
      put(piece.a, scope.a),
      put(piece.dz, scope.dz),
      put(piece.adds, access("i32.load", 0, scope.adds)),
      put(piece.left, mul(scope.batch, scope.each)),
      loopWhile(piece.left, [
        put(piece.pixels, least(piece.left, scope.deep)),
        ...fullPanels,
        when(below(v.full, scope.to), lastPanel),
        advance(piece.a, mul(piece.pixels, floats(scope.rows))),
        advance(piece.dz, mul(piece.pixels, floats(scope.columns))),
        put(piece.adds, 1),
        put(piece.left, sub(piece.left, piece.pixels)),
      ]),
    ];
  });
}

/** From so many weights on it pays to pack. */
const LEAST_PACKED = 65_536;
/** Floats of dz in panels that stay in the second cache. */
const MOST_PACKED = 98_304;

/** How `gradientProduct` packs chunks of so many pixels: its word, and the bytes of scratch at `packOffset`. */
export function gradientPacking(rows: number, columns: number, pixels: number, tile: Tile) {
  const packs = rows * columns >= LEAST_PACKED ? 1 : 0;
  const panels = Math.ceil(columns / tile.columns);
  return { packs, bytes: 4 * packs * pixels * (panels * tile.columns + tile.rows) } as const;
}

/**
 * Pixels of one chain in `gradientPanels`. Of all 1,568 of a 512 × 512 layer so few panels have room in the second cache
 * that `a` was packed ten times, at 45 GFLOP/s; of 392 three times, at 53.
 */
const MOST_DEEP = 448;

/**
 * The same of `gradientPanels`, for all pixels of a full batch. How deep it goes depends on pixels alone: the bits are
 * those of any tile. Without packing `atOnce` is as good.
 */
export function gradientPanelsPacking(rows: number, columns: number, pixels: number, tile: Tile) {
  const deep = Math.ceil(pixels / Math.ceil(pixels / MOST_DEEP));
  const { packs } = gradientPacking(rows, columns, deep, tile);
  const panels = Math.ceil(columns / tile.columns);
  const most = Math.max(1, Math.min(panels, Math.floor(MOST_PACKED / (deep * tile.columns))));
  const atOnce = Math.ceil(panels / Math.ceil(panels / most));
  return { packs, deep, atOnce, bytes: 4 * packs * deep * (atOnce * tile.columns + tile.rows) } as const;
}
