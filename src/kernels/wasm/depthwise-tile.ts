/**
 * The depthwise tile: outputs side by side in a row × four channels in registers. A window that hangs over on the left
 * or right by one column is a tile of its own.
 */

import { access, type ModuleBuilder, set, type WasmFunction } from "./assembler/index.ts";
import { advance, clamp, countDown, type Features, locals, multiplyAdd, put } from "./emit.ts";

/** Sizes of windows that have tiles: square, undilated, with stride 1 or 2 on both axes. */
export type TiledSize = 3 | 5;

/** Outputs in a tile. */
export const WIDTHS = [4, 2, 1] as const;
/** Most columns that a tile reads of one row: four outputs at stride 2 of a window of five. */
export const DEPTHWISE_REACH = 11;

/** One address for each row of the largest window; a smaller one leaves the last unused. */
const ROWS = ["row0", "row1", "row2", "row3", "row4"] as const;

const TILE = {
  row0: "i32",
  row1: "i32",
  row2: "i32",
  row3: "i32",
  row4: "i32",
  skipped: "i32",
  w: "i32",
  y: "i32",
  pixelBytes: "i32",
  groups: "i32",
  low: "v128",
  high: "v128",
} as const;
export type WindowTileFunction = WasmFunction<typeof TILE>;

export interface WindowTiles {
  /** A tile of each width, for stride 1 and stride 2. */
  readonly inner: readonly (readonly [WindowTileFunction, WindowTileFunction])[];
  /** One output whose window lacks its first column, or its last. */
  readonly left: WindowTileFunction;
  readonly right: WindowTileFunction;
}

export function windowTiles(module: ModuleBuilder, size: TiledSize, features: Features): WindowTiles {
  const tile = (wide: number, stride: number, from = 0, to: number = size) =>
    windowTile(module, size, stride, wide, from, to, features);
  const lone = tile(1, 1);
  return {
    inner: WIDTHS.map((wide) => (wide === 1 ? [lone, lone] : [tile(wide, 1), tile(wide, 2)])),
    left: tile(1, 1, 1),
    right: tile(1, 1, 0, size - 1),
  };
}

/** `wide` outputs, over the columns `from` to `to` of the window; `skipped` is the bytes of those before `from`. */
function windowTile(
  module: ModuleBuilder,
  size: TiledSize,
  stride: number,
  wide: number,
  from: number,
  to: number,
  features: Features,
): WindowTileFunction {
  const side = from > 0 ? "-left" : to < size ? "-right" : "";
  return module.func(`f32-depthwise-${size}s${stride}-${wide}${side}`, TILE, (p, local) => {
    const rows = ROWS.slice(0, size).map((name) => p[name]);
    const sums = Array.from({ length: wide }, () => local("v128"));
    const weights = Array.from({ length: to - from }, () => local("v128"));
    const x = local("v128");
    const { at } = locals(local, "i32", "at");
    const columns = (wide - 1) * stride + to - from;
    return [
      ...rows.map((row) => advance(row, p.skipped)),
      countDown(p.groups, [
        ...sums.map((sum) => set(sum, access("v128.load", 0, p.w))),
        ...rows.flatMap((row, u) => [
          ...weights.map((w, i) => set(w, access("v128.load", 16 * (1 + u * size + from + i), p.w))),
          put(at, row),
          ...Array.from({ length: columns }, (_, column) => [
            set(x, access("v128.load", 0, at)),
            ...(column < columns - 1 ? [advance(at, p.pixelBytes)] : []),
            ...sums.flatMap((sum, i) => {
              const w = weights[column - i * stride];
              return w === undefined ? [] : [set(sum, multiplyAdd(features, x, w, sum))];
            }),
          ]).flat(),
        ]),
        put(at, p.y),
        ...sums.flatMap((sum, i) => [
          access("v128.store", 0, at, clamp(sum, p)),
          ...(i < wide - 1 ? [advance(at, p.pixelBytes)] : []),
        ]),
        ...rows.map((row) => advance(row, 16)),
        advance(p.w, 16 * (1 + size * size)),
        advance(p.y, 16),
      ]),
    ];
  });
}
